"""Modelled cycles of a model or card on a board, layer by layer, without the board.

prediction = profile_model("kws.tflite", "nucleo-l4r5")
prediction.estimate.cycles, prediction.estimate.layers[0].causes
prediction.recost(WhatIf(placement={"weights": "sram"})).estimate.cycles
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from harness.build.progress import Progress
from harness.compiler.goals import Overrides
from harness.cycles.auto_placement import solve_placement
from harness.cycles.predict import Prediction, predict
from harness.cycles.programs.profile import ProgramProfile
from harness.cycles.programs.tflm import profile_tflm
from harness.cycles.record import observable
from harness.cycles.targets import target_of_run
from harness.errors import ProfileError
from harness.ethosu.vela import VelaOptions
from harness.ir.graph import Graph
from harness.runtimes.tflm.npu import accelerator_in
from harness.runtimes.tflm.runner import find_runner
from harness.validate import vectors as vector_files
from harness.validate.card import Card, CompressKeys, FileVectors, NpuKeys, RandomVectors, card_of
from harness.validate.compressed import goals_of
from harness.validate.npu import check_npu
from harness.validate.options import compressing
from harness.validate.workbench import Workbench


def profile_model(
    model: Path | str,
    board: str,
    *,
    placement: Mapping[str, str] | None = None,
    vectors: RandomVectors | FileVectors | None = None,
    bench: Workbench | None = None,
    progress: Progress | None = None,
) -> Prediction:
    """Modelled cycles of a model on a board.

    Args:
        model: a model file, or a card, whose name, vectors and placement are used, too.
        board: name; for a board without a cycle table its core alone is modelled.
        placement: part of the image -> memory region, where it differs from the card's and the board's own.
        vectors: of which the first is run; None for the card's, or a random one.
        bench: a workbench with compiled packages to reuse; None for a new one.
        progress: see harness.build.progress.

    Raises:
        ProfileError: no emulated board that can be observed stands in for the board.
        TinyhilError: the model cannot be compiled, built or run.
    """
    card = card_of(Path(model))
    return profile_card(card, board, placement=placement, vectors=vectors, bench=bench, progress=progress)


def profile_card(
    card: Card,
    board: str,
    *,
    placement: Mapping[str, str] | None = None,
    vectors: RandomVectors | FileVectors | None = None,
    overrides: Overrides = Overrides(),  # noqa: B008
    npu: VelaOptions | None = None,
    compress: CompressKeys | None = None,
    bench: Workbench | None = None,
    progress: Progress | None = None,
) -> Prediction:
    """Modelled cycles of a card's model, see profile_model; `overrides`, `npu` and `compress` override the card's."""
    bench = bench or Workbench()
    resolved = observable(board)
    wanted = {**card.placing(board, has_choice=resolved.asked.placement is not None), **(placement or {})}
    card = compressing(card, compress)
    goals = goals_of(card, overrides)
    model = bench.graph(card.model)
    compiled = partial(bench.package, model, name=card.name, goals=goals)
    placed = solve_placement(resolved.asked, wanted, model, goals, compiled)
    target = target_of_run(resolved, placed if resolved.runs_on.name == resolved.asked.name else None)
    if npu is not None:
        card = card.model_copy(update={"npu": NpuKeys.of(npu)})
    compressed = bench.compressed(card, target, goals, progress)
    vela = None if card.npu is None else card.npu.options
    graph = bench.compiled(card.model, vela) if compressed is None else compressed.graph
    check_npu(graph, resolved.runs_on)
    package = bench.package(graph, target, card.name, goals)
    given = vector_files.load(vectors or card.vectors, graph, card.base)
    return predict(resolved, package, given.inputs[0], placement=placed, progress=progress)


def profile_card_by_tflm(
    card: Card,
    *,
    vectors: RandomVectors | FileVectors | None = None,
    npu: VelaOptions | None = None,
    program: Path | None = None,
    bench: Workbench | None = None,
    progress: Progress | None = None,
) -> tuple[ProgramProfile, Graph]:
    """What TFLM with CMSIS-NN executes for a card's model on the Cortex-M55, with its modelled cycles; and the model.

    Args:
        card, vectors, npu, bench, progress: see profile_card.
        program: Arm's program; None for that of the installed package.

    Raises:
        ProfileError: the model is compiled for an NPU, or the program does not take it.
        ToolError: the program, QEMU or its plugin is missing.
    """
    bench = bench or Workbench()
    graph = bench.compiled(card.model, npu or (None if card.npu is None else card.npu.options))
    if accelerator_in(graph.model, graph.name) is not None:
        raise ProfileError(
            f"{card.name} is compiled for an NPU, whose time is not the core's", hint="profile the model as it was"
        )
    given = vector_files.load(vectors or card.vectors, graph, card.base)
    return profile_tflm(find_runner(program), graph, given.inputs[0], progress), graph
