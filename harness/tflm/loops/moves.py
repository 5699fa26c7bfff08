"""Operators that only move bytes: their loops copy and fill, by the C library's memcpy and memset or with Helium."""

from __future__ import annotations

from math import prod

import numpy as np

from harness.tflm.layer import SIZES, Shape, TflmLayer
from harness.tflm.loops.base import VECTOR, WORD, Counts, Loops, added, ceiling, copy, fill, scaled

_FULL_RANK = 4
_CYCLE = 4
"""Calls after which the places of copies within a word are the same again, at the latest."""


def _size(kind: str) -> int:
    return SIZES.get(kind, 1)


def reshape(layer: TflmLayer, mve: bool) -> Loops:
    """RESHAPE and its like: a copy, of whole words."""
    dimensions = len(layer.input(0)) + len(layer.output)
    return Loops("copy", {"layer": 1, "dimension": dimensions, **copy(prod(layer.input(0)) * _size(layer.types[0]))})


def concatenation(layer: TflmLayer, mve: bool) -> Loops:
    """CONCATENATION: the inputs' runs along the axis in turn."""
    size = _size(layer.types[0])
    outer = prod(layer.output[: layer.axis])
    runs = [prod(shape or ()) // max(outer, 1) * size for shape in layer.inputs]
    target, parts = 0, []
    for run in runs:
        parts.append(_run_of_copies(outer, run, target, sum(runs), run))
        target += run
    return Loops("copy", {"layer": 1, "input": len(runs), "run": outer * len(runs)} | added(parts))


def _run_of_copies(times: int, size: int, target: int, target_step: int, source_step: int) -> Counts:
    """So many copies, of which each begins the steps further."""
    if times <= 0:
        return {}
    cycle = min(times, _CYCLE)
    found = []
    for i in range(cycle):
        many = times // cycle + (i < times % cycle)
        place = (target + i * target_step) % WORD, i * source_step % WORD
        found.append(scaled(copy(size, *place), many))
    return added(found)


def _run_of_fills(times: int, size: int, target: int, step: int) -> Counts:
    if times <= 0:
        return {}
    cycle = min(times, _CYCLE)
    return added(
        scaled(fill(size, (target + i * step) % WORD), times // cycle + (i < times % cycle)) for i in range(cycle)
    )


def pad(layer: TflmLayer, mve: bool) -> Loops | None:
    """PAD: of int8 rows are copied and borders filled; of other types each element for itself."""
    size, out = layer.input(0), layer.output
    fits = len(size) == len(out) <= _FULL_RANK and layer.numbers and len(layer.numbers[0]) == 2 * len(size)
    if not size or not fits or min(layer.numbers[0]) < 0:
        return None
    more = _FULL_RANK - len(size)
    before = (0,) * more + layer.numbers[0][0::2]
    behind = (0,) * more + layer.numbers[0][1::2]
    size, out = (1,) * more + size, (1,) * more + out
    if layer.types[0] != "int8":
        return Loops(layer.types[0], {"layer": 1, "inside": prod(size), "outside": prod(out) - prod(size)})
    deep = before[3] + behind[3] > 0
    return Loops("channels" if deep else "rows", (_pad_vectors if mve else _pad_bytes)(size, out, before, behind, deep))


def _pad_vectors(size: Shape, out: Shape, before: Shape, behind: Shape, deep: bool) -> Counts:
    batches, lines, columns, depth = size

    def filled(bytes_: int) -> int:
        return ceiling(bytes_, VECTOR)

    rows = batches * lines
    fills = filled(before[0] * prod(out[1:])) + filled(behind[0] * prod(out[1:]))
    fills += batches * (filled(before[1] * out[2] * out[3]) + filled(behind[1] * out[2] * out[3]))
    fills += rows * (filled(before[2] * out[3]) + filled(behind[2] * out[3]))
    fills += rows * columns * (filled(before[3]) + filled(behind[3])) if deep else 0
    copies = rows * columns * filled(depth) if deep else rows * filled(columns * depth)
    return {"layer": 1, "row": rows, "pixel": rows * columns * deep, "filled": fills, "copied": copies}


def _pad_bytes(size: Shape, out: Shape, before: Shape, behind: Shape, deep: bool) -> Counts:
    batches, lines, columns, depth = size
    rows, line = batches * lines, out[2] * out[3]
    first = before[1] * line + before[2] * out[3]
    parts: list[Counts] = [
        _run_of_fills(1, before[0] * prod(out[1:]), 0, 0),
        _run_of_fills(1, behind[0] * prod(out[1:]), 0, 0),
        _run_of_fills(batches, before[1] * line, 0, prod(out[1:])),
        _run_of_fills(batches, behind[1] * line, (before[1] + lines) * line, prod(out[1:])),
        _run_of_fills(rows, before[2] * out[3], before[1] * line, line),
        _run_of_fills(rows, behind[2] * out[3], first + columns * out[3], line),
    ]
    if not deep:
        run = columns * depth
        parts.append(_run_of_copies(rows, run, first, line, run))
        return {"layer": 1, "row": rows} | added(parts)
    pixels = rows * columns
    parts += [
        _run_of_fills(pixels, before[3], first, out[3]),
        _run_of_copies(pixels, depth, first + before[3], out[3], depth),
        _run_of_fills(pixels, behind[3], first + before[3] + depth, out[3]),
    ]
    return {"layer": 1, "row": rows, "pixel": pixels} | added(parts)


def strided_slice(layer: TflmLayer, mve: bool) -> Loops | None:
    """STRIDED_SLICE: each element for itself, in loops over the dimensions."""
    if len(layer.numbers) != 3 or len(layer.masks) != 5 or len({len(one) for one in layer.numbers}) > 1:
        return Loops(f"{layer.types[0]}, unknown", {"layer": 1, "element": layer.elements})
    begin, end, step = layer.numbers
    taken = []
    for axis, size in enumerate(layer.input(0)):
        if axis >= len(begin) or layer.masks[4] >> axis & 1:
            taken.append(1 if axis < len(begin) else size)
            continue
        start = None if layer.masks[0] >> axis & 1 else begin[axis]
        stop = None if layer.masks[1] >> axis & 1 else end[axis]
        taken.append(len(range(*slice(start, stop, step[axis] or 1).indices(size))))
    kernel = layer.types[0] if not step or step[-1] == 1 else f"{layer.types[0]} strided"
    return Loops(
        kernel,
        {"layer": 1, "run": prod(taken[:-1]), "element": prod(taken), "plane": prod(taken[:-2])},
    )


def transpose(layer: TflmLayer, mve: bool) -> Loops | None:
    """TRANSPOSE: along the input's runs, or with Helium by columns where only the last two axes change places."""
    shape = layer.input(0)
    if not layer.numbers or not shape or len(layer.numbers[0]) != len(shape):
        return None
    order, kind = layer.numbers[0], layer.types[0]
    if kind != "int8" or not 1 < len(shape) <= _FULL_RANK:
        return Loops(f"{kind} of rank {len(shape)}", {"layer": 1, "element": prod(shape)})
    last, runs = shape[-1], prod(shape[:-1])
    flat = len(shape) == 2
    if flat or (mve and len(shape) == _FULL_RANK and order[:2] == (0, 1)):
        counts: Counts = {"layer": 1, "plane": prod(shape[:-2]), "run": runs, "element": runs * last}
        if mve:
            columns = prod(shape[:-2]) * last
            counts = {"layer": 1, "plane": prod(shape[:-2]), "column": columns}
            counts["column vector"] = columns * ceiling(shape[-2], VECTOR // 2)
        return Loops("int8 planes", counts)
    return Loops("int8", {"layer": 1, "plane": prod(shape[:-2]), "run": runs, "element": runs * last})


def split(layer: TflmLayer, mve: bool) -> Loops | None:
    """SPLIT and SPLIT_V: bytes of each run along the axis, which shapes tell, go to the outputs in turn."""
    shape = layer.input(1) if layer.op == "SPLIT" else layer.input(0)
    if not layer.outputs or any(len(part) != len(shape) for part in layer.outputs):
        return None
    axis = next((at for at, (n, m) in enumerate(zip(shape, layer.output, strict=True)) if n != m), 0)
    runs = prod(shape[:axis]) * len(layer.outputs)
    return Loops(layer.types[2], {"layer": 1, "output": len(layer.outputs), "run": runs, "element": prod(shape)})


def pack(layer: TflmLayer, mve: bool) -> Loops:
    """PACK and UNPACK: bytes from one to many, or from many to one."""
    counts = {"layer": 1, "tensor": max(len(layer.outputs), len(layer.inputs))}
    return Loops(layer.types[2], counts | {"element": sum(prod(shape) for shape in layer.outputs)})


def resize(layer: TflmLayer, mve: bool) -> Loops | None:
    """RESIZE_NEAREST_NEIGHBOR, which copies a pixel at a time, and RESIZE_BILINEAR."""
    if len(layer.output) != 4 or len(layer.input(0)) != 4:
        return None
    batches, lines, columns, depth = layer.output
    pixels = batches * lines * columns
    counts: Counts = {"layer": 1, "line": batches * lines, "pixel": pixels}
    if layer.op != "RESIZE_NEAREST_NEIGHBOR":
        return Loops(layer.types[0], counts | {"element": pixels * depth})
    size, (_, height, width, _) = depth * _size(layer.types[0]), layer.input(0)
    rows, from_rows = np.arange(lines), np.arange(lines) * height // lines
    from_columns = np.arange(columns) * width // columns
    target = (rows[:, None] * columns + np.arange(columns)) * size % WORD
    source = (from_rows[:, None] * width + from_columns) * size % WORD
    places, times = np.unique(target * WORD + source, return_counts=True)
    parts = [scaled(copy(size, *divmod(int(at), WORD)), int(n) * batches) for at, n in zip(places, times, strict=True)]
    return Loops("copy", counts | added(parts))


def variable(layer: TflmLayer, mve: bool) -> Loops:
    """READ_VARIABLE and ASSIGN_VARIABLE: a copy."""
    shape = layer.output if layer.outputs else layer.input(1)
    return Loops("copy", {"layer": 1, **copy(prod(shape) * _size(layer.types[2] or layer.types[1]))})


def nothing(layer: TflmLayer, mve: bool) -> Loops:
    """VAR_HANDLE, CALL_ONCE, SHAPE: about the same whatever the shapes."""
    return Loops("alike", {"layer": 1, "dimension": len(layer.input(0))})
