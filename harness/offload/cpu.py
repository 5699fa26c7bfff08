"""What tinyhil's own code costs on the CPU, by its kernels' cost models: a model alone, or what an NPU leaves of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.compiler.compile import compile_graph
from harness.compiler.cost.estimate import estimate_costs
from harness.compiler.cost.model import BASES
from harness.compiler.emit.package import emit
from harness.errors import TinyhilError
from harness.ethosu.payload import CUSTOM_CODE
from harness.hardware.target import Target
from harness.ir.graph import Graph

CORE = "cortex-m55"
"""The core beside an Ethos-U55 or U65."""


@dataclass(frozen=True)
class CpuCost:
    """What a layer costs on the CPU, and the operators of the file that it computes together."""

    instructions: float
    cycles: float
    sources: tuple[int, ...]


@dataclass(frozen=True)
class CpuEstimate:
    """A model on the CPU: expected, not run. Operators of the NPU are not counted.

    Attributes:
        core: which one.
        instructions, cycles: of an inference; cycles are modelled.
        layers: cost by the number of the last operator in the file that the layer computes.
        free: numbers of the other operators: computed along with those, or removed.
        basis: that of the least certain layer: fitted to profiles, or less.
        arena, constants: bytes.
    """

    core: str
    instructions: int
    cycles: int
    layers: Mapping[int, CpuCost]
    free: frozenset[int]
    basis: str
    arena: int
    constants: int

    def cost_of(self, number: int) -> CpuCost | None:
        """Of an operator; nothing where another is computed along with it or it needs no code, None if unknown."""
        return self.layers.get(number, CpuCost(0, 0, ()) if number in self.free else None)


def estimate(graph: Graph) -> CpuEstimate | str:
    """The estimate; or why there is none."""
    try:
        plan = compile_graph(graph, core=Target(CORE))
        constants = emit(plan).constant_bytes
    except TinyhilError as error:
        return error.message
    costs = [cost for layer, cost in zip(plan.layers, estimate_costs(plan), strict=True) if layer.op != CUSTOM_CODE]
    computed = [layer for layer in plan.layers if layer.op != CUSTOM_CODE]
    layers: dict[int, CpuCost] = {}
    for layer, cost in zip(computed, costs, strict=True):
        key = max(layer.sources, default=-1)
        before = layers.get(key, CpuCost(0, 0, ()))
        sources = tuple(dict.fromkeys((*before.sources, *layer.sources)))
        layers[key] = CpuCost(before.instructions + cost.instructions, before.cycles + cost.cycles, sources)
    basis = max((cost.basis for cost in costs), key=BASES.index, default=BASES[0])
    instructions, cycles = (sum(cost.instructions for cost in costs), sum(cost.cycles for cost in costs))
    others = {number for cost in layers.values() for number in cost.sources} | {number for number, *_ in plan.removed}
    free = frozenset(others - layers.keys())
    return CpuEstimate(CORE, round(instructions), round(cycles), layers, free, basis, plan.arena_size, constants)
