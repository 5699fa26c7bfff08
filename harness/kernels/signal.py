"""Operators of audio front ends but the Fourier transform: windows, energies, filter banks, frames."""

from __future__ import annotations

from math import prod
from typing import cast

import numpy as np

from harness.ir.operators import OPERATORS
from harness.ir.operators.signal_fft import EnergyAttrs
from harness.ir.operators.signal_filter_bank import WIDTHS, LogAttrs, PcanAttrs, SubtractionAttrs
from harness.ir.operators.signal_frames import DelayAttrs, FramerAttrs, OverlapAttrs, StackerAttrs
from harness.ir.operators.signal_window import WindowAttrs
from harness.kernels.access_order import AccessOrder, elementwise
from harness.kernels.base import Argument, Call, ConstantTable, In, Kernel, Lowered, Out, StateOf, packed
from harness.kernels.context import Context
from harness.kernels.work import Work
from harness.quantization.signal import log_table
from harness.quantization.types import DType

_HALF, _WORD, _BYTES = "int16_t", "uint32_t", "uint8_t"


def _call(function: str, arguments: tuple[Argument, ...], shape: dict[str, int]) -> Lowered:
    return Lowered(function, (Call(function, arguments, shape),))


class _Elements(Kernel):
    """Kernels whose work is an element of the output."""

    ops = frozenset[str]()

    def work(self, context: Context) -> Work:
        return Work({"element": context.output().elements})


class SignalWindowPortable(_Elements):
    """SignalWindow."""

    ops = frozenset({"SignalWindow"})
    types = OPERATORS["SignalWindow"].types

    def lower(self, context: Context) -> Lowered:
        size = context.input().shape[-1]
        shift = cast(WindowAttrs, context.node.attrs).shift
        shape = {"rows": context.input().elements // size, "size": size, "shift": shift}
        return _call("signal_window_portable", (In(0, _HALF), In(1, _HALF), Out(0, _HALF)), shape)

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context)


class SignalAutoScalePortable(_Elements):
    """SignalFftAutoScale."""

    ops = frozenset({"SignalFftAutoScale"})
    types = OPERATORS["SignalFftAutoScale"].types

    def lower(self, context: Context) -> Lowered:
        arguments = (In(0, _HALF), Out(0, _HALF), Out(1, "int32_t"))
        return _call("signal_auto_scale_portable", arguments, {"count": context.input().elements})


class SignalEnergyPortable(_Elements):
    """SignalEnergy."""

    ops = frozenset({"SignalEnergy"})
    types = OPERATORS["SignalEnergy"].types

    def lower(self, context: Context) -> Lowered:
        attrs = cast(EnergyAttrs, context.node.attrs)
        shape = {"count": context.output().elements, "start": attrs.start, "end": attrs.end}
        return _call("signal_energy_portable", (In(0, _HALF), Out(0, _WORD)), shape)


class SignalFilterBankPortable(Kernel):
    """SignalFilterBank."""

    ops = frozenset({"SignalFilterBank"})
    types = OPERATORS["SignalFilterBank"].types

    def lower(self, context: Context) -> Lowered:
        tables = tuple(In(i, _HALF) for i in range(1, WIDTHS + 1))
        shape = {"channels": context.output().elements}
        return _call("signal_filter_bank_portable", (In(0, _WORD), *tables, Out(0, _BYTES)), shape)

    def work(self, context: Context) -> Work:
        widths = np.asarray(context.input(WIDTHS).data).astype(np.int64)
        return Work({"channel": len(widths), "tap": int(np.maximum(widths, 0).sum())})


class SignalRootPortable(_Elements):
    """SignalFilterBankSquareRoot."""

    ops = frozenset({"SignalFilterBankSquareRoot"})
    types = OPERATORS["SignalFilterBankSquareRoot"].types

    def lower(self, context: Context) -> Lowered:
        arguments = (In(0, _BYTES), In(1, "int32_t"), Out(0, _WORD))
        return _call("signal_root_portable", arguments, {"count": context.output().elements})


class SignalSubtractionPortable(_Elements):
    """SignalFilterBankSpectralSubtraction."""

    ops = frozenset({"SignalFilterBankSpectralSubtraction"})
    types = OPERATORS["SignalFilterBankSpectralSubtraction"].types

    def lower(self, context: Context) -> Lowered:
        attrs = cast(SubtractionAttrs, context.node.attrs)
        shape = {
            "channels": context.output().elements,
            "smoothing": attrs.smoothing,
            "one_minus_smoothing": attrs.one_minus_smoothing,
            "alternate_smoothing": attrs.alternate_smoothing,
            "alternate_one_minus_smoothing": attrs.alternate_one_minus_smoothing,
            "smoothing_bits": attrs.smoothing_bits,
            "bits": attrs.spectral_subtraction_bits,
            "min_signal_remaining": attrs.min_signal_remaining,
            "clamping": int(attrs.clamping),
        }
        arguments = (In(0, _WORD), StateOf(0, _WORD), Out(0, _WORD), Out(1, _WORD))
        return _call("signal_subtraction_portable", arguments, shape)


class SignalPcanPortable(_Elements):
    """SignalPCAN."""

    ops = frozenset({"SignalPCAN"})
    types = OPERATORS["SignalPCAN"].types

    def lower(self, context: Context) -> Lowered:
        shape = {"channels": context.output().elements, "shift": cast(PcanAttrs, context.node.attrs).snr_shift}
        arguments = (In(0, _WORD), In(1, _WORD), In(2, _HALF), Out(0, _WORD))
        return _call("signal_pcan_portable", arguments, shape)

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context, (0, 1))


class SignalLogPortable(_Elements):
    """SignalFilterBankLog."""

    ops = frozenset({"SignalFilterBankLog"})
    types = OPERATORS["SignalFilterBankLog"].types

    def lower(self, context: Context) -> Lowered:
        attrs = cast(LogAttrs, context.node.attrs)
        table = ConstantTable("logarithms", "uint16_t", packed(log_table(), "uint16"))
        correction = attrs.input_correction_bits
        shape = {"count": context.output().elements, "scale": attrs.output_scale, "correction": correction}
        return _call("signal_log_portable", (In(0, _WORD), table, Out(0, _HALF)), shape)

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context)


class SignalFramerPortable(_Elements):
    """SignalFramer."""

    ops = frozenset({"SignalFramer"})
    types = OPERATORS["SignalFramer"].types

    def lower(self, context: Context) -> Lowered:
        attrs, x = cast(FramerAttrs, context.node.attrs), context.input()
        shape = {
            "rows": prod(x.shape[:-1]),
            "frames": x.shape[-1] // attrs.frame_step,
            "size": attrs.frame_size,
            "step": attrs.frame_step,
            "kept": attrs.kept,
            "before": attrs.steps_before,
        }
        arguments = (In(0, _HALF), StateOf(0, _HALF), StateOf(1, "int32_t"), Out(0, _HALF), Out(1, _BYTES))
        return _call("signal_framer_portable", arguments, shape)


class SignalOverlapAddPortable(Kernel):
    """SignalOverlapAdd."""

    ops = frozenset({"SignalOverlapAdd"})
    types = OPERATORS["SignalOverlapAdd"].types

    def lower(self, context: Context) -> Lowered:
        x, step = context.input(), cast(OverlapAttrs, context.node.attrs).frame_step
        kind, ctype = ("f32", "float") if x.dtype is DType.FLOAT32 else ("s16", _HALF)
        shape = {"rows": prod(x.shape[:-2]), "frames": x.shape[-2], "size": x.shape[-1], "step": step}
        return _call(f"signal_overlap_add_{kind}_portable", (In(0, ctype), StateOf(0, ctype), Out(0, ctype)), shape)

    def work(self, context: Context) -> Work:
        return Work({"element": context.input().elements})


class SignalDelayPortable(_Elements):
    """SignalDelay."""

    ops = frozenset({"SignalDelay"})
    types = OPERATORS["SignalDelay"].types

    def lower(self, context: Context) -> Lowered:
        x, delay = context.input(), cast(DelayAttrs, context.node.attrs).delay_length
        shape = {"rows": prod(x.shape[:-1]), "size": x.shape[-1], "delay": delay}
        return _call("signal_delay_portable", (In(0, _HALF), StateOf(0, _HALF), Out(0, _HALF)), shape)


class SignalStackerPortable(_Elements):
    """SignalStacker."""

    ops = frozenset({"SignalStacker"})
    types = OPERATORS["SignalStacker"].types

    def lower(self, context: Context) -> Lowered:
        attrs = cast(StackerAttrs, context.node.attrs)
        shape = {
            "channels": context.input().elements,
            "frames": attrs.frames,
            "left": attrs.left_context,
            "step": attrs.step,
        }
        arguments = (In(0, _HALF), StateOf(0, _HALF), StateOf(1, "int32_t"), Out(0, _HALF), Out(1, _BYTES))
        return _call("signal_stacker_portable", arguments, shape)


KERNELS: tuple[Kernel, ...] = (
    SignalWindowPortable(),
    SignalAutoScalePortable(),
    SignalEnergyPortable(),
    SignalFilterBankPortable(),
    SignalRootPortable(),
    SignalSubtractionPortable(),
    SignalPcanPortable(),
    SignalLogPortable(),
    SignalFramerPortable(),
    SignalOverlapAddPortable(),
    SignalDelayPortable(),
    SignalStackerPortable(),
)
