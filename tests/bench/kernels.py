"""Every kernel that computes a layer, side by side, on layers of the MLPerf Tiny models; what passes and overlap save.

Modelled cycles are those of the layer on nucleo-l4r5 and nucleo-h7a3 with their flash and caches; of a Cortex-M55,
those of the core alone. Instructions of TFLM with CMSIS-NN are for the same core.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from unittest import mock

from rich.console import Console

from harness import passes
from harness.compiler.choice import candidates
from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import emit
from harness.compiler.goals import MODES, Goals
from harness.compiler.memory.arena import aligned
from harness.compiler.plan import LayerCode, Plan
from harness.cycles.predict import Prediction, predict
from harness.cycles.record import observable
from harness.cycles.targets import target_of_run
from harness.errors import ProfileError
from harness.frontends import load
from harness.hardware.target import Target
from harness.kernels.base import ConstantTable, Kernel
from harness.kernels.macs import macs
from harness.passes.drop_channels import drop_channels
from harness.units import Unit
from harness.validate.baselines import by_layer, find
from harness.validate.card import RandomVectors
from harness.validate.vectors import load as load_vectors
from tests.bench.common import mlperf_models, table

BOARDS = ("nucleo-l4r5", "nucleo-h7a3", "mps3-an547")
MODELS = ("kws", "ic", "ad")
FASTEST = Goals("time")


def run(console: Console) -> None:
    """Print a table of kernels per board, then one of passes and one of arenas."""
    models = mlperf_models()
    if not models:
        console.print("kernels: no MLPerf Tiny model found; set TINYHIL_MODELS to a folder that has them")
        return
    for board in BOARDS:
        console.print(_kernels(board, {name: models[name] for name in MODELS if name in models}))
    console.print(_channels(models))
    console.print(_arenas(models))


# --- kernels ---------------------------------------------------------------------------------------------------------


def _kernels(board: str, models: dict[str, Path]) -> object:
    resolved = observable(board)
    core = resolved.asked.core
    made = table(
        f"Kernels on {board} ({core})",
        *("layer", "instructions", "a MAC", "modelled cycles", "a MAC", "scratch B", "tables B"),
    )
    failed: list[str] = []
    for name, path in models.items():
        graph = load(path)
        target = target_of_run(resolved)
        plan = compile_graph(graph, core=target, goals=FASTEST)
        chosen = _layers_of(plan)
        rows: dict[int, list[tuple[str, ...]]] = {index: [] for index in chosen}
        for wanted in _rounds({i: candidates(plan.steps[i].context) for i in chosen}):
            package = emit(compile_graph(graph, core=target, prefer=wanted, goals=FASTEST))
            inputs = load_vectors(RandomVectors(random=1), graph, path.parent).inputs[0]
            try:
                prediction = predict(resolved, package, inputs)
            except ProfileError as error:
                failed.append(f"{name} with {', '.join(sorted(wanted))}: {error.message}")
                continue
            for index in chosen:
                if type(package.plan.steps[index].kernel).__name__ in wanted:
                    rows[index].append(_row(prediction, index))
        theirs = find(graph.sha256, core, "cmsis-nn", Unit.INSTRUCTIONS)
        known = {row.layer: row.value for row in by_layer(theirs, plan)} if theirs else {}
        for index in chosen:
            made.add_row(f"{name} {plan.layers[index].name}, {_sizes(plan.steps[index])}")
            for row in rows[index]:
                made.add_row(*row)
            if index in known:
                per_mac = _per_mac(known[index], plan.layers[index].macs)
                made.add_row("  TFLM, CMSIS-NN", f"{known[index]:,}", per_mac)
    made.caption = "\n".join(failed)
    return made


def _layers_of(plan: Plan) -> list[int]:
    """The first layer, and the largest of each operator."""
    largest: dict[str, int] = {}
    for index, step in enumerate(plan.steps):
        best = largest.setdefault(step.node.op, index)
        if _work(plan, index) > _work(plan, best):
            largest[step.node.op] = index
    return sorted({0, *largest.values()})


def _work(plan: Plan, index: int) -> tuple[int, int]:
    return plan.layers[index].macs, plan.steps[index].context.output().elements


def _rounds(offered: dict[int, list[Kernel]]) -> Iterable[set[str]]:
    """Sets of kernels by class name that, one set at a time, bring every kernel to every layer that it computes."""
    names = {index: [type(kernel).__name__ for kernel in kernels] for index, kernels in offered.items()}
    left = {(index, name) for index, found in names.items() for name in found}
    while left:
        chosen: set[str] = set()
        for _, name in sorted(left):
            if all(len(chosen.union({name}).intersection(found)) <= 1 for found in names.values()):
                chosen.add(name)
        left -= {(index, name) for index, name in left if name in chosen}
        yield chosen


def _row(prediction: Prediction, index: int) -> tuple[str, ...]:
    layer, step = prediction.estimate.layers[index], prediction.plan.steps[index]
    work = prediction.plan.layers[index].macs
    instructions, cycles = layer.instructions.value, layer.cycles.value
    return (
        f"  {type(step.kernel).__name__}",
        f"{instructions:,}",
        _per_mac(instructions, work),
        f"{cycles:,}",
        _per_mac(cycles, work),
        f"{step.lowered.scratch:,}",
        f"{_tables([step]):,}",
    )


def _per_mac(value: float, work: int) -> str:
    return f"{value / work:.2f}" if work else "-"


def _sizes(step: LayerCode) -> str:
    x, y = (step.context.input().shape[1:], step.context.output().shape[1:])
    kernel = step.context.input(1).shape[1:3] if step.node.op.endswith("CONV_2D") else ()
    window = f" by {'x'.join(map(str, kernel))}" if kernel else ""
    return f"{'x'.join(map(str, x))} to {'x'.join(map(str, y))}{window}"


def _tables(steps: Iterable[LayerCode]) -> int:
    """Bytes of packed weights and tables, each once."""
    return sum(
        {
            id(argument.data): argument.data.nbytes
            for step in steps
            for call in step.lowered.calls
            for argument in call.arguments
            if isinstance(argument, ConstantTable)
        }.values()
    )


# --- passes and arenas -----------------------------------------------------------------------------------------------


def _channels(models: dict[str, Path]) -> object:
    """With and without the pass that drops constant channels."""
    made = table(
        "Constant channels, Cortex-M4, mode time",
        *("model", "dropped", "MACs", "tables B", "arena B", "instructions"),
    )
    for name, path in models.items():
        for label in ("no", "yes"):
            made.add_row(name, label, *dropped_or_not(path, label == "yes"))
    return made


def dropped_or_not(path: Path, dropped: bool) -> list[str]:
    """MACs, bytes of tables and arena, and instructions of a model on a Cortex-M4 with the pass, or without."""
    graph = load(path)
    without = tuple(each for each in passes.PASSES if each is not drop_channels)
    with mock.patch.object(passes, "PASSES", passes.PASSES if dropped else without):
        plan = compile_graph(graph, core=Target("cortex-m4"), goals=FASTEST)
    inputs = load_vectors(RandomVectors(random=1), graph, path.parent).inputs[0]
    estimate = predict(observable("mps2-an386"), emit(plan), inputs).estimate
    figures = (
        sum(macs(plan.graph, step.node) for step in plan.steps),
        _tables(plan.steps),
        plan.arena_size,
        sum(layer.instructions.value for layer in estimate.layers),
    )
    return [f"{figure:,}" for figure in figures]


def _arenas(models: dict[str, Path]) -> object:
    """Arena by mode, beside what every tensor in bytes of its own needs at least."""
    made = table(
        "Arena in bytes, Cortex-M4, scratch included",
        *("model", "tensors apart, no scratch", *MODES, "proved smallest", "TFLM"),
    )
    for name, path in models.items():
        graph = load(path)
        plans = [compile_graph(graph, core=Target("cortex-m4"), goals=Goals(mode)) for mode in MODES]
        proved = all(plan.arena_size <= aligned(plan.arena_bound) for plan in plans)
        sizes = (f"{plan.arena_size:,}" for plan in plans)
        theirs = find(graph.sha256, "cortex-m4", "cmsis-nn", Unit.INSTRUCTIONS)
        tflm = f"{theirs.arena:,}" if theirs else "-"
        made.add_row(name, f"{plans[0].liveness_bound:,}", *sizes, "yes" if proved else "no", tflm)
    return made
