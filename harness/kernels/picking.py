"""Operators that copy what indices or tables pick, or to where they say."""

from __future__ import annotations

from math import prod

import numpy as np

from harness.ir.operators import OPERATORS
from harness.ir.operators.dynamic_update_slice import MOST_DIMENSIONS
from harness.ir.operators.embedding_lookup import HYBRID
from harness.ir.operators.gather import GatherAttrs
from harness.ir.operators.resize_bilinear import float_places, integer_places
from harness.ir.operators.resize_nearest import ResizeAttrs, pixels
from harness.kernels.base import Argument, Call, ConstantTable, Float, In, Kernel, Lowered, Out, packed
from harness.kernels.context import Context
from harness.kernels.work import Work
from harness.quantization.types import DType

_BYTES = "uint8_t"


class GatherPortable(Kernel):
    """GATHER along any axis, of constant indices or those of run time."""

    ops = frozenset({"GATHER"})
    types = OPERATORS["GATHER"].types

    def lower(self, context: Context) -> Lowered:
        attrs, x = context.node.attrs, context.input()
        assert isinstance(attrs, GatherAttrs)
        axis, batch = attrs.axis, attrs.batch
        batches = prod(x.shape[:batch])
        shape = {
            "batches": batches,
            "rows": prod(x.shape[batch:axis]),
            "size": x.shape[axis],
            "picked": context.input(1).elements // batches,
            "bytes": prod(x.shape[axis + 1 :]) * x.dtype.size,
        }
        arguments = (In(0, _BYTES), In(1, _BYTES), Out(ctype=_BYTES))
        return Lowered("gather_portable", (Call("gather_portable", arguments, shape),))

    def work(self, context: Context) -> Work:
        return _copied(self.lower(context).calls[0].shape["bytes"], context)


class GatherNdPortable(Kernel):
    """GATHER_ND, of constant indices or those of run time."""

    ops = frozenset({"GATHER_ND"})
    types = OPERATORS["GATHER_ND"].types

    def lower(self, context: Context) -> Lowered:
        x, indices = context.input(), context.input(1)
        depth = indices.shape[-1]
        shape = {
            "picked": indices.elements // depth,
            "depth": depth,
            "bytes": prod(x.shape[depth:]) * x.dtype.size,
        }
        shape |= {f"n{i}": n for i, n in enumerate((*x.shape[:depth], *(1,) * (5 - depth)))}
        arguments = (In(0, _BYTES), In(1, _BYTES), Out(ctype=_BYTES))
        return Lowered("gather_nd_portable", (Call("gather_nd_portable", arguments, shape),))

    def work(self, context: Context) -> Work:
        return _copied(self.lower(context).calls[0].shape["bytes"], context)


class EmbeddingLookupPortable(Kernel):
    """EMBEDDING_LOOKUP, whose rows are copied as GATHER's."""

    ops = frozenset({"EMBEDDING_LOOKUP"})
    types = tuple(types for types in OPERATORS["EMBEDDING_LOOKUP"].types if types != HYBRID)

    def lower(self, context: Context) -> Lowered:
        table = context.input()
        row = prod(table.shape[1:]) * table.dtype.size
        shape = {"batches": 1, "rows": 1, "size": table.shape[0], "picked": context.input(1).elements, "bytes": row}
        arguments = (In(0, _BYTES), In(1, _BYTES), Out(ctype=_BYTES))
        return Lowered("gather_portable", (Call("gather_portable", arguments, shape),))

    def work(self, context: Context) -> Work:
        return _copied(self.lower(context).calls[0].shape["bytes"], context)


class EmbeddingLookupHybridPortable(Kernel):
    """EMBEDDING_LOOKUP of an int8 table into float32."""

    ops = frozenset({"EMBEDDING_LOOKUP"})
    types = (HYBRID,)

    def lower(self, context: Context) -> Lowered:
        table, picked = context.input(), context.input(1).elements
        shape = {"rows": table.shape[0], "columns": prod(table.shape[1:]), "picked": picked}
        arguments = (In(0), In(1, _BYTES), Out(ctype=_BYTES), Float(float(np.float32(table.q.scale))))
        return Lowered("embedding_lookup_portable", (Call("embedding_lookup_portable", arguments, shape),))

    def work(self, context: Context) -> Work:
        return Work({"row": context.input(1).elements, "element": context.output().elements})


class DynamicUpdateSlicePortable(Kernel):
    """DYNAMIC_UPDATE_SLICE of up to six dimensions."""

    ops = frozenset({"DYNAMIC_UPDATE_SLICE"})
    types = OPERATORS["DYNAMIC_UPDATE_SLICE"].types

    def lower(self, context: Context) -> Lowered:
        x, update = context.input(), context.input(1)
        missing = (1,) * (MOST_DIMENSIONS - len(x.shape))
        shape = {f"n{i}": n for i, n in enumerate((*missing, *x.shape))}
        shape |= {f"u{i}": n for i, n in enumerate((*missing, *update.shape))}
        wide = context.input(2).dtype is DType.INT64
        shape |= {"dimensions": len(x.shape), "size": x.dtype.size, "wide": int(wide)}
        arguments = (In(0, _BYTES), In(1, _BYTES), In(2, _BYTES), Out(ctype=_BYTES))
        return Lowered("dynamic_update_slice_portable", (Call("dynamic_update_slice_portable", arguments, shape),))

    def work(self, context: Context) -> Work:
        x, update = context.input(), context.input(1)
        runs = update.elements // update.shape[-1] if update.shape else 1
        return Work({"run": runs, "byte": (x.elements + update.elements) * x.dtype.size})


class ResizeNearestPortable(Kernel):
    """RESIZE_NEAREST_NEIGHBOR by tables of rows and columns."""

    ops = frozenset({"RESIZE_NEAREST_NEIGHBOR"})
    types = OPERATORS["RESIZE_NEAREST_NEIGHBOR"].types

    def lower(self, context: Context) -> Lowered:
        attrs, x, y = context.node.attrs, context.input(), context.output()
        assert isinstance(attrs, ResizeAttrs)
        rows, columns = pixels(x, y, attrs)
        shape = {"batches": x.shape[0], "in_h": x.shape[1], "in_w": x.shape[2]}
        shape |= {"out_h": y.shape[1], "out_w": y.shape[2], "bytes": x.shape[3] * x.dtype.size}
        named = (("rows", rows), ("columns", columns))
        tables: list[Argument] = [ConstantTable(name, "int16_t", packed(v, "int16")) for name, v in named]
        arguments = (In(ctype=_BYTES), *tables, Out(ctype=_BYTES))
        return Lowered("resize_nearest_portable", (Call("resize_nearest_portable", arguments, shape),))

    def work(self, context: Context) -> Work:
        return _copied(context.input().shape[3] * context.input().dtype.size, context)


class ResizeBilinearPortable(Kernel):
    """RESIZE_BILINEAR by tables of rows and columns."""

    ops = frozenset({"RESIZE_BILINEAR"})
    types = OPERATORS["RESIZE_BILINEAR"].types

    def lower(self, context: Context) -> Lowered:
        attrs, x, y = context.node.attrs, context.input(), context.output()
        assert isinstance(attrs, ResizeAttrs)
        floats = x.dtype is DType.FLOAT32
        axes = [(float_places if floats else integer_places)(x.shape[i], y.shape[i], attrs) for i in (1, 2)]
        shape = {"batches": x.shape[0], "in_h": x.shape[1], "in_w": x.shape[2]}
        shape |= {"out_h": y.shape[1], "out_w": y.shape[2], "channels": x.shape[3], "is_float": int(floats)}
        tables: list[Argument] = []
        for name, axis in zip(("rows", "columns"), axes, strict=True):
            share = np.zeros_like(axis.low) if floats else axis.far
            tables.append(ConstantTable(name, "int16_t", packed(np.stack([axis.low, axis.high, share], 1), "int16")))
        shares = np.concatenate([axis.far for axis in axes]) if floats else np.zeros(1)
        tables.append(ConstantTable("shares", "float", packed(shares, "float32")))
        call = Call("resize_bilinear_portable", (In(ctype=_BYTES), *tables, Out(ctype=_BYTES)), shape)
        return Lowered("resize_bilinear_portable", (call,))

    def work(self, context: Context) -> Work:
        y = context.output()
        return Work({"pixel": y.elements // y.shape[3], "element": y.elements})


def _copied(size: int, context: Context) -> Work:
    """The output is copied in runs of `size` bytes."""
    bytes_out = int(np.prod(context.output().shape, dtype=np.int64)) * context.output().dtype.size
    return Work({"run": bytes_out // size, "byte": bytes_out})


KERNELS: tuple[Kernel, ...] = (
    GatherPortable(),
    GatherNdPortable(),
    EmbeddingLookupPortable(),
    EmbeddingLookupHybridPortable(),
    DynamicUpdateSlicePortable(),
    ResizeNearestPortable(),
    ResizeBilinearPortable(),
)
