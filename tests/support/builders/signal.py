"""The signal operators of audio front ends, some behind those that front ends have before them."""

from __future__ import annotations

from math import prod

import numpy as np

from harness.ir.graph import Attrs, NoAttrs
from harness.ir.operators import OPERATORS
from harness.ir.operators.signal_fft import EnergyAttrs, FftAttrs
from harness.ir.operators.signal_filter_bank import GAINS, LogAttrs, PcanAttrs, SubtractionAttrs
from harness.ir.operators.signal_frames import DelayAttrs, FramerAttrs, OverlapAttrs, StackerAttrs
from harness.ir.operators.signal_window import WindowAttrs
from harness.quantization.types import DType
from tests.support.builders.common import random_shape
from tests.support.draft import QUANTIZED, Draft, between, chance, log_uniform, pick, quantization


def _typed(draft: Draft, x: int | None, shape: tuple[int, ...], dtype: DType) -> int:
    """A new input, or x as one row of another type."""
    if x is None:
        return draft.input(shape, dtype=dtype)
    if draft.tensors[x].dtype is DType.UINT64:  # which TFLM casts to nothing
        x = _root(draft, x)
    if draft.tensors[x].dtype is not dtype:
        quant = quantization(draft.rng, dtype) if dtype in QUANTIZED else None
        x = draft.node("CAST", (x,), (draft.tensor(draft.shape(x), quant, dtype),), NoAttrs())
    return draft.node("RESHAPE", (x,), (draft.like(x, (prod(draft.shape(x)),)),), NoAttrs())


def _outputs(draft: Draft, op: str, *shapes: tuple[int, ...], x: int) -> tuple[int, ...]:
    types = next(t for t in OPERATORS[op].types if t.x is draft.tensors[x].dtype)
    return tuple(draft.tensor(shape, None, types.made(i)) for i, shape in enumerate(shapes))


def held_by(draft: Draft, op: str, x: int, outputs: tuple[int, ...], attrs: Attrs) -> tuple[int, ...]:
    """New states of an operator that makes them itself."""
    form = OPERATORS[op].tflite
    assert form is not None and form.unnamed is not None
    first = len(draft.states)
    draft.states += form.unnamed([draft.tensors[x]], [draft.tensors[t] for t in outputs], attrs)
    return tuple(range(first, len(draft.states)))


def stateful(draft: Draft, op: str, x: int, shapes: tuple[tuple[int, ...], ...], attrs: Attrs) -> int:
    """An operator with states of its own; its first output."""
    outputs = _outputs(draft, op, *shapes, x=x)
    return draft.node(op, (x,), outputs, attrs, held_by(draft, op, x, outputs, attrs))


def window(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = _typed(draft, x, random_shape(rng, 1, 3, 40), DType.INT16)
    size = draft.shape(x)[-1]
    weights = rng.integers(-32768, 32767, size, endpoint=True) if chance(rng, 0.3) else rng.integers(0, 4097, size)
    w = draft.constant(weights.astype(np.int16), None)
    y = _outputs(draft, "SignalWindow", draft.shape(x), x=x)
    return draft.node("SignalWindow", (x, w), y, WindowAttrs(pick(rng, 12, 12, between(rng, 0, 20))))


def auto_scale(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = _typed(draft, x, random_shape(rng, 1, 1, 60), DType.INT16)
    if chance(rng, 0.7):  # quieter, or all zeros
        quiet = draft.constant(rng.integers(0, pick(rng, 1, 3, 3), draft.shape(x)[-1]).astype(np.int16), None)
        y = _outputs(draft, "SignalWindow", draft.shape(x), x=x)
        x = draft.node("SignalWindow", (x, quiet), y, WindowAttrs(between(rng, 0, 15)))
    outputs = _outputs(draft, "SignalFftAutoScale", draft.shape(x), (), x=x)
    return draft.node("SignalFftAutoScale", (x,), outputs, NoAttrs())


def rfft(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    dtype = DType.INT16 if x is not None else pick(rng, *(t.x for t in OPERATORS["SignalRfft"].types))
    length = 2 ** between(rng, 2, 9)
    shape = (*random_shape(rng, 0, 2, 3), between(rng, 1, length))
    x = _typed(draft, x, shape, dtype)
    while length < draft.shape(x)[-1]:
        length *= 2
    y = _outputs(draft, "SignalRfft", (*draft.shape(x)[:-1], length + 2), x=x)
    return draft.node("SignalRfft", (x,), y, FftAttrs(length))


def irfft(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    if x is not None:
        x = rfft(draft, x)
    else:
        dtype = pick(rng, *(t.x for t in OPERATORS["SignalIrfft"].types))
        x = draft.input((*random_shape(rng, 0, 2, 3), 2 ** between(rng, 2, 9) + 2), dtype=dtype)
    length = draft.shape(x)[-1] - 2
    y = _outputs(draft, "SignalIrfft", (*draft.shape(x)[:-1], length), x=x)
    return draft.node("SignalIrfft", (x,), y, FftAttrs(length))


def energy(draft: Draft, x: int | None = None) -> int:
    """All of them: others TFLM leaves as they were."""
    x = _typed(draft, x, (2 * between(draft.rng, 1, 130),), DType.INT16) if x is None else rfft(draft, x)
    count = draft.shape(x)[0] // 2
    y = _outputs(draft, "SignalEnergy", (count,), x=x)
    return draft.node("SignalEnergy", (x,), y, EnergyAttrs(0, count))


def filter_bank(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = _typed(draft, x, (between(rng, 3, 130),), DType.UINT32)
    bins, channels, count = draft.shape(x)[0], between(rng, 1, 20), between(rng, 4, 60)
    widths = rng.integers(0, min(bins, count), channels + 1, endpoint=True)
    starts, firsts = rng.integers(0, bins - widths, endpoint=True), rng.integers(0, count - widths, endpoint=True)
    lowest = -32768 if chance(rng, 0.1) else 0
    weights = [rng.integers(lowest, 4097, count) for _ in range(2)]
    tables = tuple(draft.constant(t.astype(np.int16), None) for t in (*weights, starts, firsts, widths))
    y = _outputs(draft, "SignalFilterBank", (channels,), x=x)
    return draft.node("SignalFilterBank", (x, *tables), y, NoAttrs())


def square_root(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    if x is None and chance(rng, 0.5):
        x = draft.input((between(rng, 1, 50),), dtype=DType.UINT64)
    elif x is None or draft.tensors[x].dtype is not DType.UINT64:
        x = filter_bank(draft, x)
    return _root(draft, x)


def _root(draft: Draft, x: int) -> int:
    shift = draft.constant(np.array(between(draft.rng, 0, 16), np.int32), None)
    y = _outputs(draft, "SignalFilterBankSquareRoot", draft.shape(x), x=x)
    return draft.node("SignalFilterBankSquareRoot", (x, shift), y, NoAttrs())


def _channels(draft: Draft, x: int | None) -> int:
    """A row of uint32, of all sizes."""
    if x is None and chance(draft.rng, 0.4):
        return draft.input((between(draft.rng, 1, 50),), dtype=DType.UINT32)
    return square_root(draft, x)


def spectral_subtraction(draft: Draft, x: int | None = None) -> int:
    return _subtracted(draft, _channels(draft, x))


def _subtracted(draft: Draft, x: int) -> int:
    rng = draft.rng
    parts = [between(rng, 0, 16384) for _ in range(5)]
    if chance(rng, 0.5):
        parts[0], parts[3] = 16384 - parts[1], 16384 - parts[4]
    attrs = SubtractionAttrs(
        alternate_one_minus_smoothing=parts[0],
        alternate_smoothing=parts[1],
        clamping=chance(rng, 0.5),
        min_signal_remaining=parts[2],
        one_minus_smoothing=parts[3],
        smoothing=parts[4],
        smoothing_bits=between(rng, 0, 12),
        spectral_subtraction_bits=pick(rng, 14, 14, between(rng, 0, 16)),
    )
    shape = draft.shape(x)
    return stateful(draft, "SignalFilterBankSpectralSubtraction", x, (shape, shape), attrs)


def pcan(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = _channels(draft, x)
    noise = _subtracted(draft, x) + 1 if chance(rng, 0.5) else draft.input(draft.shape(x), dtype=DType.UINT32)
    gains = draft.constant(rng.integers(-1000, 32767, GAINS).astype(np.int16), None)
    y = _outputs(draft, "SignalPCAN", draft.shape(x), x=x)
    return draft.node("SignalPCAN", (x, noise, gains), y, PcanAttrs(between(rng, 0, 20)))


def filter_bank_log(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = _channels(draft, x)
    y = _outputs(draft, "SignalFilterBankLog", draft.shape(x), x=x)
    scale = pick(rng, 64, 1600, int(log_uniform(rng, 1, 60000)))
    return draft.node("SignalFilterBankLog", (x,), y, LogAttrs(scale, between(rng, 0, 12)))


def framer(draft: Draft, x: int | None = None) -> int:
    """With prefill: frames that are not whole TFLM leaves as they were (tests/oracle/host/test_signal.py)."""
    rng = draft.rng
    step = between(rng, 1, 8)
    size = step + between(rng, 1, 20)
    if x is None:
        x = draft.input((*random_shape(rng, 0, 2, 3), step * between(rng, 1, 4)), dtype=DType.INT16)
    else:
        x = _typed(draft, x, (), DType.INT16)
        step = draft.shape(x)[0]
        size = step + between(rng, 1, 20)
    shape = (*draft.shape(x)[:-1], draft.shape(x)[-1] // step, size)
    return stateful(draft, "SignalFramer", x, (shape, ()), FramerAttrs(size, step, prefill=True))


def overlap_add(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    if x is None:
        dtype = pick(rng, *(t.x for t in OPERATORS["SignalOverlapAdd"].types))
        shape = (*random_shape(rng, 0, 2, 3), between(rng, 1, 4), between(rng, 1, 20))
        x = draft.input(shape, dtype=dtype)
    else:
        x = framer(draft, x)
    *outer, frames, size = draft.shape(x)
    step = between(rng, 1, size)
    return stateful(draft, "SignalOverlapAdd", x, ((*outer, frames * step),), OverlapAttrs(step))


def delay(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = _typed(draft, x, random_shape(rng, 1, 3, 12), DType.INT16)
    return stateful(draft, "SignalDelay", x, (draft.shape(x),), DelayAttrs(between(rng, 1, 30)))


def stacker(draft: Draft, x: int | None = None) -> int:
    """A stack for every frame: others TFLM leaves as they were (tests/oracle/host/test_signal.py)."""
    rng = draft.rng
    x = _typed(draft, x, (between(rng, 1, 20),), DType.INT16)
    attrs = StackerAttrs(between(rng, 0, 6), 0, 1)
    return stateful(draft, "SignalStacker", x, ((draft.shape(x)[0] * attrs.frames,), ()), attrs)


BUILDERS = {
    "SignalWindow": window,
    "SignalFftAutoScale": auto_scale,
    "SignalRfft": rfft,
    "SignalIrfft": irfft,
    "SignalEnergy": energy,
    "SignalFilterBank": filter_bank,
    "SignalFilterBankSquareRoot": square_root,
    "SignalFilterBankSpectralSubtraction": spectral_subtraction,
    "SignalPCAN": pcan,
    "SignalFilterBankLog": filter_bank_log,
    "SignalFramer": framer,
    "SignalOverlapAdd": overlap_add,
    "SignalDelay": delay,
    "SignalStacker": stacker,
}
