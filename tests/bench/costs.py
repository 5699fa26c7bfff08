"""The kernels' cost models against profiles, and their coefficients: `python -m tests.bench costs [--fit]`.

Without --fit: the kernels that have no coefficients on a core, predicted and profiled instructions and modelled cycles
of every layer of the MLPerf Tiny models, and the worst errors. With it: every kernel is profiled on generated layers
and wherever these models use it, coefficients are fitted and written to harness/data/costs.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from rich.console import Console

from harness.compiler.compile import compile_graph
from harness.compiler.cost.estimate import estimate_costs, is_in_place
from harness.compiler.cost.model import LARGE, all_loops, stalls
from harness.compiler.emit.package import emit
from harness.compiler.goals import Goals
from harness.compiler.memory.arena import allocate
from harness.compiler.plan import Plan
from harness.cycles.engine import Estimate, estimate
from harness.cycles.pipeline import Cause
from harness.cycles.predict import Prediction, predict
from harness.cycles.record import observable
from harness.cycles.targets import target_of_run
from harness.errors import TinyhilError
from harness.hardware.cores import CORES
from harness.ir.graph import Graph
from harness.kernels.base import Kernel
from harness.kernels.cost_coefficients import (
    CoreCoefficients,
    coefficients_text,
    core_coefficients,
    folder,
    read_coefficients,
    without_coefficients,
)
from harness.kernels.discovery import all_kernels
from harness.quantization.types import Rounding
from harness.validate.card import RandomVectors
from harness.validate.vectors import load
from tests.bench.common import mlperf_models, table
from tests.bench.cost_code import Functions, executed, held_after, shared
from tests.bench.cost_fit import Sample, fit
from tests.bench.cost_layers import AT_ONCE, layers_for
from tests.bench.cost_loop import with_loop

BOARDS = {
    "cortex-m0plus": "nucleo-g0b1",
    "cortex-m3": "mps2-an385",
    "cortex-m4": "nucleo-l4r5",
    "cortex-m7": "nucleo-h7a3",
    "cortex-m33": "mps2-an505",
    "cortex-m55": "mps3-an547",
}
"""Board that a core is profiled on."""
LAYERS = 24
"""Generated layers a kernel."""
FEWER = {"cortex-m0plus": 18}
"""Layers of a graph where the board's memory is small."""
TOGETHER = 3
"""Kernels a generated graph."""
IN_FLOAT = "in_float"
"""The loop of layers rounded as ONNX does, which no other layer runs: fitted after the others."""
ROUNDS = 3
"""Of choosing kernels for known networks by the coefficients so far, and fitting anew with them."""


def run(console: Console, arguments: Sequence[str] = ()) -> None:
    """Fit if told to, then print predictions beside profiles."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m tests.bench costs", description=__doc__)
    parser.add_argument("--fit", action="store_true", help="write harness/data/costs")
    parser.add_argument("--core", action="append", choices=list(BOARDS), help="only this core; may be repeated")
    parser.add_argument("--kernel", action="append", help="fit only kernels of this class name; the others stay")
    parser.add_argument("--layers", action="store_true", help="print every layer, not only the worst")
    parser.add_argument("--loop", help="with --kernel: fit this loop alone; the others stay")
    options = parser.parse_args(list(arguments))
    cores = options.core or list(BOARDS)
    if options.loop:
        _fit_loop(console, cores, options.kernel or [], options.loop)
        return
    if options.fit:
        _fit(console, cores, options.kernel)
    _compare(console, cores, every=options.layers)


# --- profiles -------------------------------------------------------------------------------------------------------


def _generated(core: str, names: Sequence[str], rounding: Rounding | None = None) -> list[Sample]:
    """Kernels profiled on generated layers, of that rounding."""
    board = BOARDS[core]
    kernels = [kernel for kernel in all_kernels() if type(kernel).__name__ in names]
    target, rng = target_of_run(observable(board)), np.random.default_rng(1)
    graphs = layers_for(kernels, target, LAYERS, rng, rounding, FEWER.get(core, AT_ONCE))
    return [sample for graph in graphs for sample in _samples(graph, core, board, known=False, prefer=tuple(names))]


def _together(kernels: Sequence[Kernel]) -> list[list[str]]:
    """Class names of kernels that go into one graph: of different operators, so that each gets its own layers."""
    groups: list[list[Kernel]] = []
    for kernel in kernels:
        for group in groups:
            if len(group) < TOGETHER and all(not kernel.ops & other.ops for other in group):
                group.append(kernel)
                break
        else:
            groups.append([kernel])
    return [[type(kernel).__name__ for kernel in group] for group in groups]


def _known(core: str, model: str, board: str) -> list[Sample]:
    """A model of MLPerf Tiny, profiled."""
    from harness import frontends

    graph = frontends.load(Path(mlperf_models()[model]))
    return _samples(replace(graph, name=model), core, board, known=True)


def _samples(graph: Graph, core: str, board: str, *, known: bool, prefer: tuple[str, ...] = ()) -> list[Sample]:
    resolved = observable(board)
    # Many layers side by side are no network, and where their tensors lie is of no interest.
    placing = allocate if known else partial(allocate, trials=0, nodes=0)
    with mock.patch("harness.compiler.selection.allocate", placing):
        goals = Goals("balanced" if known else "time")
        plan = compile_graph(graph, core=target_of_run(resolved), name=graph.name, prefer=prefer, goals=goals)
    if not plan.steps:  # copies that are none where tensors share memory
        return []
    inputs = load(RandomVectors(random=1), graph, Path.cwd()).inputs[0]
    prediction = predict(resolved, emit(plan), inputs)
    alone = estimate(prediction.recording.profile, None, core=core)
    costs = estimate_costs(plan)
    profile = prediction.recording.profile
    functions, held = Functions(profile.elf), frozenset[str]()
    samples = []
    for number, step in enumerate(plan.steps):
        layer, name = plan.layers[number], step.parts[0].kernel.costed_as
        code: dict[str, float] = {}
        fresh, cache = 0.0, step.parts[0].context.target.code
        if cache is not None:
            code = shared(executed(profile, profile.layers[number], functions, cache.line), plan.name)
            fresh = sum(lines for function, lines in code.items() if function not in held)
            held = held_after(code, cache, held)
        if len(step.parts) > 1 or (prefer and name not in prefer):
            continue
        work = step.kernel.work(step.context)
        stalled = stalls(work, step.context, in_place=is_in_place(plan, step))
        costed = costs[number]
        samples.append(
            Sample(
                layer=f"{graph.name} {layer.name}",
                known=known,
                kernel=name,
                core=core,
                loops=all_loops(work),
                code=code,
                fresh=fresh,
                stalled=stalled,
                predicted=(costed.instructions, costed.cycles),
                basis=costed.basis,
                **_figures(prediction, alone, number, stalled, plan),
            )
        )
    return samples


def _figures(prediction: Prediction, alone: Estimate, number: int, stalled: float, plan: Plan) -> dict[str, Any]:
    layer, bare = prediction.estimate.layers[number], alone.layers[number]
    figures: dict[str, Any] = {
        "instructions": float(layer.instructions.value),
        "cycles": float(bare.cycles.value),
        "apart": 0.0,
        "fetch": 0.0,
        "data": 0.0,
        "board_cycles": 0.0,
        "fetch_stall": 0.0,
        "data_stall": 0.0,
        "small_cache": False,
    }
    if prediction.setup is None:
        return figures
    target = plan.steps[number].context.target
    fetch = layer.causes[Cause.FETCH].value if Cause.FETCH in layer.causes else 0
    data = layer.causes[Cause.DATA].value if Cause.DATA in layer.causes else 0
    fetch_stall = target.code.load if target.code is not None else 0.0
    data_stall = target.weights.load if target.weights is not None else 0.0
    return figures | {
        "apart": float(layer.core.value - bare.cycles.value),
        "fetch": fetch / fetch_stall if fetch_stall else 0.0,
        "data": (data - stalled) / data_stall if data_stall else 0.0,
        "board_cycles": float(layer.cycles.value),
        "fetch_stall": fetch_stall,
        "data_stall": data_stall,
        "small_cache": target.code is not None and target.code.size < LARGE,
    }


def _task(task: tuple[str, str, str]) -> tuple[list[Sample], str]:
    """(samples, what went wrong)"""
    kind, core, name = task
    try:
        if kind == "model":
            return _known(core, name, BOARDS[core]), ""
        return _generated(core, name.split()), ""
    except TinyhilError as error:  # which does not survive the way to another process
        return [], f"{name} on {BOARDS[core]}: {error}"


def _gather(tasks: Sequence[tuple[str, str, str]], console: Console) -> list[Sample]:
    """The samples of all tasks, on all processors."""
    samples: list[Sample] = []
    with ProcessPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        for number, (found, wrong) in enumerate(pool.map(_task, tasks)):
            samples += found
            if wrong:
                console.print(f"not profiled: {wrong}", style="red")
            elif console.is_terminal:
                console.print(f"  {number + 1} of {len(tasks)}: {' '.join(tasks[number][1:])}", end="\r")
    return samples


# --- fitting --------------------------------------------------------------------------------------------------------


def _fit(console: Console, cores: Sequence[str], only: Sequence[str] | None) -> None:
    models = mlperf_models()
    costed = [kernel for kernel in all_kernels() if kernel.costs_itself and not kernel.costs_as]
    chosen = [kernel for kernel in costed if only is None or type(kernel).__name__ in only]
    wanted = {core: [kernel for kernel in chosen if kernel.runs_on(CORES.get(core).features)] for core in cores}
    tasks = [("kernel", core, " ".join(names)) for core in cores for names in _together(wanted[core])]
    generated = _gather(tasks, console)
    known: dict[tuple[str, str, str], Sample] = {}
    for number in range(ROUNDS):
        before = len(known)
        # Kernels are chosen by the coefficients so far.
        for sample in _gather([("model", core, model) for core in cores for model in models], console):
            known[sample.core, sample.kernel, sample.layer] = sample
        if number and len(known) == before:
            break
        by_kernel: dict[tuple[str, str], list[Sample]] = {}
        for sample in [*generated, *known.values()]:
            by_kernel.setdefault((sample.core, sample.kernel), []).append(sample)
        for core in cores:
            names = [type(kernel).__name__ for kernel in wanted[core]]
            _write(core, {name: by_kernel.get((core, name), []) for name in names}, models)
    for core in cores:
        fitted = read_coefficients(folder() / f"{core}.json").kernels
        rounded = [type(kernel).__name__ for kernel in wanted[core] if Rounding.ONNX in kernel.roundings]
        _fit_loop(console, [core], [n for n in rounded if n in fitted and IN_FLOAT in fitted[n].instructions], IN_FLOAT)
        table = core_coefficients(core)
        assert table is not None
        none = f"; compute no layer: {', '.join(table.absent)}" if table.absent else ""
        console.print(f"{folder() / core}.json: {len(table.kernels)} kernels{none}")


def _fit_loop(console: Console, cores: Sequence[str], names: Sequence[str], loop: str) -> None:
    rounding = Rounding.ONNX if loop == IN_FLOAT else None
    for core in cores:
        path = folder() / f"{core}.json"
        before = read_coefficients(path)
        used = [name for name in names if name in before.kernels]
        kernels = dict(before.kernels)
        for name in used:
            samples = _generated(core, [name], rounding)
            try:
                kernels[name] = with_loop(kernels[name], loop, samples)
            except ValueError as error:
                console.print(f"{core} {name}: {error}")
                continue
            row = kernels[name]
            console.print(f"{core} {name}: {row.instructions[loop]} instructions, {row.cycles[loop]} cycles a run")
        path.write_text(coefficients_text(before.model_copy(update={"kernels": kernels})), encoding="utf-8")
        core_coefficients.cache_clear()


def _write(core: str, samples: dict[str, list[Sample]], models: dict[str, Path]) -> None:
    path = folder() / f"{core}.json"
    before = read_coefficients(path) if path.is_file() else None
    others = {type(kernel).__name__ for kernel in all_kernels()} - set(samples)
    kept = {} if before is None else {name: entry for name, entry in before.kernels.items() if name in others}
    absent = {name for name in (() if before is None else before.absent) if name in others}
    target = target_of_run(observable(BOARDS[core]))
    written = CoreCoefficients(
        format=1,
        core=core,
        board=BOARDS[core] if target.code is not None else None,
        code_line=1 if target.code is None else target.code.line,
        compiler=_compiler(),
        fitted_on=f"{LAYERS} generated layers a kernel and more, and MLPerf Tiny: {', '.join(models)}",
        kernels={**kept, **{name: fit(found) for name, found in samples.items() if found}},
        absent=tuple(sorted(absent | {name for name, found in samples.items() if not found})),
    )
    folder().mkdir(parents=True, exist_ok=True)
    path.write_text(coefficients_text(written), encoding="utf-8")
    core_coefficients.cache_clear()


def _compiler() -> str:
    from harness.build import find

    return str(find("arm").version)


# --- comparison -----------------------------------------------------------------------------------------------------


def _compare(console: Console, cores: Sequence[str], *, every: bool) -> None:
    for core in cores:
        if missing := without_coefficients(core):
            console.print(f"no coefficients on {core}, so chosen only where no other applies: {', '.join(missing)}")
    models = mlperf_models()
    if not models:
        console.print("costs: no MLPerf Tiny model found; set TINYHIL_MODELS to a folder that has them")
        return
    tasks = [("model", core, model) for core in cores for model in models]
    samples = _gather(tasks, console)
    for core in cores:
        _table(console, core, [sample for sample in samples if sample.core == core], every)


def _table(console: Console, core: str, samples: Sequence[Sample], every: bool) -> None:
    made = table(
        f"Predicted without running, {core} ({BOARDS[core]})",
        *("layer", "kernel", "instructions", "expected", "%", "cycles", "expected", "%", "by"),
    )
    worst = [0.0, 0.0]
    for sample in samples:
        cycles = sample.board_cycles or sample.cycles
        errors = [sample.predicted[0] / sample.instructions - 1, sample.predicted[1] / cycles - 1]
        worst = [max(w, abs(e)) for w, e in zip(worst, errors, strict=True)]
        if every or max(map(abs, errors)) > 0.05:
            cells = [f"{sample.instructions:,.0f}", f"{sample.predicted[0]:,.0f}", f"{100 * errors[0]:+.1f}"]
            cells += [f"{cycles:,.0f}", f"{sample.predicted[1]:,.0f}", f"{100 * errors[1]:+.1f}"]
            made.add_row(sample.layer, sample.kernel, *cells, sample.basis)
    shown = "all" if every else "those more than 5 % off"
    worse = f"{100 * worst[0]:.1f} % of instructions, {100 * worst[1]:.1f} % of cycles"
    made.caption = f"{len(samples)} layers, {shown}; worst error {worse}"
    console.print(made)
