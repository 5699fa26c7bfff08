"""SignalRfft and SignalIrfft, the Fourier transform of real numbers and back; SignalEnergy of what it makes.

A complex number is two elements, real and imaginary part, so that a spectrum of `fft_length` reals has fft_length + 2.
Source: tensorflow/tflite-micro, signal/micro/kernels/rfft.cc, irfft.cc, signal/src/energy.cc.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from harness.ir.graph import Attrs, Node
from harness.ir.operators.operands import Inputs, Operands, array
from harness.ir.operators.operator import Operator, Types, same
from harness.ir.operators.tflite import (
    CUSTOM,
    OperatorDraft,
    Read,
    Reading,
    TfliteForm,
    Unsupported,
    Writing,
    custom_form,
)
from harness.ir.operators.view import View
from harness.quantization.fft import real_inverse, real_transform
from harness.quantization.types import Array, DType

_NUMBERS = {DType.FLOAT32: 0, DType.INT32: 2, DType.INT16: 7}
"""Type of the numbers -> TensorFlow's number for it, the option T."""

LEAST_LENGTH, MOST_LENGTH = 4, 1 << 15


@dataclass(frozen=True)
class FftAttrs(Attrs):
    """Reals of the transform, a power of two."""

    length: int


def _verify_length(v: View) -> int:
    length = v.attrs(FftAttrs).length
    v.need(length & (length - 1) == 0, f"has a length of {length}, which is no power of two", "pad to a power of two")
    v.need(LEAST_LENGTH <= length <= MOST_LENGTH, f"has a length of {length}, not {LEAST_LENGTH} to {MOST_LENGTH}")
    v.need(len(v.x().shape) >= 1, "has a scalar input")
    return length


def _verify_forward(v: View) -> None:
    length, x = _verify_length(v), v.x()
    v.need(x.shape[-1] <= length, f"transforms {x.shape[-1]} numbers, more than its length of {length}")
    v.shape(v.y(), (*x.shape[:-1], length + 2))


def _verify_inverse(v: View) -> None:
    length, x = _verify_length(v), v.x()
    v.need(x.shape[-1] == length + 2, f"has spectra of {x.shape[-1]} elements, not {length + 2}")
    v.shape(v.y(), (*x.shape[:-1], length))


def rfft(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """SignalRfft: rows filled up with zeros, transformed; fixed point is divided by the length."""
    x, length = array(inputs, 0), cast(FftAttrs, op.attrs).length
    filled = np.zeros((*x.shape[:-1], length), x.dtype)
    filled[..., : x.shape[-1]] = x
    return (real_transform(filled, op.y.dtype).reshape(op.y.shape),)


def irfft(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """SignalIrfft: spectra transformed back and divided by the length."""
    x, length = array(inputs, 0), cast(FftAttrs, op.attrs).length
    made = real_inverse(x.reshape(*x.shape[:-1], x.shape[-1] // 2, 2), op.y.dtype).reshape(op.y.shape)
    return (made * np.float32(1 / length) if op.y.dtype is DType.FLOAT32 else made,)  # type: ignore[operator]


def _read_fft(op: Reading) -> Read:
    op.count(1)
    kind, length = op.custom("T", "fft_length")
    if kind != _NUMBERS.get(op.input(0).dtype):
        raise Unsupported(f"a type T {kind} that is not its input's")
    return op.ids(0), FftAttrs(length)


def _write_fft(to: Writing, node: Node) -> OperatorDraft:
    kind = _NUMBERS[to.graph.tensors[node.inputs[0]].dtype]
    options = {"T": kind, "fft_length": cast(FftAttrs, node.attrs).length}
    return OperatorDraft(node.op, node.inputs, node.outputs, custom=options)


@dataclass(frozen=True)
class EnergyAttrs(Attrs):
    """The first complex number of which the energy is computed, and the first behind them."""

    start: int
    end: int


def _verify_energy(v: View) -> None:
    x, y, attrs = v.x(), v.y(), v.attrs(EnergyAttrs)
    v.need(len(x.shape) == 1 and x.shape[0] % 2 == 0, f"has an input of shape {list(x.shape)}")
    v.shape(y, (x.shape[0] // 2,))
    v.need(0 <= attrs.start < attrs.end <= y.shape[0], f"takes numbers {attrs.start} to {attrs.end} of {y.shape[0]}")


def energy(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """SignalEnergy: squared magnitudes. Those outside of the range, which TFLM leaves as they were, are 0."""
    attrs, (re, im) = cast(EnergyAttrs, op.attrs), array(inputs, 0).astype(np.int64).reshape(-1, 2).T
    made = np.zeros(op.y.shape, np.uint32)
    taken = slice(attrs.start, attrs.end)
    made[taken] = (re * re + im * im)[taken]
    return (made,)


OPERATORS = (
    Operator(
        "SignalRfft",
        _verify_forward,
        rfft,
        attrs=FftAttrs,
        types=same(*_NUMBERS),
        tflite=TfliteForm(CUSTOM, _write_fft, _read_fft, version=1),
    ),
    Operator(
        "SignalIrfft",
        _verify_inverse,
        irfft,
        attrs=FftAttrs,
        types=same(*_NUMBERS),
        tflite=TfliteForm(CUSTOM, _write_fft, _read_fft, version=1),
    ),
    Operator(
        "SignalEnergy",
        _verify_energy,
        energy,
        attrs=EnergyAttrs,
        types=(Types(DType.INT16, DType.UINT32),),
        tflite=custom_form(EnergyAttrs, 1, "start_index", "end_index"),
    ),
)
