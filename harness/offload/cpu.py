"""What tinyhil's own code costs on the CPU: a model alone, or what an NPU leaves of it; by cost models, or by a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.compiler.compile import compile_graph
from harness.compiler.cost.estimate import estimate_costs
from harness.compiler.cost.model import BASES
from harness.compiler.emit.package import Package, emit
from harness.errors import Category, TinyhilError
from harness.ethosu.payload import CUSTOM_CODE
from harness.hardware.target import Target
from harness.ir.graph import Graph
from harness.quantization.types import Array

if TYPE_CHECKING:
    from harness.build.progress import Progress

CORE = "cortex-m55"
"""The core beside an Ethos-U55 or U65."""

BOARD = "mps3-an547"
"""The emulated board with this core."""


@dataclass(frozen=True)
class CpuCost:
    """What a layer costs on the CPU, and the operators of the file that it computes together."""

    instructions: float
    cycles: float
    sources: tuple[int, ...]


@dataclass(frozen=True)
class CpuEstimate:
    """What a model costs on the CPU. Operators of the NPU are not counted.

    Attributes:
        core: which one.
        basis: how it is known: by the kernels' cost models, or by running it.
        measured: whether instructions are those of a run; cycles are modelled in any case.
        instructions, cycles: of an inference.
        layers: cost by the number of the last operator in the file that the layer computes.
        free: numbers of the other operators: computed along with those, or removed.
        arena, constants: bytes.
    """

    core: str
    basis: str
    measured: bool
    instructions: int
    cycles: int
    layers: Mapping[int, CpuCost]
    free: frozenset[int]
    arena: int
    constants: int

    def cost_of(self, number: int) -> CpuCost | None:
        """Of an operator; nothing where another is computed along with it or it needs no code, None if unknown."""
        return self.layers.get(number, CpuCost(0, 0, ()) if number in self.free else None)


def estimate(graph: Graph) -> CpuEstimate | str:
    """What is expected, without running it; or why that is not known."""
    try:
        package = emit(compile_graph(graph, core=Target(CORE)))
    except TinyhilError as error:
        return error.message
    costs = estimate_costs(package.plan)
    own = [cost for layer, cost in zip(package.plan.layers, costs, strict=True) if layer.op != CUSTOM_CODE]
    basis = max((cost.basis for cost in own), key=BASES.index, default=BASES[0])
    figures = [(cost.instructions, cost.cycles) for cost in costs]
    return _summed(package, figures, f"estimated by cost models, {basis}", measured=False)


def measure(graph: Graph, inputs: Sequence[Array], tell: Progress) -> CpuEstimate | str:
    """What a run on the emulated board takes, whose NPU is the simulator; or why the model cannot be run there.

    Raises:
        TinyhilError: a tool is missing, or failed.
    """
    from harness.cycles.predict import predict
    from harness.cycles.record import observable
    from harness.cycles.targets import target_of_run
    from harness.hardware.placement import assign_regions

    resolved = observable(BOARD)
    placed = assign_regions(resolved.asked, {})
    try:
        package = emit(compile_graph(graph, core=target_of_run(resolved, placed)))
    except TinyhilError as error:
        return error.message
    try:
        found = predict(resolved, package, inputs, placement=placed, progress=tell)
    except TinyhilError as error:
        if error.category in (Category.TOOL, Category.INFRASTRUCTURE):
            raise
        return error.message
    figures = [(float(layer.instructions.value), float(layer.cycles.value)) for layer in found.estimate.layers]
    return _summed(package, figures, f"run on {BOARD} under QEMU, cycles modelled", measured=True)


def _summed(package: Package, figures: Sequence[tuple[float, float]], basis: str, *, measured: bool) -> CpuEstimate:
    """The layers' (instructions, cycles) by operators of the file, those of the NPU left out."""
    plan = package.plan
    counted = [(layer, cost) for layer, cost in zip(plan.layers, figures, strict=True) if layer.op != CUSTOM_CODE]
    layers: dict[int, CpuCost] = {}
    for layer, (instructions, cycles) in counted:
        key = max(layer.sources, default=-1)
        before = layers.get(key, CpuCost(0, 0, ()))
        sources = tuple(dict.fromkeys((*before.sources, *layer.sources)))
        layers[key] = CpuCost(before.instructions + instructions, before.cycles + cycles, sources)
    others = {number for cost in layers.values() for number in cost.sources} | {number for number, *_ in plan.removed}
    return CpuEstimate(
        CORE,
        basis,
        measured,
        round(sum(cost.instructions for cost in layers.values())),
        round(sum(cost.cycles for cost in layers.values())),
        layers,
        frozenset(others - layers.keys()),
        plan.arena_size,
        package.constant_bytes,
    )
