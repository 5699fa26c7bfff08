"""A run of a program that takes model files, as a measurement: its operators are the layers of the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.build.image import Image
from harness.compiler.emit.manifest import manifest
from harness.compiler.emit.package import Package
from harness.compiler.emit.wrappers.wrapper import Facts
from harness.compiler.goals import Goals
from harness.compiler.names import identifier, word
from harness.compiler.plan import ArenaPlacement, Layer, LayerCode, Plan
from harness.elf.sizes import SectionSizes, Sizes
from harness.ir.graph import Graph, Node
from harness.kernels.base import Lowered
from harness.kernels.macs import macs
from harness.validate.measurement import Measurement
from harness.version import __version__

if TYPE_CHECKING:
    from harness.hardware.board import Board
    from harness.runtimes import ProgramRun

LINK = "memory"
"""Instead of a link: inputs and outputs are put into the emulated memory and read there."""


@dataclass(frozen=True, eq=False)
class ProgramResult:
    """What a run of generated C has, of a program: package without files, image of the program, measurement."""

    package: Package
    image: Image
    measurement: Measurement


def program_result(run: ProgramRun, graph: Graph, board: Board, name: str, seconds: float) -> ProgramResult:
    """A run as a result.

    Args:
        run: of the program.
        graph: the model as imported.
        board: it ran on.
        name: of the model.
        seconds: wall-clock seconds of the run.
    """
    plan = _plan(run, graph, board.core, identifier(name))
    whole = len(run.operators) == len(plan.layers)
    return ProgramResult(
        _package(plan, run),
        _image(run, plan, board),
        Measurement(
            outputs=run.outputs,
            layer_outputs=None,
            fetched=0,
            unit=run.unit,
            total=run.total,
            layer_ticks=run.operators if whole else None,
            stack_high=run.stack or 0,
            arena_size=run.arena,
            arena_high=run.arena,
            arena_untouched=0,
            arena_overrun=0,
            reads_unwritten=False,
            seconds={"vectors": seconds},
            device=None,
        ),
    )


def _plan(run: ProgramRun, graph: Graph, core: str, name: str) -> Plan:
    """The operators of the model file as layers, in one piece of arena."""
    nodes = {node.sources[-1]: node for node in graph.nodes if node.sources}
    layers = tuple(_layer(graph, index, op, nodes.get(index)) for index, op in enumerate(graph.source_ops))
    arena = ArenaPlacement("what TFLM used", None, None, 0, run.arena, -1, len(layers))
    return Plan(
        name=name,
        core=core,
        graph=graph,
        layers=layers,
        steps=tuple(_step(nodes.get(index)) for index in range(len(layers))),
        placements=(arena,),
        arena_size=run.arena,
        arena_align=16,
        arena_bound=run.arena,
        liveness_bound=run.arena,
        goals=Goals(),
        macs_of_file=sum(layer.macs for layer in layers),
    )


def _layer(graph: Graph, index: int, op: str, node: Node | None) -> Layer:
    return Layer(
        index=index,
        name=f"{word(op)}_{index:02d}",
        op=op,
        kernel="TFLM",
        outputs=() if node is None else node.outputs,
        macs=0 if node is None else macs(graph, node),
        scratch=0,
        sources=(index,),
    )


def _step(node: Node | None) -> LayerCode:
    return LayerCode(
        nodes=() if node is None else (node,),
        parts=(),
        reads=() if node is None else node.inputs,
        lowered=Lowered("TFLM", ()),
    )


def _package(plan: Plan, run: ProgramRun) -> Package:
    graph = plan.graph
    facts = Facts(
        name=plan.name,
        upper=plan.name.upper(),
        version=__version__,
        sha256=graph.sha256,
        core=plan.core,
        needs=(),
        assembly=False,
        folder="",
        sources=(),
        headers=(),
        inputs=len(graph.inputs),
        outputs=len(graph.outputs),
        summary=f"Neural network {plan.name} in {run.title}",
    )
    return Package(
        plan=plan,
        files={},
        sources=(),
        glue="",
        manifest=manifest(plan),
        constant_bytes=len(graph.model),
        shared=(),
        archives={},
        facts=facts,
    )


def _image(run: ProgramRun, plan: Plan, board: Board) -> Image:
    groups = {"model": SectionSizes(rodata=len(plan.graph.model)), "kernels": SectionSizes(text=run.flash)}
    return Image(
        elf=run.program,
        build_id=run.build_id,
        board=board.name,
        core=board.core,
        link=LINK,
        language="none",
        packages=(plan.name,),
        sizes=Sizes(groups=groups),
        toolchain=run.title,
        compiled=0,
        seconds=0.0,
        stack_size=run.stack_size,
        sanitize=False,
    )
