"""Arguments and options that several commands share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.errors import CardError
from harness.version import DEFAULT_BOARD

if TYPE_CHECKING:
    from harness.boards.source import BoardSource
    from harness.compiler.goals import Overrides
    from harness.history.store import HistoryStore
    from harness.validate.card import Card
    from harness.validate.options import Options

ModelArgument = Annotated[
    Path, typer.Argument(metavar="MODEL", help="A .tflite or .onnx file.", show_default=False)
]
TargetArgument = Annotated[Path, typer.Argument(metavar="TARGET", help="A model (.tflite) or a card (.hil.yaml).")]
TargetOrNoneArgument = Annotated[
    Path | None, typer.Argument(metavar="TARGET", help="A model (.tflite) or a card (.hil.yaml).", show_default=False)
]
TargetsArgument = Annotated[
    list[Path],
    typer.Argument(metavar="TARGET", help="Models (.tflite), cards (.hil.yaml), or folders with cards."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
BoardOption = Annotated[
    str,
    typer.Option("--board", "-b", metavar="BOARD", envvar="TINYHIL_BOARD", help="Board; `tinyhil boards` lists them."),
]
BoardsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--board",
        "-b",
        metavar="BOARD",
        envvar="TINYHIL_BOARD",
        help=f"Board, repeatable, or `all`. Default: {DEFAULT_BOARD}.",
    ),
]
VectorsOption = Annotated[
    str | None,
    typer.Option(
        "--vectors",
        metavar="VECTORS",
        help="NAME.npz or .wav, or COUNT or COUNT:SEED for random ones. Default: the card's, or 20.",
    ),
]
ProfileVectorsOption = Annotated[
    str | None,
    typer.Option(
        "--vectors",
        metavar="VECTORS",
        help="NAME.npz or .wav, or COUNT or COUNT:SEED for random ones. Default: the card's file, or 2 random ones.",
    ),
]
OracleOption = Annotated[
    str | None,
    typer.Option("--oracle", metavar="ORACLE", help="Gates: tflm, litert-ref, litert, onnxruntime or spec."),
]
LinkOption = Annotated[
    str, typer.Option("--link", metavar="LINK", help="auto, uart, fast for the board's quickest, or rtt.")
]
RuntimeOption = Annotated[
    str | None,
    typer.Option(
        "--runtime",
        metavar="NAME",
        help="What computes the model: tinyhil, tflm (Arm's program, on mps3-an547), or both. Default: the card's.",
    ),
]
FormOption = Annotated[
    list[str] | None,
    typer.Option(
        "--form",
        metavar="FORM",
        help="How the model is built: static, relocatable, or both as static,relocatable. Default: the card's.",
    ),
]
TflmRunnerOption = Annotated[
    Path | None,
    typer.Option(
        "--tflm-runner",
        metavar="FILE",
        envvar="TINYHIL_TFLM_RUNNER",
        help="Arm's program of TFLM, instead of that of the installed package mlia-ethos-u.",
    ),
]
NpuOption = Annotated[
    str | None,
    typer.Option(
        "--npu",
        metavar="ACCELERATOR",
        help="Compile for an Ethos-U by Vela first: ethos-u55-128; then ,optimise=Size or other options of Vela's.",
    ),
]
HotOption = Annotated[
    int | None,
    typer.Option(
        "--hot",
        metavar="N",
        min=0,
        max=1000,
        help="Hot blocks to list with their instructions. Default: none in text, 3 in JSON and reports.",
        show_default=False,
    ),
]
PlacementOption = Annotated[
    list[str] | None,
    typer.Option(
        "--placement",
        metavar="PART=REGION",
        help="Memory region for a part of the image, repeatable; or auto: the fastest for the model.",
    ),
]
OptimizeOption = Annotated[
    str | None,
    typer.Option(
        "--optimize", metavar="MODE", help="Compile for time, ram, flash or balanced. Default: the card's, or balanced."
    ),
]
MaxArenaOption = Annotated[
    str | None,
    typer.Option("--max-arena", metavar="BYTES", help="Arena that must not be exceeded, such as 32k (1000) or 32KiB."),
]
MaxFlashOption = Annotated[
    str | None,
    typer.Option("--max-flash", metavar="BYTES", help="Flash of weights, tables and code that must not be exceeded."),
]
CompressOption = Annotated[
    str | None,
    typer.Option(
        "--compress",
        metavar="LEVEL",
        help="Weights in fewer bits: lossless, low, medium, high or int4; then ,data=FILE.npz to find them on: "
        "tinyhil docs compress.",
    ),
]
ProbeOption = Annotated[
    str | None,
    typer.Option(
        "--probe",
        metavar="ID",
        envvar="TINYHIL_PROBE",
        help="Unique id of the debug probe, or BOARD=ID,...; needed where several are attached.",
    ),
]
FarmOption = Annotated[
    str | None,
    typer.Option(
        "--farm",
        metavar="FARM",
        envvar="TINYHIL_FARM",
        help="Lease boards of a farm: HOST:PORT of its coordinator, or this host's .yaml file; then ,TAG=VALUE.",
    ),
]
ReportOption = Annotated[
    Path | None, typer.Option("--report", metavar="DIR", help="Write a result bundle (JSON, HTML, images) there.")
]

HistoryOption = Annotated[
    Path | None,
    typer.Option(
        "--history",
        metavar="FILE",
        envvar="TINYHIL_HISTORY",
        help="The history, a file; `default`: the one in the user's data folder.",
    ),
]
PolicyOption = Annotated[
    Path | None,
    typer.Option(
        "--policy", metavar="FILE", envvar="TINYHIL_POLICY", help="What may change, YAML: `tinyhil docs history`."
    ),
]


def board_source(farm: str | None) -> AbstractContextManager[BoardSource]:
    """Context with the boards of a farm, given back at its end; without one, those of this host.

    Raises:
        FarmFileError: the option names no farm.
    """
    if farm is None:
        from harness.boards.source import OwnBoards

        return nullcontext(OwnBoards())
    from harness.farm.address import parse_farm
    from harness.farm.source import FarmBoards

    return FarmBoards(parse_farm(farm))


def command_line() -> list[str]:
    """The command that runs, for a bundle: the program's name without its folder, then its arguments."""
    return [Path(sys.argv[0]).name, *sys.argv[1:]]


@contextmanager
def open_history(path: Path | None, *, needed: bool, create: bool = False) -> Iterator[HistoryStore | None]:
    """The store of --history, else of the user's data folder; closed after the block.

    Args:
        path: the option's value.
        needed: None is no answer; otherwise None is given where no store was named and there is none.
        create: make it where it is missing.

    Raises:
        HistoryError: it is missing, cannot be opened, or is none.
    """
    from harness.history.connection import store_path
    from harness.history.store import HistoryStore

    place = store_path(path)
    if not needed and not create and path is None and not place.exists():
        yield None
        return
    with HistoryStore(place, create=create) as store:
        yield store


def make_cards(targets: list[Path]) -> list[Card]:
    """The cards of the arguments; a model gets its default card."""
    from harness.frontends.foreign import of_folder
    from harness.validate.card import SUFFIX, card_of, load_card

    cards = []
    for target in targets:
        if target.is_dir():
            found = sorted(target.rglob(f"*{SUFFIX}"))
            if not found:
                what, hint = of_folder(target) or ("", "name a card or a model")
                told = f"; it is {what}" if what else ""
                raise CardError(f"{target}: no card (*{SUFFIX}) in this folder{told}", hint=hint)
            cards += [load_card(path) for path in found]
        else:
            cards.append(card_of(target))
    return cards


def make_options(
    link: str,
    vectors: str | None,
    oracle: str | None,
    opinions: bool,
    probe: str | None,
    placement: list[str] | None,
    overrides: Overrides,
    runtime: str | None = None,
    tflm_runner: Path | None = None,
    npu: str | None = None,
    compress: str | None = None,
    form: list[str] | None = None,
) -> Options:
    """Options of a run from the command line's options.

    Raises:
        OptionError, PlacementError: an option has an invalid value.
    """
    from harness.hardware.placement import parse_placement
    from harness.npu.compiling import parse_npu
    from harness.runtimes.forms import split_forms
    from harness.validate.card import parse_compress, parse_vectors
    from harness.validate.options import SECOND_OPINIONS, Options, check_choice

    check_choice("link", link)
    if oracle is not None:
        check_choice("oracle", oracle)
    if runtime is not None:
        check_choice("runtime", runtime)
    forms = split_forms(form or [])
    for name in forms:
        check_choice("form", name)
    return Options(
        link=link,
        vectors=parse_vectors(vectors, Path.cwd()) if vectors else None,
        oracle=oracle,
        opinions=SECOND_OPINIONS if opinions else (),
        placement=parse_placement(placement or []),
        probe=probe,
        overrides=overrides,
        runtime=runtime,
        forms=forms,
        tflm_runner=tflm_runner,
        npu=None if npu is None else parse_npu(npu),
        compress=None if compress is None else parse_compress(compress, Path.cwd()),
    )
