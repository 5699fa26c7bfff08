"""Compressed weights: the stream of symbols, and the order in which the NPU wants them.

A stream is a row of slices. A slice's header says how many values follow, how they are coded and, if it is new, the
palette. Then come chunks: unary parts of up to 12 values, unary parts of up to 12 runs of zeros (8 where their
remainders have three bits), and the remainders of the chunk before. Source: Vela 5.2, mlw_codec/mlw_decode.c (the
stream) and regor/architecture/ethosu55/ethos_u55_weight_encoder.cpp (the order), read as descriptions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from harness.ethosu.fault import FaultError
from harness.quantization.fixedpoint import Ints

_END, _NO_RUNS = 7, 6
"""Codings of runs of zeros: the stream ends, or there are none."""

_UNCOMPRESSED = 7
"""Coding of values: all are of one length."""

_WIDE = 12
_NARROW = 8
_MOST = 512
"""Values have nine bits."""


@dataclass
class Bits:
    """A stream of bits, the lowest of each byte first."""

    content: bytes
    position: int = 0
    _padded: bytes = field(init=False)

    def __post_init__(self) -> None:
        self._padded = self.content + bytes(8)

    def take(self, count: int) -> int:
        """The next bits, up to 32."""
        at = self.position
        self.position = at + count
        if self.position > 8 * len(self.content):
            raise FaultError(f"compressed weights end after {len(self.content)} bytes, in the middle of a slice")
        return int.from_bytes(self._padded[at >> 3 : (at >> 3) + 8], "little") >> (at & 7) & (1 << count) - 1


@dataclass(frozen=True)
class Palette:
    """Values that have short codes; the others are counted from `offset`."""

    values: tuple[int, ...]
    bits: int
    offset: int


@dataclass(frozen=True)
class Coding:
    """The header of a slice.

    Attributes:
        count: values in it, zeros of runs not counted.
        zeros: bits of the remainder of a run's length; None where there are no runs.
        bits: bits of a value's remainder.
        fixed: values have no unary parts.
        truncated: unary parts of values go no further than 2.
        first_run: whether a run may stand before the first value.
    """

    count: int
    zeros: int | None
    bits: int
    fixed: bool
    truncated: bool
    first_run: bool

    @property
    def width(self) -> int:
        """Values of a chunk at most."""
        return _NARROW if self.fixed and self.bits > 5 else _WIDE

    @property
    def runs(self) -> int:
        """Runs of zeros in the slice."""
        return 0 if self.zeros is None else self.count + self.first_run

    @property
    def runs_width(self) -> int:
        """Runs of a chunk at most."""
        return _WIDE if self.zeros is not None and self.zeros < 3 else _NARROW


def decode(content: bytes) -> Ints:
    """All weights of a stream, zeros included, as they follow each other.

    Raises:
        FaultError: the stream is damaged.
    """
    bits = Bits(content)
    memory = np.unpackbits(np.frombuffer(content, np.uint8), bitorder="little")
    palette: Palette | None = None
    parts = []
    while True:
        zeros = bits.take(3) if 8 * len(content) - bits.position >= 3 else _END
        if zeros == _END:
            bits.position = bits.position + 7 & ~7
            palette = None
            if bits.position >= 8 * len(content):
                break
            continue
        if zeros > 3 and zeros != _NO_RUNS:
            raise FaultError(f"compressed weights, bit {bits.position}: coding {zeros} of zeros is not there")
        coding, palette = _header(bits, None if zeros == _NO_RUNS else zeros, palette)
        parts.append(_slice(bits, memory, coding, palette))
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _header(bits: Bits, zeros: int | None, palette: Palette | None) -> tuple[Coding, Palette]:
    count = bits.take(15) + 1
    kind = bits.take(3)
    truncated, fresh = bits.take(1), bits.take(1)
    if fresh:
        offset, size, width = bits.take(5), bits.take(5), bits.take(3) + 2
        size += size > 0
        palette = Palette(tuple(bits.take(width) for _ in range(size)), width, offset)
    if palette is None:
        raise FaultError(f"compressed weights, bit {bits.position}: the first slice has no palette")
    if kind == _UNCOMPRESSED:
        width = (len(palette.values) - 1).bit_length() if palette.values else palette.bits
        return Coding(count, zeros, width, True, bool(truncated), bool(fresh)), palette
    if kind > 5:
        raise FaultError(f"compressed weights, bit {bits.position}: coding {kind} of values is not there")
    return Coding(count, zeros, kind, False, bool(truncated), bool(fresh)), palette


@dataclass
class Column:
    """One of the two rows of numbers that chunks interleave: unary parts as they come, places of the remainders.

    Attributes:
        count: numbers in the slice.
        codes: unary words of every chunk, and the second words that tell 1 from 2.
        seen: numbers whose unary part has come, which may be more than there are.
        placed: numbers whose remainder has a place.
        starts, lengths: bit of each chunk's first remainder, and how many there are.
    """

    count: int
    codes: list[tuple[int, int]] = field(default_factory=list)
    seen: int = 0
    placed: int = 0
    waiting: int = 0
    starts: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)

    def place(self, bits: Bits, width: int) -> None:
        """Passes over the remainders of the chunk before."""
        count = min(self.waiting, self.count - self.placed)
        if count > 0:
            self.starts.append(bits.position)
            self.lengths.append(count)
            self.placed += count
            bits.position += count * width
            if bits.position > 8 * len(bits.content):
                raise FaultError(f"compressed weights end after {len(bits.content)} bytes, in the middle of a slice")
        self.waiting = 0

    def remainders(self, memory: np.ndarray, width: int) -> Ints:
        """All remainders, from the bits of the stream."""
        if not width or not self.placed:
            return np.zeros(self.placed, np.int64)
        lengths = np.array(self.lengths)
        firsts = np.cumsum(lengths) - lengths
        within = np.arange(self.placed) - np.repeat(firsts, lengths)
        starts = np.repeat(np.array(self.starts), lengths) + within * width
        found: Ints = (memory[starts[:, None] + np.arange(width)].astype(np.int64) << np.arange(width)).sum(axis=1)
        return found


def _slice(bits: Bits, memory: np.ndarray, coding: Coding, palette: Palette) -> Ints:
    values, runs = Column(coding.count), Column(coding.runs)
    while True:
        balance = values.seen - runs.seen if coding.zeros is not None else 0
        more_values = values.seen < coding.count and balance < 8
        more_runs = coding.zeros is not None and balance >= 0 and runs.seen < coding.runs
        first = bits.take(_WIDE) if more_values and not coding.fixed else 0
        new_runs = new_values = 0
        if more_runs:
            word = bits.take(coding.runs_width)
            runs.codes.append((word, 0))
            new_runs = coding.runs_width - word.bit_count()
        if more_values:
            second = bits.take(first.bit_count())
            values.codes.append((first, second))
            new_values = coding.width - (0 if coding.truncated else second.bit_count())
        values.seen += new_values
        runs.seen += new_runs
        values.place(bits, coding.bits)
        runs.place(bits, coding.zeros or 0)
        values.waiting, runs.waiting = new_values, new_runs
        if not more_values and not more_runs:
            break
    return _interleaved(values, runs, memory, coding, palette)


def _interleaved(values: Column, runs: Column, memory: np.ndarray, coding: Coding, palette: Palette) -> Ints:
    codes = (_value_quotients(values, coding) << coding.bits) + values.remainders(memory, coding.bits)
    if codes.size and codes.max() >= _MOST:
        raise FaultError(f"compressed weights have the value {int(codes.max())}, beyond nine bits")
    table = np.array([*palette.values, *range(palette.offset, palette.offset + _MOST)], np.int64)
    found = table[codes]
    weights: Ints = np.where(found & 1, -(found >> 1), found >> 1)
    if coding.zeros is None:
        return weights
    lengths = (_run_quotients(runs, coding) << coding.zeros) + runs.remainders(memory, coding.zeros)
    before = lengths if coding.first_run else np.concatenate([np.zeros(1, np.int64), lengths])
    places = np.cumsum(before[: coding.count]) + np.arange(coding.count)
    out = np.zeros(coding.count + int(lengths.sum()), np.int64)
    out[places] = weights
    return out


def _value_quotients(values: Column, coding: Coding) -> Ints:
    if coding.fixed:
        return np.zeros(coding.count, np.int64)
    words = np.array(values.codes, np.int64)
    ones = words[:, :1] >> np.arange(_WIDE) & 1
    rank = np.cumsum(ones, axis=1) - 1
    unary = (ones * (1 + (words[:, 1:] >> np.maximum(rank, 0) & 1))).ravel()
    if coding.truncated:
        first: Ints = unary[: coding.count]
        return first
    return _sums_up_to(unary, np.flatnonzero(unary < 2), coding.count)


def _run_quotients(runs: Column, coding: Coding) -> Ints:
    words = np.array([word for word, _ in runs.codes], np.int64)
    unary = (words[:, None] >> np.arange(coding.runs_width) & 1).ravel()
    return _sums_up_to(unary, np.flatnonzero(unary == 0), coding.runs)


def _sums_up_to(unary: Ints, ends: Ints, count: int) -> Ints:
    """The sum of the digits of each number, the last of which stands at its end."""
    if len(ends) < count:
        raise FaultError("compressed weights: a slice has fewer values than it says")
    sums = np.cumsum(unary)[ends[:count]]
    parts: Ints = np.diff(sums, prepend=0)
    return parts


@dataclass(frozen=True)
class WeightOrder:
    """What decides the order of weights in a stream.

    Attributes:
        ofm_depth, ifm_depth: channels that the stream has weights for; ifm_depth 1 where each has its own input.
        height, width: of the window.
        ofm_block: output channels of a block.
        ofm_ublock, ifm_ublock: channels of the smallest block.
        depthwise, part_first: kind of traversal; depth first where neither is.
        ifm_bits: 8 or 16.
        part: rows and columns of the largest part of a window computed at once.
    """

    ofm_depth: int
    ifm_depth: int
    height: int
    width: int
    ofm_block: int
    ofm_ublock: int
    ifm_ublock: int
    depthwise: bool
    part_first: bool
    ifm_bits: int
    part: tuple[int, int]

    @property
    def ifm_block(self) -> int:
        """Input channels of a block."""
        return 16 if self.part_first or self.ifm_bits == 16 else 32

    @property
    def rounding(self) -> int:
        """Elements of a part of the window are filled up to a multiple of this."""
        if self.depthwise:
            return 4
        if self.part_first:
            return 2 if self.ifm_bits == 16 else 4
        return 1


def arranged(stream: Ints, order: WeightOrder) -> Ints:
    """Weights [output channel, row, column, input channel] from the stream.

    Raises:
        FaultError: the stream has too few, or others than zeros behind them.
    """
    needed = sum(block.size for block in _blocks(order)) if _plausible(order, len(stream)) else len(stream) + 1
    if needed > len(stream):
        raise FaultError(
            f"{len(stream)} weights for {order.ofm_depth} x {order.height} x {order.width} x {order.ifm_depth}"
        )
    if stream[needed:].any():
        raise FaultError(f"{len(stream)} weights where {needed} are read")
    out = np.zeros((order.ofm_depth, order.height, order.width, order.ifm_depth), np.int64)
    at = 0
    for block in _blocks(order):
        values = stream[at : at + block.size].reshape(block.shape)
        at += block.size
        _put(out, values, block, order)
    return out


def _plausible(order: WeightOrder, available: int) -> bool:
    return order.ofm_depth * order.height * order.width * order.ifm_depth <= available


@dataclass(frozen=True)
class WeightBlock:
    """A part of the stream of one shape: [ofm ublock, element, ifm ublock, output channel, input channel]."""

    ofm: int
    ifm: int
    row: int
    column: int
    rows: int
    columns: int
    shape: tuple[int, int, int, int, int]

    @property
    def size(self) -> int:
        """Weights in it, those that fill it up included."""
        return int(np.prod(self.shape))


def _blocks(order: WeightOrder) -> Iterator[WeightBlock]:
    """In the order of the stream."""
    rows_at_once, columns_at_once = order.part
    for ofm in range(0, order.ofm_depth, order.ofm_block):
        ofm_count = -(-min(order.ofm_block, order.ofm_depth - ofm) // order.ofm_ublock)
        for ifm in range(0, 1 if order.depthwise else order.ifm_depth, order.ifm_block):
            clipped = min(order.ifm_block, order.ifm_depth - ifm) if order.part_first else order.ifm_block
            steps = range(0, clipped, order.ifm_ublock)
            for row in range(0, order.height, rows_at_once):
                rows = min(order.height - row, rows_at_once)
                for column in range(0, order.width, columns_at_once):
                    columns = min(order.width - column, columns_at_once)
                    elements = -(-rows * columns // order.rounding) * order.rounding
                    lanes = 1 if order.depthwise else order.ifm_ublock
                    inner = len(steps) if not (order.part_first or order.depthwise) else 1
                    shape = (ofm_count, elements, inner, order.ofm_ublock, lanes)
                    for start in steps if order.part_first else (0,):
                        yield WeightBlock(ofm, ifm + start, row, column, rows, columns, shape)


def _put(out: Ints, values: Ints, block: WeightBlock, order: WeightOrder) -> None:
    ofm_ublocks, _, inner, ofm_lanes, ifm_lanes = block.shape
    used = values[:, : block.rows * block.columns]
    # -> [output channel, element of the window, input channel]
    flat = used.transpose(0, 3, 1, 2, 4).reshape(ofm_ublocks * ofm_lanes, block.rows, block.columns, inner * ifm_lanes)
    ofm = min(ofm_ublocks * ofm_lanes, order.ofm_block, order.ofm_depth - block.ofm)
    ifm = min(inner * ifm_lanes, order.ifm_depth - block.ifm)
    rows = slice(block.row, block.row + block.rows)
    columns = slice(block.column, block.column + block.columns)
    out[block.ofm : block.ofm + ofm, rows, columns, block.ifm : block.ifm + ifm] = flat[:ofm, :, :, :ifm]
