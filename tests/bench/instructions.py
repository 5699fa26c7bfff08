"""Instructions per inference and per layer against TFLM, on the emulated cores that have a baseline. Exact figures."""

from __future__ import annotations

from rich.console import Console

from harness.units import Unit
from harness.validate.baselines import KERNEL_SETS, by_layer, find
from harness.validate.card import RandomVectors, card_for_model
from harness.validate.options import Options
from harness.validate.outcome import Outcome
from harness.validate.workbench import Workbench
from tests.bench.common import mlperf_models, table

BOARDS = ("mps2-an386", "mps2-an500", "mps3-an547")


def run(console: Console) -> None:
    """Print a table of totals and one of layers per model and board."""
    models = mlperf_models()
    if not models:
        console.print("instructions: no MLPerf Tiny model found; set TINYHIL_MODELS to a folder that has them")
        return
    bench = Workbench()
    options = Options(link="fast", vectors=RandomVectors(random=1), opinions=())
    outcomes = [
        (name, board, bench.validate(card_for_model(path), board, options))
        for name, path in models.items()
        for board in BOARDS
    ]
    totals = table(
        "Instructions per inference",
        *("model", "core", "exact", "tinyhil", "TFLM reference", "ratio", "TFLM CMSIS-NN", "ratio"),
        *("arena B", "TFLM", "stack B", "TFLM"),
    )
    for name, _, outcome in outcomes:
        totals.add_row(name, outcome.resolved.runs_on.core, "yes" if outcome.passed else "NO", *_totals(outcome))
    console.print(totals)
    for name, board, outcome in outcomes:
        console.print(_layers(f"{name} on {board}", outcome))


def _ratio(ours: int, theirs: int | None) -> str:
    return f"{ours / theirs:.3f}" if theirs else "-"


def _totals(outcome: Outcome) -> list[str]:
    total = outcome.measurement.total or 0
    cells = [f"{total:,}"]
    records = {b.kernels: b for b in outcome.baselines}
    for kernels in KERNEL_SETS:
        record = records.get(kernels)
        cells += [f"{record.total:,}" if record else "-", _ratio(total, record.total if record else None)]
    best = records.get("reference")
    cells += [f"{outcome.measurement.arena_high:,}", f"{best.arena:,}" if best else "-"]
    return [*cells, f"{outcome.measurement.stack_high:,}", f"{best.stack:,}" if best else "-"]


def _layers(title: str, outcome: Outcome) -> object:
    made = table(title, "layer", "instructions", "%", "per MAC", "TFLM reference", "ratio", "TFLM CMSIS-NN", "ratio")
    ticks = outcome.measurement.layer_ticks or ()
    total = sum(ticks)
    theirs: list[dict[int, int]] = []
    for kernels in KERNEL_SETS:
        record = find(outcome.graph.sha256, outcome.resolved.runs_on.core, kernels, Unit.INSTRUCTIONS)
        rows = by_layer(record, outcome.plan) if record else ()
        theirs.append({row.layer: row.value for row in rows if row.layer is not None})
    for layer, ours in zip(outcome.plan.layers, ticks, strict=True):
        per_mac = f"{ours / layer.macs:.2f}" if layer.macs else "-"
        cells = [layer.name, f"{ours:,}", f"{100 * ours / total:.1f}", per_mac]
        for record_of in theirs:
            value = record_of.get(layer.index)
            cells += [f"{value:,}" if value else "-", _ratio(ours, value)]
        made.add_row(*cells)
    made.add_row("sum", f"{total:,}", "", "", "", "", "", "")
    made.add_row("inference", f"{outcome.measurement.total:,}", "", "", "", "", "", "")
    return made
