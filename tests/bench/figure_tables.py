"""Makers of the tables that figures.py remakes: each fills the rows that a page has."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import cache
from typing import Any
from unittest import mock

import numpy as np

from harness.boards import find_board
from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import emit
from harness.compiler.goals import MODES, Goals, Mode, Overrides
from harness.compiler.memory.arena import aligned
from harness.cycles.predict import Prediction, predict
from harness.cycles.record import observable
from harness.cycles.targets import target_of_run
from harness.errors import BudgetError, TinyhilError
from harness.frontends import load
from harness.hardware.placement import assign_regions
from harness.ir.graph import Graph
from harness.kernels.convolution_winograd import ConvWinograd
from harness.quantization.types import DType
from harness.units import Unit
from harness.validate.baselines import by_layer, find
from harness.validate.card import RandomVectors, card_for_model
from harness.validate.options import Options
from harness.validate.profile import profile_card
from harness.validate.vectors import load as load_vectors
from harness.validate.workbench import Workbench
from tests.bench import compress, floats, operators, recurrent, steep, wide, winograd
from tests.bench.common import MLPERF, mlperf_models
from tests.bench.figures import Maker, Row
from tests.bench.kernels import dropped_or_not
from tests.support.generated import random_inputs

M4, M7 = "nucleo-l4r5", "nucleo-h7a3"
EMULATED = {"M4": "mps2-an386", "M7": "mps2-an500", "M55": "mps3-an547"}
CORES = {"M4": "cortex-m4", "M7": "cortex-m7", "M55": "cortex-m55"}


@cache
def _bench() -> Workbench:
    return Workbench()


@cache
def _graph(model: str) -> Graph:
    return load(mlperf_models()[model])


@cache
def _inputs(model: str) -> list[Any]:
    return list(load_vectors(RandomVectors(random=1), _graph(model), mlperf_models()[model].parent).inputs[0])


# --- whole models ----------------------------------------------------------------------------------------------------


def models(rows: Sequence[Row], _: Sequence[str]) -> list[Row]:
    """Millions of MLPerf Tiny's models: "Cortex-M4, instructions", below it "CMSIS-NN", and boards' modelled cycles."""
    made, core = [], ""
    for row in rows:
        found = re.match(r"Cortex-(M\d+), instructions", row[0])
        if found:
            core = found[1]
            figures = [_instructions(name, EMULATED[core], "balanced") for name in MLPERF]
        elif row[0] == "CMSIS-NN":
            figures = [_of_tflm(name, CORES[core]) for name in MLPERF]
        else:
            figures = [_cycles(name, row[0].split()[0]) for name in MLPERF]
        made.append([row[0], *_millions(figures, row[1:])])
    return made


def live(rows: Sequence[Row], _: Sequence[str]) -> list[Row]:
    """The Cortex-M55 beside TFLM's record, and TFLM live where it is installed."""
    made = []
    for row in rows:
        if row[0] == "tinyhil":
            figures: list[float | None] = [_instructions(name, EMULATED["M55"], "balanced") for name in MLPERF]
        elif "recorded" in row[0]:
            figures = [_of_tflm(name, CORES["M55"]) for name in MLPERF]
        else:
            figures = [_live(name) for name in MLPERF]
        made.append([row[0], *_millions(figures, row[1:], " M")])
    return made


def arenas(rows: Sequence[Row], _: Sequence[str]) -> list[Row]:
    """Bytes of arena on a Cortex-M4: apart, time, ram, smallest, flash, balanced, proved smallest, TFLM's."""
    made = []
    for name, *_rest in rows:
        plans = {mode: compile_graph(_graph(name), core="cortex-m4", goals=Goals(mode)) for mode in MODES}
        sizes = {mode: plan.arena_size for mode, plan in plans.items()}
        proved = all(plan.arena_size <= aligned(plan.arena_bound) for plan in plans.values())
        figures = (plans["time"].liveness_bound, sizes["time"], sizes["ram"], _smallest(name), sizes["flash"])
        theirs = find(_graph(name).sha256, "cortex-m4", "cmsis-nn", Unit.INSTRUCTIONS)
        last = [_number(sizes["balanced"]), "yes" if proved else "no", _number(theirs.arena if theirs else None)]
        made.append([name, *map(_number, figures), *last])
    return made


def _smallest(model: str) -> int | None:
    try:
        return compile_graph(_graph(model), core="cortex-m4", goals=Goals("ram", max_arena=1)).arena_size
    except BudgetError as error:
        found = re.search(r"smallest arena found is ([\d,]+)", error.message)
        return int(found[1].replace(",", "")) if found else None


@cache
def _instructions(model: str, board: str, mode: Mode, runtime: str | None = None) -> int | None:
    options = Options(
        link="fast", vectors=RandomVectors(random=1), opinions=(), overrides=Overrides(optimize=mode), runtime=runtime
    )
    outcome = _bench().validate(card_for_model(mlperf_models()[model]), board, options)
    assert outcome.passed, outcome.explain()
    return outcome.measurement.total


def _live(model: str) -> int | None:
    try:
        return _instructions(model, EMULATED["M55"], "balanced", "tflm")
    except TinyhilError:  # it is not installed
        return None


def _of_tflm(model: str, core: str) -> int | None:
    found = find(_graph(model).sha256, core, "cmsis-nn", Unit.INSTRUCTIONS)
    return None if found is None else found.total


def _cycles(model: str, board: str) -> int:
    card = card_for_model(mlperf_models()[model])
    return profile_card(card, board, vectors=RandomVectors(random=1), bench=_bench()).estimate.cycles.value


# --- kernels by layer ------------------------------------------------------------------------------------------------


def kernels(rows: Sequence[Row], arguments: Sequence[str]) -> list[Row]:
    """A layer of a model by kernel: on the M4 instructions, a MAC, and cycles; on the M7 two of them; scratch.

    Arguments: the model and the layer's name.
    """
    model, layer = arguments
    made = []
    for name, *old in rows:
        if name == "CMSIS-NN":
            made.append([name, *_theirs(model, layer)])
            continue
        found = [_with_kernel(model, layer, board, name.strip("`")) for board in (M4, M7)]
        made.append([name, *(_figures(found) if any(found) else old)])
    return made


Measured = tuple[int, int, int, int]
"""Instructions, cycles, MACs and bytes of scratch of a layer."""


def _figures(found: Sequence[Measured | None]) -> Row:
    m4, m7 = found
    scratch = list(dict.fromkeys(_number(one[3]) for one in found if one))
    per_mac = f"{m4[0] / m4[2]:.2f}" if m4 and m4[2] else "-"
    first = [_number(m4[0]), per_mac, _number(m4[1])] if m4 else ["-"] * 3
    return [*first, *([_number(m7[0]), _number(m7[1])] if m7 else ["-"] * 2), "; ".join(scratch)]


def _theirs(model: str, layer: str) -> Row:
    found = []
    for core in ("cortex-m4", "cortex-m7"):
        plan = compile_graph(_graph(model), core=core, goals=Goals("time"))
        number = _number_of(plan.layers, layer)
        baseline = find(_graph(model).sha256, core, "cmsis-nn", Unit.INSTRUCTIONS)
        of_layer = {row.layer: row.value for row in by_layer(baseline, plan)} if baseline else {}
        found.append((of_layer.get(number), plan.layers[number].macs))
    (m4, work), (m7, _) = found
    return [_number(m4), f"{m4 / work:.2f}" if m4 and work else "-", "-", _number(m7), "-", "-"]


def _with_kernel(model: str, layer: str, board: str, kernel: str) -> Measured | None:
    prediction = _predicted(model, board, (kernel,))
    number = _number_of(prediction.plan.layers, layer)
    taken = type(prediction.plan.steps[number].kernel).__name__
    return _of_layer(prediction, number) if taken in _named(kernel) else None


def _of_layer(prediction: Prediction, number: int) -> Measured:
    layer, plan = prediction.estimate.layers[number], prediction.plan
    work = plan.layers[number].macs
    return layer.instructions.value, layer.cycles.value, work, plan.steps[number].lowered.scratch


def _number_of(layers: Sequence[Any], name: str) -> int:
    return next(layer.index for layer in layers if layer.name == name)


@cache
def _predicted(
    model: str, board: str, prefer: tuple[str, ...] = (), mode: Mode = "time", arena: str = "", plain: bool = False
) -> Prediction:
    """A model on a board; `plain` without Winograd's kernels."""
    resolved = observable(board)
    placed = assign_regions(find_board(board), {"arena": arena} if arena else {})
    target = target_of_run(resolved, placed if resolved.runs_on.name == board else None)
    wanted = {name for one in prefer for name in _named(one)}
    with mock.patch.object(ConvWinograd, "applies", return_value=False) if plain else nullcontext():
        plan = compile_graph(_graph(model), core=target, prefer=wanted, goals=Goals(mode))
    return predict(resolved, emit(plan), _inputs(model), placement=placed)


def _named(kernel: str) -> set[str]:
    """Class names of a kernel: its own, and those of its variants for other cores."""
    from harness.kernels.discovery import all_kernels

    names = {type(one).__name__ for one in all_kernels()}
    return {kernel} if kernel in names else {name for name in names if name in (f"{kernel}Dsp", f"{kernel}DualIssue")}


def fastest_mve(rows: Sequence[Row], _: Sequence[str]) -> list[Row]:
    """Layers of models on a Cortex-M55: the kernel, instructions, a MAC, modelled cycles, CMSIS-NN's instructions."""
    made = []
    for title, *_old in rows:
        model, layer = re.split(r"[ ,]", title)[:2]
        prediction = _predicted(model, EMULATED["M55"])
        number = _number_of(prediction.plan.layers, layer)
        instructions, cycles, work, _scratch = _of_layer(prediction, number)
        baseline = find(_graph(model).sha256, CORES["M55"], "cmsis-nn", Unit.INSTRUCTIONS)
        theirs = {row.layer: row.value for row in by_layer(baseline, prediction.plan)} if baseline else {}
        per_mac = f"{instructions / work:.2f}" if work else "-"
        kernel = f"`{type(prediction.plan.steps[number].kernel).__name__}`"
        made.append([title, kernel, _number(instructions), per_mac, _number(cycles), _number(theirs.get(number))])
    return made


def channels(rows: Sequence[Row], _: Sequence[str]) -> list[Row]:
    """Models with and without the pass that drops constant channels, Cortex-M4."""
    return [[name, dropped, *dropped_or_not(mlperf_models()[name], dropped == "yes")] for name, dropped, *_ in rows]


# --- Winograd --------------------------------------------------------------------------------------------------------


def winograd_layers(rows: Sequence[Row], arguments: Sequence[str]) -> list[Row]:
    """Layers of a model by kernel, "the fastest without" Winograd's among them; columns as those of `kernels`."""
    (model,) = arguments
    made, layer = [], ""
    for name, kernel, *old in rows:
        layer = name.split(",")[0] or layer
        if kernel.startswith("`"):
            found = [_with_kernel(model, layer, board, kernel.strip("`")) for board in (M4, M7)]
        else:
            plain = [_predicted(model, board, plain=True) for board in (M4, M7)]
            found = [_of_layer(one, _number_of(one.plan.layers, layer)) for one in plain]
        made.append([name, kernel, *(_figures(found) if any(found) else old)])
    return made


def winograd_model(rows: Sequence[Row], _: Sequence[str]) -> list[Row]:
    """ic in all by board: M instructions, cycles and arena, with Winograd's kernels and without."""
    made = []
    for name, *old in rows:
        arena = "dtcm" if "DTCM" in name else ""
        board = re.split(r"[ ,]", name)[0]
        new = _whole(_predicted("ic", board, arena=arena))
        plain = _whole(_predicted("ic", board, arena=arena, plain=True)) if old[1] != "-" else None
        made.append([name, *_pairs(new, plain)])
    return made


def _whole(prediction: Prediction) -> tuple[int, int, int]:
    total = sum(layer.instructions.value for layer in prediction.estimate.layers)
    return total, prediction.estimate.cycles.value, prediction.plan.arena_size


def _pairs(new: tuple[int, int, int], plain: tuple[int, int, int] | None) -> Row:
    cells = []
    for number in range(2):
        cells += [f"{new[number] / 1e6:.3f}", f"{plain[number] / 1e6:.3f}" if plain else "-"]
    return [*cells, _number(new[2]), _number(plain[2] if plain else None)]


def winograd_networks(rows: Sequence[Row], _: Sequence[str]) -> list[Row]:
    """Our own networks by board: M instructions, cycles and arena, with and without, and the ratios."""
    graphs = winograd.networks()
    made = []
    for name, board, *_old in rows:
        graph = graphs[name.removesuffix(" channels")]
        inputs = random_inputs(graph, np.random.default_rng(0), 1)[0]
        with mock.patch.object(ConvWinograd, "applies", return_value=False):
            plain = winograd.measured(graph, inputs, board, "time")
        new = winograd.measured(graph, inputs, board, "time")
        assert new[3] and plain[3], f"{name} on {board} is not exact"
        cells = []
        for number in range(2):
            cells += [f"{one[number] / 1e6:.3f}" for one in (new, plain)] + [f"{new[number] / plain[number]:.3f}"]
        made.append([name, board, *cells, _number(new[2]), _number(plain[2])])
    return made


# --- generated layers ------------------------------------------------------------------------------------------------


def few_bits(rows: Sequence[Row], _: Sequence[str]) -> list[Row]:
    """Instructions and modelled cycles a MAC of packed weights on three boards."""
    layers = {
        "fully connected, 640 to 128": "fully connected 640 to 128",
        "1x1, 25x5x64 to 64": "1x1 64 to 64, 25x5",
        "1x1, 3x3x256 to 256": "1x1 256 to 256, 3x3",
        "3x3, 16x16x32 to 32": "3x3 32 to 32, 16x16",
    }
    kinds = {"int8": "int8", "int4": "int4", "16 values": "LUT16", "16 a channel": "LUT16 a channel"}
    drawn = compress.drawn()
    made, layer = [], ""
    for name, kind, *old in rows:
        layer = name or layer
        figures = list(old)
        if kind in kinds:
            graph = drawn[layers[layer]][kinds[kind]]
            for number, board in enumerate(compress.BOARDS):
                if old[2 * number] != "-":
                    figures[2 * number : 2 * number + 2] = compress.a_mac(graph, board, kinds[kind])
        made.append([name, kind, *figures])
    return made


def beside(known: Callable[[], Sequence[recurrent.Beside]], title: Callable[[Any], str]) -> Maker:
    """A maker of layers by core, each beside TFLM's."""

    def make(rows: Sequence[Row], _: Sequence[str]) -> list[Row]:
        by_title = {title(shape): shape for shape in known()}
        there = [row[0] for row in rows if row[0] in by_title]
        shapes = [by_title[name] for name in there]
        columns = {core: recurrent.measured(board, shapes) for core, board in EMULATED.items()}
        made = []
        for name, *old in rows:
            if name not in there:
                made.append([name, *old])  # of the record, which is not there
                continue
            cells = []
            for core in EMULATED:
                theirs = by_title[name].theirs.get(CORES[core])
                cells += [_number(columns[core][there.index(name)]), _number(theirs)]
            made.append([name, *(new if new != "-" else one for new, one in zip(cells, old, strict=True))])
        return made

    return make


def steep_layers(rows: Sequence[Row], _: Sequence[str]) -> list[Row]:
    """Instructions of layers with a channel of a large multiplier, and of the same without."""
    columns = [steep.instructions(board, [row[0] for row in rows]) for board in steep.BOARDS.values()]
    return [[row[0], *(_number(figure) for column in columns for figure in column[row[0]])] for row in rows]


def _layer_title(layer: wide.Layer) -> str:
    """As the pages name a layer."""
    if layer.op == "FULLY_CONNECTED":
        return f"FULLY_CONNECTED {layer.x[-1]} to {layer.y[-1]}"
    x, y = ("x".join(map(str, shape[1:])) for shape in (layer.x, layer.y))
    stride = f", stride {layer.stride[0]}" if layer.stride != (1, 1) and layer.x[1] == layer.x[2] else ""
    if layer.op == "DEPTHWISE_CONV_2D":
        return f"depthwise {x}, {layer.w[1]}x{layer.w[2]}{stride}"
    return f"convolution {x}, {layer.w[1]}x{layer.w[2]}{stride}, to {y}"


def elements(rows: Sequence[Row], _: Sequence[str]) -> list[Row]:
    """Instructions per output element of operators: "ADD of float32", "QUANTIZE, float32 to int8"."""
    layers = []
    for name, *_rest in rows:
        found = re.match(r"(\w+)(?: of|,) (\w+)", name)
        assert found is not None, name
        layer = operators.layer(found[1], DType(found[2]))
        # a row of a shape that the bench does not draw stays
        drawn = layer is not None and (not re.search(r"\dx\d", name) or operators.shape(layer) in name)
        layers.append(layer if drawn else None)
    columns = [operators.measured(board, [one for one in layers if one]) for board in EMULATED.values()]
    made, at = [], 0
    for row, layer in zip(rows, layers, strict=True):
        if layer is None:
            made.append(list(row))
            continue
        made.append([row[0], *(f"{column[at][1] / layer.elements:.2f}" for column in columns)])
        at += 1
    return made


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,}"


def _millions(figures: Sequence[float | None], old: Sequence[str], unit: str = "") -> Row:
    """In millions, or as the page has it where nothing was measured."""
    return [was if new is None else f"{new / 1e6:.3f}{unit}" for new, was in zip(figures, old, strict=True)]


MAKERS: Mapping[str, Maker] = {
    "models": models,
    "live": live,
    "arenas": arenas,
    "kernels": kernels,
    "fastest-mve": fastest_mve,
    "channels": channels,
    "winograd-layers": winograd_layers,
    "winograd-model": winograd_model,
    "winograd-networks": winograd_networks,
    "few-bits": few_bits,
    "steep": steep_layers,
    "recurrent": beside(lambda: recurrent.recorded() or recurrent.ALONE, lambda shape: shape.title),
    "wide": beside(lambda: [*(wide.recorded() or wide.ALONE), *wide.MORE], _layer_title),
    "floats": beside(lambda: floats.all_recorded() or floats.ALONE, _layer_title),
    "elements": elements,
}
