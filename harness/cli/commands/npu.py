"""The command `tinyhil npu`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import terminal
from harness.cli.options import JsonOption, ModelArgument
from harness.errors import Category, OptionError

if TYPE_CHECKING:
    from harness.offload.running import NpuRequest
    from harness.offload.subject import NpuSubject
    from harness.report.document import Document
    from harness.report.table import ReportTable

_RANDOM, _RANDOM_OF_ALL = "4", "1"
_BASE = ".json"


AcceleratorOption = Annotated[
    list[str] | None,
    typer.Option(
        "--accelerator",
        "-a",
        metavar="NAME",
        help="Such as ethos-u55-128 (the default) or ethos-u65-512; repeatable with --all.",
        show_default=False,
    ),
]
AllOption = Annotated[
    bool, typer.Option("--all", help="All accelerators, system configs, memory modes, and goals, as one table.")
]
BaseOption = Annotated[
    str | None,
    typer.Option(
        "--compare",
        metavar="BASE",
        help="Name operators whose cycles changed from BASE: a .json of an earlier run, or what was other there: "
        "vela=PROGRAM, optimise=Size, accelerator=..., memory-mode=..., model=FILE, several with commas.",
    ),
]
ThresholdOption = Annotated[
    str, typer.Option("--threshold", metavar="SHARE", help="By how much a figure must grow to be worse.")
]
SystemOption = Annotated[
    str, typer.Option("--system-config", metavar="NAME", help="Of Vela's configuration. Default: Vela's.")
]
MemoryOption = Annotated[
    str, typer.Option("--memory-mode", metavar="NAME", help="Of Vela's configuration. Default: Vela's.")
]
OptimiseOption = Annotated[
    str | None, typer.Option("--optimise", metavar="GOAL", help="Performance (the default) or Size.")
]
ConfigOption = Annotated[
    str, typer.Option("--config", metavar="FILE", help="Vela's configuration file, instead of Arm/vela.ini.")
]
VelaOption = Annotated[
    str, typer.Option("--vela", metavar="PROGRAM", help="Another Vela than the one installed with tinyhil.")
]
WaitsOption = Annotated[
    bool | None,
    typer.Option(
        "--waits/--no-waits",
        help="Count cycles with the memories' waits. Default: where they are named, with --all and --compare.",
        show_default=False,
    ),
]
MeasureOption = Annotated[
    bool, typer.Option("--measure", help="Run the CPU's part on mps3-an547 under QEMU, instead of estimating it.")
]
ClockOption = Annotated[
    str | None, typer.Option("--clock", metavar="FREQUENCY", help="Such as 500MHz. Default: the system config's.")
]
NpuVectorsOption = Annotated[
    str | None,
    typer.Option(
        "--vectors",
        metavar="VECTORS",
        help="NAME.npz or .wav, or COUNT or COUNT:SEED for random ones. Default: 4, with --all 1.",
    ),
]
OutputOption = Annotated[
    list[Path] | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write a .html, .json or .md file, repeatable."),
]


def npu(
    model: ModelArgument,
    accelerator: AcceleratorOption = None,
    every: AllOption = False,
    compare: BaseOption = None,
    threshold: ThresholdOption = "1%",
    system_config: SystemOption = "",
    memory_mode: MemoryOption = "",
    optimise: OptimiseOption = None,
    config: ConfigOption = "",
    vela: VelaOption = "",
    waits: WaitsOption = None,
    measure: MeasureOption = False,
    clock: ClockOption = None,
    vectors: NpuVectorsOption = None,
    output: OutputOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a model on a simulated Ethos-U: cycles and traffic by layer, what stays on the CPU, memory, exact outputs.

    Exit code 1 where an output differs, or with --compare something got worse.
    """
    from harness.ethosu.vela import DEFAULT_ACCELERATOR, OPTIMISE, VelaOptions
    from harness.offload.running import NpuRequest
    from harness.offload.subject import read_subject
    from harness.report.npu import files
    from harness.units import parse_amount, parse_share
    from harness.validate.card import parse_vectors

    names = tuple(accelerator or ())
    if len(names) > 1 and not every:
        raise OptionError(f"{len(names)} accelerators", hint="name one, or add --all for a table of them")
    if every and measure:
        raise OptionError("--all and --measure do not go together", hint="leave one of them out")
    if every and compare:
        raise OptionError("--all and --compare do not go together", hint="leave one of them out")
    for path in output or ():
        files.check_kind(path)
    chosen = names[0] if names else DEFAULT_ACCELERATOR
    options = VelaOptions(chosen, system_config, memory_mode, optimise or OPTIMISE[0], config, vela)
    share = parse_share(threshold, "threshold")
    request = NpuRequest(
        options,
        parse_vectors(vectors or (_RANDOM_OF_ALL if every else _RANDOM), Path.cwd()),
        parse_amount(clock, "Hz", "clock", "500MHz") if clock else None,
        measure=measure,
        waits=True if waits is None and (every or (compare and not compare.endswith(_BASE))) else waits,
    )
    subject = read_subject(model)
    if subject.compiled:
        _check_compiled(model, {"--accelerator": names, "--all": every, "--optimise": optimise, "--vela": vela})
    if every:
        _sweep(subject, request, names, optimise is None, output or [], as_json)
    else:
        _run(subject, request, compare, share, output or [], as_json)


def _check_compiled(model: Path, given: dict[str, object]) -> None:
    """Raises OptionError: a file that Vela compiled, and options that are for Vela."""
    useless = [name for name, value in given.items() if value]
    if useless:
        raise OptionError(
            f"{model}: Vela has compiled it already, so {', '.join(useless)} has no effect",
            hint="leave it out, or give the model that it was made of",
        )


def _run(
    subject: NpuSubject,
    request: NpuRequest,
    compare: str | None,
    threshold: float,
    output: list[Path],
    as_json: bool,
) -> None:
    from harness.offload.running import run_subject
    from harness.report.npu import files, tables, words
    from harness.report.npu.comparison import comparison_document, read_base
    from harness.report.npu.document import npu_document

    earlier = read_base(Path(compare)) if compare and compare.endswith(_BASE) else None
    with terminal.progress(as_json, f"npu {subject.path.stem}") as tell:
        if compare and earlier is None:
            other, changed = _base(compare, subject, request)
            earlier = npu_document(run_subject(other, changed, tell))
        run = npu_document(run_subject(subject, request, tell))
    compared = None if earlier is None else comparison_document(earlier, run, threshold)
    document = run if compared is None else {**run, "comparison": compared}
    files.write(output, document)
    if as_json:
        terminal.print_json(document)
    else:
        _show([tables.layers(document)], words.summary(document))
        _show_comparison(compared)
    if not words.is_sound(run) or (compared is not None and compared["worse"]):
        raise typer.Exit(Category.CHECK.value)


def _base(text: str, subject: NpuSubject, request: NpuRequest) -> tuple[NpuSubject, NpuRequest]:
    """The run that --compare describes by what is other in it."""
    from dataclasses import replace

    from harness.offload.subject import read_subject

    keys = {"accelerator": "accelerator", "system-config": "system_config", "memory-mode": "memory_mode",
            "optimise": "optimise", "config": "config", "vela": "program"}  # fmt: skip
    changes: dict[str, str] = {}
    for part in text.split(","):
        key, equals, value = part.partition("=")
        if not equals or key not in (*keys, "model"):
            known = ", ".join((*keys, "model"))
            raise OptionError(f"compare: '{part}' is neither a .json file nor KEY=VALUE", hint=f"keys are {known}")
        if key == "model":
            subject = read_subject(Path(value))
        else:
            changes[keys[key]] = value
    return subject, replace(request, options=replace(request.options, **changes))


def _sweep(
    subject: NpuSubject,
    request: NpuRequest,
    names: tuple[str, ...],
    both: bool,
    output: list[Path],
    as_json: bool,
) -> None:
    from harness.offload.sweep import sweep
    from harness.report.npu import files
    from harness.report.npu import sweep as report

    with terminal.progress(as_json, f"npu {subject.path.stem}") as tell:
        found = sweep(subject, request, names, both, tell)
    document = report.sweep_document(found)
    files.write(output, document)
    if as_json:
        terminal.print_json(document)
    else:
        _show([report.points(document)], report.summary(document))
    if not report.is_sound(document):
        raise typer.Exit(Category.CHECK.value)


def _show(tables: Iterable[ReportTable], lines: Iterable[str]) -> None:
    for table in tables:
        terminal.show_table(table)
    terminal.print_text(*lines)


def _show_comparison(compared: Document | None) -> None:
    from harness.report.npu import comparison as report

    if compared is not None:
        tables = [report.figures(compared), report.operators(compared)]
        _show([table for table in tables if table.rows], report.summary(compared))
