"""A kernel for a layer, with its expected cost and its use of memory; and the kernels that a layer can have."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from harness.compiler.cost.model import Cost, cost_of, is_known
from harness.compiler.memory.lifetimes import MemoryUse
from harness.compiler.memory.overlap import Overlap, overlap_of
from harness.compiler.plan import KernelUse, LayerCode
from harness.errors import CompileError
from harness.ir.graph import Node
from harness.ir.operators import operator_of
from harness.kernels.access_order import AccessOrder
from harness.kernels.base import Argument, ConstantTable, In, Kernel, Lowered
from harness.kernels.context import Context
from harness.kernels.discovery import all_kernels


@dataclass(frozen=True, eq=False)
class KernelChoice:
    """A kernel for a layer.

    Attributes:
        context: the layer.
        kernel: one that applies to it.
    """

    context: Context
    kernel: Kernel

    @cached_property
    def cost(self) -> Cost:
        """The expected cost."""
        return cost_of(self.kernel, self.context)

    @property
    def node(self) -> Node:
        """The node."""
        return self.context.node

    @property
    def step(self) -> LayerCode:
        """The layer's code, for the plan."""
        return LayerCode((self.node,), (KernelUse(self.kernel, self.context),), self.node.inputs, self.lowered)

    @property
    def time(self) -> float:
        """Expected modelled cycles."""
        return self.cost.cycles

    @cached_property
    def constant_bytes(self) -> int:
        """Bytes of the tables that its calls read."""
        tables = (a for call in self.lowered.calls for a in call.arguments if isinstance(a, ConstantTable))
        return sum(table.data.nbytes for table in tables)

    @cached_property
    def lowered(self) -> Lowered:
        """The kernel's calls; constant inputs that it left as inputs are tables."""
        return self.with_constants(self.kernel.lower(self.context))

    def with_constants(self, lowered: Lowered) -> Lowered:
        """Calls whose constant inputs are tables."""
        calls = (replace(call, arguments=tuple(map(self._constant, call.arguments))) for call in lowered.calls)
        return replace(lowered, calls=tuple(calls))

    def _constant(self, argument: Argument) -> Argument:
        data = self.context.input(argument.index).data if isinstance(argument, In) else None
        if data is None or not isinstance(argument, In):
            return argument
        kind = "float32" if argument.ctype == "float" else argument.ctype.removesuffix("_t")
        raw = np.ascontiguousarray(data).reshape(-1).view(kind)
        align = data.itemsize if data.itemsize > raw.itemsize else 0  # read as what it is, whatever the pointer's type
        return ConstantTable(f"input_{argument.index}", argument.ctype, raw, align)

    @property
    def scratch(self) -> tuple[int, ...]:
        """Bytes of each buffer that exists while the layer runs."""
        return (self.cost.scratch,) if self.cost.scratch else ()

    @cached_property
    def order(self) -> AccessOrder | None:
        """In which order the kernel reads and writes; None where it declares none."""
        return self.kernel.access_order(self.context)

    @cached_property
    def overlaps(self) -> dict[tuple[int, int], Overlap]:
        """(tensor written, tensor read) -> how they may share bytes; empty if the kernel declares no access order."""
        node = self.context.node
        order = self.order
        if order is None or len(node.outputs) != 1:
            return {}
        found: dict[tuple[int, int], Overlap] = {}
        for position, reads in order.reads.items():
            pair = (node.outputs[0], node.inputs[position])
            overlap = overlap_of(reads, order.writes, order.pitch)
            found[pair] = found[pair].both(overlap) if pair in found else overlap
        return found

    @property
    def memory_use(self) -> MemoryUse:
        """The memory that the layer reads, writes and needs."""
        node = self.context.node
        return MemoryUse(node.inputs, node.outputs, self.scratch, self.overlaps, node.attrs.blocks)


def applicable(context: Context) -> list[Kernel]:
    """Kernels that compute the context's node on its core, in the order in which they were found."""
    node, features = context.node, context.target.features
    types = operator_of(node).types_of(context.graph, node)
    return [
        kernel
        for kernel in all_kernels()
        if node.op in kernel.ops
        and node.rounding in kernel.roundings
        and kernel.takes(types)
        and kernel.runs_on(features)
        and kernel.applies(context)
    ]


def candidates(context: Context, prefer: Collection[str] = ()) -> list[Kernel]:
    """Kernels that compute the context's node on its core, cheapest first: those of `choices`."""
    return [choice.kernel for choice in choices(context, prefer)]


def choices(context: Context, prefer: Collection[str] = ()) -> list[KernelChoice]:
    """The kernels that compute the context's node on its core, cheapest first.

    A kernel without cost coefficients on the core is among them only where it is preferred or no kernel with some
    applies: its cost there is not known.

    Args:
        context: the node.
        prefer: class names of kernels that come first wherever they apply, whatever they cost.

    Raises:
        CompileError: no kernel applies.
    """
    node = context.node
    found = [KernelChoice(context, kernel) for kernel in applicable(context)]
    if not found:
        read = ", ".join(context.graph.tensors[t].dtype.value for t in node.inputs if t >= 0)
        raise CompileError(
            f"no kernel computes {node.op} of {read}", hint="quantize the model fully to int8 activations"
        )
    preferred = {choice for choice in found if type(choice.kernel).__name__ in prefer}
    known = [choice for choice in found if choice in preferred or is_known(choice.cost, context.target.core)]
    # Of kernels whose costs are not known, those made for the core's features come first.
    return sorted(known or found, key=lambda c: (c not in preferred, c.cost.cycles, -len(c.kernel.features)))
