"""The filter bank of an audio front end: SignalFilterBank and the functions of its channels.

SignalFilterBank sums energies into channels, SignalFilterBankSquareRoot takes their roots,
SignalFilterBankSpectralSubtraction takes off a running estimate of the noise, SignalPCAN normalizes by it, and
SignalFilterBankLog takes logarithms.

Source: tensorflow/tflite-micro, signal/src/filter_bank.cc, filter_bank_square_root.cc,
filter_bank_spectral_subtraction.cc, pcan_argc_fixed.cc and filter_bank_log.cc.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, cast

import numpy as np

from harness.ir.graph import Attrs, NoAttrs, Node, State, Tensor
from harness.ir.operators.operands import Inputs, Operands, array
from harness.ir.operators.operator import Operator, Types
from harness.ir.operators.signal_window import write_without_options
from harness.ir.operators.tflite import (
    CUSTOM,
    OperatorDraft,
    Read,
    Reading,
    TfliteForm,
    Unsupported,
    Writing,
    custom_form,
    fresh,
)
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View
from harness.quantization.signal import gain, log, root, shrunk
from harness.quantization.types import Array, DType

WEIGHTS, UNWEIGHTS, STARTS, WEIGHT_STARTS, WIDTHS = range(1, 6)
"""Inputs of SignalFilterBank: weights of a frequency in a channel and in the next one, and where channels begin."""

_UINT32 = (1 << 32) - 1
_UINT64 = (1 << 64) - 1
GAINS = 4 * 32 - 6 + 3
"""Entries of SignalPCAN's table that a uint32 may ask for."""


def _plain(v: View, count: int) -> None:
    """Checks that inputs and outputs have one dimension of as many elements."""
    for t in (v.x(), *(v.y(i) for i in range(len(v.node.outputs)))):
        v.need(len(t.shape) == 1, f"has '{t.name}' of shape {list(t.shape)}, not of one dimension")
        v.shape(t, (count,))


# --- SignalFilterBank ------------------------------------------------------------------------------------------------


def _verify_bank(v: View) -> None:
    x, y = v.x(), v.y()
    v.need(len(x.shape) == len(y.shape) == 1, "has an input or an output of more than one dimension")
    tables = [v.x(i) for i in range(WEIGHTS, WIDTHS + 1)]
    for t in tables:
        v.need(len(t.shape) == 1 and t.data is not None, f"has '{t.name}', which is no constant of one dimension")
    weights, unweights, *places = (np.asarray(t.data).astype(np.int64) for t in tables)
    v.need(len(weights) == len(unweights), f"has {len(weights)} weights and {len(unweights)} unweights")
    v.need(all(len(p) == y.shape[0] + 1 for p in places), f"has tables that are not of {y.shape[0] + 1} channels")
    for start, first, width in zip(*places, strict=True):
        inside = width <= 0 or (0 <= start <= x.shape[0] - width and 0 <= first <= len(weights) - width)
        v.need(bool(inside), f"has a channel of {width} numbers from {start}, with weights from {first}")


def filter_bank(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """SignalFilterBank: every frequency belongs to two channels. What comes before the first one is thrown away."""
    x = [int(n) for n in array(inputs, 0)]
    weights, unweights, starts, firsts, widths = ([int(n) for n in array(inputs, i)] for i in range(1, 6))
    sums, carried = [], 0
    for start, first, width in zip(starts, firsts, widths, strict=True):
        taken = range(max(width, 0))
        sums.append(carried + sum(weights[first + j] * x[start + j] for j in taken))
        carried = sum(unweights[first + j] * x[start + j] for j in taken)
    return (np.array([n & _UINT64 for n in sums[1:]], np.uint64),)


def _read_bank(op: Reading) -> Read:
    op.count(6)
    (channels,) = op.custom("num_channels")
    if op.output().shape != (channels,):
        raise Unsupported(f"{channels} channels into shape {list(op.output().shape)}")
    return op.ids(0, 1, 2, 3, 4, 5), NoAttrs()


def _write_bank(to: Writing, node: Node) -> OperatorDraft:
    options = {"num_channels": to.graph.tensors[node.outputs[0]].elements}
    return OperatorDraft(node.op, node.inputs, node.outputs, custom=options)


# --- SignalFilterBankSquareRoot --------------------------------------------------------------------------------------


def _verify_root(v: View) -> None:
    _plain(v, v.x().elements)
    v.need(v.x(1).elements == 1, f"shifts by '{v.x(1).name}', which is not one number")


def square_root(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """SignalFilterBankSquareRoot: the root, shifted right by input 1 (by 0 to 31; C leaves other shifts undefined)."""
    shift = int(array(inputs, 1).reshape(-1)[0]) & 31
    return ((root(array(inputs, 0).astype(np.uint64)) >> shift).astype(np.uint32),)


def _read_root(op: Reading) -> Read:
    op.count(2)
    op.custom()
    return op.ids(0, 1), NoAttrs()


# --- SignalFilterBankSpectralSubtraction -----------------------------------------------------------------------------


@dataclass(frozen=True)
class SubtractionAttrs(Attrs):
    """The filter of the noise estimate, of channels 0, 2, ... and of 1, 3, ...; the fields are the file's options.

    Attributes:
        alternate_one_minus_smoothing, alternate_smoothing, one_minus_smoothing, smoothing: how much of the old
            estimate stays, and how much of the signal comes in, with spectral_subtraction_bits.
        clamping: the estimate is never above the signal.
        min_signal_remaining: the least share of the signal that is left, with spectral_subtraction_bits.
        smoothing_bits: more bits of the estimate than of the signal.
    """

    alternate_one_minus_smoothing: int
    alternate_smoothing: int
    clamping: bool
    min_signal_remaining: int
    one_minus_smoothing: int
    smoothing: int
    smoothing_bits: int
    spectral_subtraction_bits: int


_OPTIONS = tuple(f.name for f in fields(SubtractionAttrs))
_SHARES = tuple(name for name in _OPTIONS if "smoothing" in name and "bits" not in name) + ("min_signal_remaining",)


def _verify_subtraction(v: View) -> None:
    attrs = v.attrs(SubtractionAttrs)
    _plain(v, v.x().elements)
    held = v.state().initial.shape
    v.need(held == v.x().shape, f"has an estimate of shape {list(held)}, not {list(v.x().shape)}")
    for name in ("smoothing_bits", "spectral_subtraction_bits"):
        v.need(0 <= getattr(attrs, name) <= 31, f"has {name} {getattr(attrs, name)}, not 0 to 31")
    for name in _SHARES:
        v.need(0 <= getattr(attrs, name) <= 0xFFFF, f"has {name} {getattr(attrs, name)}, not 0 to 65535")


def spectral_subtraction(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """SignalFilterBankSpectralSubtraction: the signal less the noise, the noise estimate, and it as the state."""
    attrs = cast(SubtractionAttrs, op.attrs)
    x, noise = array(inputs, 0).astype(np.uint64), op.held[0].astype(np.uint64)
    odd = np.arange(len(x)) % 2 == 1
    share = np.where(odd, attrs.alternate_smoothing, attrs.smoothing).astype(np.uint64)
    rest = np.where(odd, attrs.alternate_one_minus_smoothing, attrs.one_minus_smoothing).astype(np.uint64)
    bits = np.uint64(attrs.spectral_subtraction_bits)
    scaled = (x << np.uint64(attrs.smoothing_bits)) & np.uint64(_UINT32)
    noise = ((scaled * share + noise * rest) >> bits) & np.uint64(_UINT32)
    below = np.minimum(noise, scaled)
    if attrs.clamping:
        noise = below
    floor = ((x * np.uint64(attrs.min_signal_remaining)) >> bits) & np.uint64(_UINT32)
    left = np.maximum((scaled - below) >> np.uint64(attrs.smoothing_bits), floor)
    return left.astype(np.uint32), noise.astype(np.uint32), noise.astype(np.uint32)


def _estimate(reads: Sequence[Tensor], writes: Sequence[Tensor], attrs: Attrs) -> tuple[State, ...]:
    return (fresh(f"{writes[1].name}/estimate", DType.UINT32, reads[0].shape),)


def _read_subtraction(op: Reading) -> Read:
    op.count(1, outputs=2)
    channels, *rest = op.custom("num_channels", *_OPTIONS)
    if op.input(0).shape != (channels,):
        raise Unsupported(f"{channels} channels of shape {list(op.input(0).shape)}")
    named: dict[str, Any] = dict(zip(_OPTIONS, rest, strict=True))
    return op.ids(0), SubtractionAttrs(**named | {"clamping": bool(named["clamping"])})


def _write_subtraction(to: Writing, node: Node) -> OperatorDraft:
    channels = to.graph.tensors[node.inputs[0]].elements
    options = asdict(cast(SubtractionAttrs, node.attrs)) | {"num_channels": channels}
    return OperatorDraft(node.op, node.inputs, node.outputs, custom=options)


# --- SignalPCAN ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PcanAttrs(Attrs):
    """Bits by which the signal times its gain is shifted right."""

    snr_shift: int


def _verify_pcan(v: View) -> None:
    _plain(v, v.x().elements)
    v.shape(v.x(1), v.x().shape)
    table = v.x(2)
    v.need(table.data is not None and table.shape == (GAINS,), f"has gains '{table.name}', not {GAINS} constants")
    shift = v.attrs(PcanAttrs).snr_shift
    v.need(0 <= shift <= 63, f"shifts by {shift}")


def pcan(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """SignalPCAN: the signal times a gain that follows from the noise estimate (input 1), compressed."""
    x, noise, table = (array(inputs, i).astype(np.int64) for i in range(3))
    factor = (gain(noise, table) & _UINT32).astype(np.uint64)  # a gain below 0 is taken for a large one
    ratio = (x.astype(np.uint64) * factor) >> np.uint64(cast(PcanAttrs, op.attrs).snr_shift)
    return (shrunk((ratio & np.uint64(_UINT32)).astype(np.int64)).astype(np.uint32),)


# --- SignalFilterBankLog ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LogAttrs(Attrs):
    """What the logarithm is multiplied by, and the bits by which its argument is shifted left before."""

    output_scale: int
    input_correction_bits: int


def _verify_log(v: View) -> None:
    _plain(v, v.x().elements)
    attrs = v.attrs(LogAttrs)
    v.need(0 <= attrs.input_correction_bits <= 31, f"shifts by {attrs.input_correction_bits}")
    v.need(0 <= attrs.output_scale < 1 << 31, f"scales by {attrs.output_scale}")


def filter_bank_log(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """SignalFilterBankLog: scaled natural logarithms, at most 32767; 0 of 0 and 1."""
    attrs = cast(LogAttrs, op.attrs)
    scaled = (array(inputs, 0).astype(np.int64) << attrs.input_correction_bits) & _UINT32
    made = np.minimum(log(np.maximum(scaled, 1), attrs.output_scale), 32767)
    return (np.where(scaled > 1, made, 0).astype(np.int16),)


_TABLES = tuple((i, DType.INT16) for i in range(WEIGHTS, WIDTHS + 1))
OPERATORS = (
    Operator(
        "SignalFilterBank",
        _verify_bank,
        filter_bank,
        inputs=(6, 6),
        types=(Types(DType.UINT32, DType.UINT64, apart=_TABLES),),
        tflite=TfliteForm(CUSTOM, _write_bank, _read_bank, version=1),
    ),
    Operator(
        "SignalFilterBankSquareRoot",
        _verify_root,
        square_root,
        inputs=(2, 2),
        types=(Types(DType.UINT64, DType.UINT32, apart=((1, DType.INT32),)),),
        tflite=TfliteForm(CUSTOM, write_without_options, _read_root, version=1),
    ),
    Operator(
        "SignalFilterBankSpectralSubtraction",
        _verify_subtraction,
        spectral_subtraction,
        attrs=SubtractionAttrs,
        outputs=(2, 2),
        states=1,
        types=(Types(DType.UINT32, DType.UINT32, states=(DType.UINT32,)),),
        traits=frozenset({Trait.READS_STATE, Trait.WRITES_STATE}),
        tflite=TfliteForm(CUSTOM, _write_subtraction, _read_subtraction, version=1, unnamed=_estimate),
    ),
    Operator(
        "SignalPCAN",
        _verify_pcan,
        pcan,
        attrs=PcanAttrs,
        inputs=(3, 3),
        types=(Types(DType.UINT32, DType.UINT32, apart=((2, DType.INT16),)),),
        tflite=custom_form(PcanAttrs, 3, "snr_shift"),
    ),
    Operator(
        "SignalFilterBankLog",
        _verify_log,
        filter_bank_log,
        attrs=LogAttrs,
        types=(Types(DType.UINT32, DType.INT16),),
        tflite=custom_form(LogAttrs, 1, "output_scale", "input_correction_bits"),
    ),
)
