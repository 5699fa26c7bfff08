"""The figures that tinyhil's kernels and planner are held to, beside their limits: time, arena, flash and stack."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from harness.compiler.goals import Overrides
from harness.compiler.plan import Plan
from harness.ir.graph import ABSENT, Graph
from harness.kernels.base import ConstantTable
from harness.units import Unit
from harness.validate.baselines import by_layer, find
from harness.validate.card import RandomVectors, card_for_model
from harness.validate.options import Options
from harness.validate.outcome import Outcome
from harness.validate.profile import profile_model
from harness.validate.workbench import Workbench
from tests.bench.common import mlperf_models, table

WEIGHT_RATIO = 1.06
WEIGHT_RATIO_OF = {"vww": 1 / 3}
"""Weights and tables in flash against the model's own weights, biases and scales."""


@dataclass(frozen=True)
class Row:
    """A figure with its limit and what is aimed for, per model; lower is better."""

    title: str
    unit: str
    limits: dict[str, float]
    aims: dict[str, float]


_CODE = dict.fromkeys(("kws", "vww", "ic", "sww"), 14_000.0) | {"ad": 4_000.0}
ROWS = {
    "m4": Row(
        "M4 instructions, time", "M", {"kws": 3.1, "vww": 5.3, "ic": 8.1, "ad": 0.247, "sww": 1.08}, {}
    ),
    "m7": Row(
        "M7 instructions, time", "M", {"kws": 3.25, "vww": 5.6, "ic": 8.0, "ad": 0.33, "sww": 1.11}, {}
    ),
    "m55": Row(
        "M55 instructions, time",
        "M",
        {"kws": 0.57, "vww": 1.30, "ic": 1.52, "ad": 0.039, "sww": 0.13},
        {},
    ),
    "l4r5": Row(
        "modelled cycles, nucleo-l4r5 dual-bank, balanced",
        "M",
        {"kws": 3.9, "vww": 6.95, "ic": 10.6, "ad": 0.50, "sww": 1.47},
        {},
    ),
    "h7a3": Row(
        "modelled cycles, nucleo-h7a3, balanced",
        "M",
        {"kws": 2.05, "vww": 3.9, "ic": 6.4, "ad": 0.28, "sww": 0.79},
        {},
    ),
    "arena": Row(
        "arena, ram, largest of M4, M7, M55",
        "B",
        {"kws": 7_300, "vww": 39_400, "ic": 20_800, "ad": 1_300, "sww": 4_600},
        {"kws": 6_900, "vww": 30_300, "ic": 18_500, "ad": 800, "sww": 3_700},
    ),
    "code": Row("code in flash, M7", "B", _CODE, {}),
}
CORES = {"m4": "mps2-an386", "m7": "mps2-an500", "m55": "mps3-an547"}
BOARDS = {"l4r5": "nucleo-l4r5", "h7a3": "nucleo-h7a3"}


def run(console: Console) -> None:
    """Print every row per model, then what is held against TFLM and against the original."""
    models = mlperf_models()
    if not models:
        console.print("targets: no MLPerf Tiny model found; set TINYHIL_MODELS to a folder that has them")
        return
    bench = Workbench()
    found: dict[tuple[str, str], float] = {}
    balanced: dict[tuple[str, str], Outcome] = {}
    for name, path in models.items():
        for core, board in CORES.items():
            balanced[name, core] = _measured(bench, path, board, "balanced")
            found[core, name] = (_measured(bench, path, board, "time").measurement.total or 0) / 1e6
            small = _measured(bench, path, board, "ram").measurement.arena_high
            found["arena", name] = max(found.get(("arena", name), 0), small)
        found["code", name] = balanced[name, "m7"].image.sizes.models[balanced[name, "m7"].plan.name]["kernels"].text
        for key, board in BOARDS.items():
            prediction = profile_model(path, board, vectors=RandomVectors(random=1), bench=bench)
            found[key, name] = prediction.estimate.cycles.value / 1e6
    console.print(_targets(list(models), found))
    console.print(_balanced(balanced))
    console.print(_layers(balanced))


def _measured(bench: Workbench, path: Path, board: str, mode: str) -> Outcome:
    options = Options(link="fast", vectors=RandomVectors(random=1), opinions=(), overrides=Overrides(optimize=mode))  # type: ignore[arg-type]
    outcome = bench.validate(card_for_model(path), board, options)
    assert outcome.passed, outcome.explain()
    return outcome


def _targets(models: list[str], found: dict[tuple[str, str], float]) -> object:
    made = table("Targets", "figure", "model", "unit", "is", "at most", "aim", "")
    for key, row in ROWS.items():
        for name in models:
            value, limit, aim = found[key, name], row.limits.get(name), row.aims.get(name)
            verdict = "" if limit is None else "OVER" if value > limit else "ok"
            if aim is not None and value <= aim:
                verdict = "aim met"
            cells = [_figure(v, row.unit) for v in (value, limit, aim)]
            made.add_row(row.title, name, row.unit, *cells, verdict)
    return made


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if unit == "B" else f"{value:.3f}"


def _balanced(outcomes: dict[tuple[str, str], Outcome]) -> object:
    made = table(
        "Mode balanced against the liveness bound, the original's weights and TFLM",
        *("model", "core", "arena B", "bound + scratch B", "weights B", "of the original", "limit"),
        *("stack B", "TFLM's, CMSIS-NN"),
    )
    for (name, _), outcome in outcomes.items():
        plan, core = outcome.plan, outcome.resolved.runs_on.core
        packed = packed_bytes(plan)
        theirs = find(outcome.graph.sha256, core, "cmsis-nn", Unit.INSTRUCTIONS)
        made.add_row(
            name,
            core,
            f"{outcome.measurement.arena_high:,}",
            f"{plan.liveness_bound + max(layer.scratch for layer in plan.layers):,}",
            f"{packed:,}",
            f"{packed / original_bytes(outcome.graph):.3f}",
            f"{WEIGHT_RATIO_OF.get(name, WEIGHT_RATIO):.3f}",
            f"{outcome.measurement.stack_high:,}",
            f"{theirs.stack:,}" if theirs else "-",
        )
    return made


def _layers(outcomes: dict[tuple[str, str], Outcome]) -> object:
    made = table("Layers against CMSIS-NN's: instructions", "model", "core", "layers", "slower", "worst layer", "ratio")
    for (name, _), outcome in outcomes.items():
        core = outcome.resolved.runs_on.core
        record = find(outcome.graph.sha256, core, "cmsis-nn", Unit.INSTRUCTIONS)
        if record is None:
            continue
        ticks = outcome.measurement.layer_ticks or ()
        ratios = {
            outcome.plan.layers[row.layer].name: ticks[row.layer] / row.value
            for row in by_layer(record, outcome.plan)
            if row.layer is not None and row.value
        }
        worst = max(ratios, key=lambda layer: ratios[layer])
        slower = sum(ratio > 1 for ratio in ratios.values())
        made.add_row(name, core, f"{len(ratios)}", f"{slower}", worst, f"{ratios[worst]:.3f}")
    return made


def packed_bytes(plan: Plan) -> int:
    """Bytes of weights and tables that the generated code brings along, each array once."""
    tables = {
        id(argument.data): argument.data.nbytes
        for step in plan.steps
        for call in step.lowered.calls
        for argument in call.arguments
        if isinstance(argument, ConstantTable)
    }
    return sum(tables.values())


def original_bytes(graph: Graph) -> int:
    """Bytes of the original's weights: int8 weights, int32 biases, and a float32 scale per output channel."""
    total = 0
    for node in graph.nodes:
        if node.op not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            continue
        operands = [graph.tensors[t] for t in node.inputs[1:] if t != ABSENT]
        total += sum(tensor.bytes for tensor in operands) + 4 * len(operands[0].q.scales)
    return total
