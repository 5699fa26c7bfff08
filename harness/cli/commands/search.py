"""The command `tinyhil search`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import terminal
from harness.cli.options import HistoryOption, JsonOption, MaxArenaOption, MaxFlashOption, open_history
from harness.cli.outputs import write_output
from harness.errors import Category, OptionError
from harness.version import DEFAULT_BOARD

if TYPE_CHECKING:
    from harness.build.progress import Progress
    from harness.fit import NetworkLimits
    from harness.report.document import Document
    from harness.search.output import Confirmed
    from harness.search.settings import SearchSettings
    from harness.training.data import TrainingData

_COUNT = {"metavar": "N", "min": 1}


def search(
    data: Annotated[
        str,
        typer.Argument(metavar="DATA", help="fashion-mnist, digits or FILE.npz.", show_default=False),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="For the networks, and to go on after a kill.")
    ],
    board: Annotated[
        str, typer.Option("--board", "-b", metavar="BOARD", help="Whose memory and time count.")
    ] = DEFAULT_BOARD,
    max_arena: MaxArenaOption = None,
    max_flash: MaxFlashOption = None,
    max_cycles: Annotated[
        float | None, typer.Option("--max-cycles", metavar="N", help="Modelled cycles that an inference may take.")
    ] = None,
    latency: Annotated[
        str | None, typer.Option("--latency", metavar="TIME", help="The same as time at the board's clock: 20ms.")
    ] = None,
    max_energy: Annotated[
        str | None, typer.Option("--max-energy", metavar="ENERGY", help="What an inference may take, such as 2mJ.")
    ] = None,
    effort: Annotated[
        str, typer.Option("--effort", metavar="EFFORT", help="How much is trained: tiny, quick, normal.")
    ] = "normal",
    method: Annotated[
        str,
        typer.Option("--method", metavar="METHOD", help="How networks are ranked: auto, supernet or cheap."),
    ] = "auto",
    tune: Annotated[
        int, typer.Option("--tune", metavar="N", min=0, help="Trials of learning rate, width and depth, by Optuna.")
    ] = 0,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of all that is drawn.")] = 0,
    jobs: Annotated[int, typer.Option("--jobs", "-j", metavar="N", min=1, help="Trainings at a time.")] = 1,
    spaces: Annotated[bool, typer.Option("--spaces", help="Only show the spaces; trains nothing.")] = False,
    history: HistoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search for the network that fits a board: accuracy under limits of arena, flash and time; needs tinyhil[search].

    Ends with int8 models, their cards and vectors in the folder, validated on the board at once, and a report.
    """
    from harness.training.data import named

    given = named(data)
    limits = limits_of(board, max_arena, max_flash, max_cycles, latency, max_energy)
    settings = replace(settings_of(effort, method), board=board, limits=limits, seed=seed, jobs=jobs, trials=tune)
    with terminal.progress(as_json, f"search {given.name}") as tell:
        if spaces:
            document = _spaces(settings, given, tell)
        else:
            document, seen = _searched(settings, given, output, history, tell)
    _show(document, as_json)
    if not spaces and not all(one.outcome.verdict.passed for one in seen):
        raise typer.Exit(Category.CHECK.value)


def limits_of(
    board: str,
    max_arena: str | None,
    max_flash: str | None,
    max_cycles: float | None,
    latency: str | None,
    max_energy: str | None,
) -> NetworkLimits:
    """The limits of the options; a board's own where an option says none.

    Raises:
        OptionError: an option cannot be understood, or two are one limit.
    """
    from harness.compiler.goals import parse_bytes
    from harness.fit import NetworkLimits, known_parts
    from harness.fit.catalogue import find_part
    from harness.units import parse_amount

    if max_cycles is not None and latency is not None:
        raise OptionError("--max-cycles and --latency are one limit", hint="give one of them")
    own = NetworkLimits.of(
        find_part(board, known_parts()),
        latency_s=parse_amount(latency, "s", "latency", "20ms") if latency else None,
        energy=parse_amount(max_energy, "J", "max-energy", "2mJ") if max_energy else None,
    )
    if max_energy and own.energy is None:
        raise OptionError(f"the supply current of {board} is not known", hint="`tinyhil docs fit` tells more")
    return replace(
        own,
        arena=parse_bytes(max_arena, "max-arena") if max_arena else own.arena,
        flash=parse_bytes(max_flash, "max-flash") if max_flash else own.flash,
        cycles=max_cycles if max_cycles is not None else own.cycles,
    )


def settings_of(effort: str, method: str) -> SearchSettings:
    """The settings of an effort and a method.

    Raises:
        OptionError: there is none of that name.
    """
    from harness.search.settings import EFFORTS, METHODS

    if effort not in EFFORTS:
        raise OptionError(f"there is no effort '{effort}'", hint=f"one of: {', '.join(EFFORTS)}")
    for known in METHODS:
        if known == method:
            return replace(EFFORTS[effort], method=known)
    raise OptionError(f"networks are not ranked by '{method}'", hint=f"one of: {', '.join(METHODS)}")


def _spaces(settings: SearchSettings, data: TrainingData, tell: Progress) -> Document:
    from harness.report import search as report
    from harness.search.distribution import costs_for, sampled
    from harness.search.space import spaces_for

    found = spaces_for(data.shape, data.count, settings.widths, settings.resolutions)
    return report.spaces_document(settings, data.name, sampled(found, costs_for(settings), settings.samples,
                                                               settings.seed, tell))  # fmt: skip


def _searched(
    settings: SearchSettings, data: TrainingData, folder: Path, history: Path | None, tell: Progress
) -> tuple[Document, list[Confirmed]]:
    from harness.cli.options import command_line
    from harness.report import search as report
    from harness.report.bundle import Invocation, results_document
    from harness.report.document import run_document
    from harness.report.environment import environment
    from harness.report.html.search import render
    from harness.report.tool_versions import tool_versions
    from harness.search.output import confirmed, write_network
    from harness.search.run import search as run_search

    with open_history(history, needed=False, create=history is not None):
        pass  # refused before a long run
    run = run_search(settings, data, folder / "state", progress=tell)
    written = [write_network(run, final, folder, final.name) for final in run.finals]
    seen = [confirmed(one, settings.board, tell) for one in written]
    document = report.search_document(run, written, seen)
    write_output(folder / "search.html", render(document))
    if history:
        session = Invocation(command_line(), tool_versions(), environment=environment())
        results = results_document([run_document(one.outcome) for one in seen], session)
        with open_history(history, needed=True, create=True) as store:
            assert store is not None
            store.add(results, source="search")
    return document, seen


def _show(document: Document, as_json: bool) -> None:
    from harness.report import search as report

    if as_json:
        terminal.print_json(document)
        return
    for table in report.tables(document):
        terminal.show_table(table)
    terminal.print_text(*report.summary(document))
