"""What decoding costs: layers of packed weights beside the same layers of int8 weights, and how small a network gets.

Modelled cycles are those on nucleo-l4r5 and nucleo-h7a3 with their flash and caches; of a Cortex-M55, those of the core
alone. Aims, in instructions a MAC of fully connected layers on the Cortex-M4: 2.0 of four bits, 2.2 of 16 values; on
the Cortex-M55 weights of four bits are not slower than those of eight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from rich.console import Console

from harness.boards import Resolved
from harness.compiler.compile import compile_graph
from harness.compiler.cost.flash import FlashEstimate
from harness.compiler.emit.package import emit
from harness.compiler.goals import Goals
from harness.compiler.plan import Plan
from harness.cycles.predict import predict
from harness.cycles.record import observable
from harness.cycles.targets import target_of_run
from harness.ir.graph import Graph
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.window import ConvAttrs, same_pads
from harness.kernels.base import ConstantTable
from harness.quantization.shared_values import is_int4
from tests.bench.common import table
from tests.bench.cost_layers import usual_input, usual_output, usual_weights
from tests.support.draft import Draft, Few
from tests.support.few_values import few_values
from tests.support.generated import random_inputs
from tests.support.kws import kws_graph

BOARDS = ("nucleo-l4r5", "nucleo-h7a3", "mps3-an547")
KINDS: Mapping[str, Few | None] = {
    "int8": None,
    "int4": "narrow int4",
    "LUT16": "shared",
    "LUT16 a channel": "shared by channel",
}


def run(console: Console) -> None:
    """Print a table of layers per board, then one of a network's bytes."""
    for board in BOARDS:
        console.print(_layers(board))
    console.print(_network())


def drawn() -> dict[str, dict[str, Graph]]:
    """Layer -> kind of weights -> graph."""

    def of(few: Few | None) -> dict[str, Graph]:
        return {
            "fully connected 640 to 128": _fully_connected(few, 640, 128),
            "1x1 64 to 64, 25x5": _convolution(few, (25, 5, 64), 64, 1),
            "1x1 256 to 256, 3x3": _convolution(few, (3, 3, 256), 256, 1),
            "3x3 32 to 32, 16x16": _convolution(few, (16, 16, 32), 32, 3),
        }

    found = {kind: of(few) for kind, few in KINDS.items()}
    return {layer: {kind: found[kind][layer] for kind in KINDS} for layer in found["int8"]}


def _fully_connected(few: Few | None, depth: int, channels: int) -> Graph:
    draft = Draft(np.random.default_rng(3), few=few)
    x = usual_input(draft, (1, depth))
    w, b, spread = usual_weights(draft, (channels, depth), 0, depth)
    y, clamp = usual_output(draft, (1, channels), spread)
    draft.node("FULLY_CONNECTED", (x, w, b), (y,), FullyConnectedAttrs(clamp))
    return draft.finish("layer", (y,))


def _convolution(few: Few | None, image: tuple[int, int, int], channels: int, size: int) -> Graph:
    draft = Draft(np.random.default_rng(4), few=few)
    x = usual_input(draft, (1, *image))
    w, b, spread = usual_weights(draft, (channels, size, size, image[2]), 0, size * size * image[2])
    y, clamp = usual_output(draft, (1, *image[:2], channels), spread)
    pads = same_pads(image[:2], (size, size), (1, 1), (1, 1))
    draft.node("CONV_2D", (x, w, b), (y,), ConvAttrs((1, 1), (1, 1), pads, clamp))
    return draft.finish("layer", (y,))


def _layers(board: str) -> object:
    resolved = observable(board)
    names = ("layer", "kernel", "instructions", "a MAC", "modelled cycles", "a MAC", "tables B", "scratch B")
    made = table(f"Packed weights on {board} ({resolved.asked.core})", *names)
    for layer, kinds in drawn().items():
        made.add_row(layer)
        for kind, graph in kinds.items():
            plan, instructions, cycles = _measured(graph, resolved, kind)
            work = plan.layers[0].macs
            figures = f"{instructions:,}", f"{instructions / work:.2f}", f"{cycles:,}", f"{cycles / work:.2f}"
            scratch = f"{plan.steps[0].lowered.scratch:,}"
            made.add_row(f"  {kind}", plan.layers[0].kernel, *figures, f"{table_bytes(plan):,}", scratch)
    return made


def _measured(graph: Graph, resolved: Resolved, kind: str) -> tuple[Plan, int, int]:
    """(the plan, instructions, modelled cycles) of a layer with weights of a kind."""
    plan = compile_graph(graph, core=target_of_run(resolved), goals=Goals("time" if kind == "int8" else "flash"))
    (layer,) = predict(resolved, emit(plan), random_inputs(graph, np.random.default_rng(0), 1)[0]).estimate.layers
    return plan, layer.instructions.value, layer.cycles.value


def a_mac(graph: Graph, board: str, kind: str) -> tuple[str, str]:
    """Instructions and modelled cycles a MAC of a layer with weights of a kind."""
    plan, instructions, cycles = _measured(graph, observable(board), kind)
    work = plan.layers[0].macs
    return f"{instructions / work:.2f}", f"{cycles / work:.2f}"


def _network() -> object:
    made = table(
        "MLPerf Tiny's keyword network with drawn weights, Cortex-M4, bytes",
        *("weights", "mode", "tables", "to int8", "tables and code, estimated", "to int8", "arena"),
    )
    first: dict[str, tuple[int, int]] = {}
    for kind, few in KINDS.items():
        graph = packable(kws_graph(), few)
        for mode in ("balanced", "flash"):
            plan = compile_graph(graph, core="cortex-m4", goals=Goals(mode))
            tables, whole = table_bytes(plan), FlashEstimate(plan.steps).total
            known = first.setdefault("int8", (tables, whole))
            shares = (f"{tables / known[0]:.2f}", f"{whole / known[1]:.2f}")
            made.add_row(kind, mode, f"{tables:,}", shares[0], f"{whole:,}", shares[1], f"{plan.arena_size:,}")
    return made


def packable(graph: Graph, few: Few | None) -> Graph:
    """A graph whose layers' weights are brought to few values."""
    if few is None:
        return graph
    rng, tensors = np.random.default_rng(0), list(graph.tensors)
    for node in graph.nodes:
        w = node.inputs[1] if len(node.inputs) > 1 else -1
        data = tensors[w].data if w >= 0 else None
        if data is not None and data.ndim > 1 and not is_int4(data):
            axis = 3 if data.shape[0] == 1 else 0
            tensors[w] = replace(tensors[w], data=few_values(rng, data, axis, few))
    return replace(graph, tensors=tuple(tensors))


def table_bytes(plan: Plan) -> int:
    """Bytes of packed weights and tables, each once."""
    found = {
        id(argument.data): argument.data.nbytes
        for step in plan.steps
        for call in step.lowered.calls
        for argument in call.arguments
        if isinstance(argument, ConstantTable)
    }
    return sum(found.values())
