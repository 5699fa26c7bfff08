"""Options of a run, which override a card's settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from harness.compiler.goals import Mode, Overrides
from harness.errors import OptionError
from harness.ethosu.vela import VelaOptions
from harness.runtimes import BOTH, DEFAULT_RUNTIME, RUNTIMES, TFLM, ProgramRuntime, Runtime
from harness.runtimes.forms import DEFAULT_FORM, FORMS, Way, forms_of
from harness.validate.card import TRUTHS, Card, CompressKeys, FileVectors, NpuKeys, RandomVectors

if TYPE_CHECKING:
    from harness.hardware.board import Board

LINKS = ("auto", "uart", "fast", "rtt")
SECOND_OPINIONS = ("litert-ref", "litert")
ORIGINAL_OPINION = "onnxruntime"
"""Of a model whose file is no .tflite, beside them."""
LAYER_VECTORS = 20


@dataclass(frozen=True)
class Options:
    """Options of a run.

    Attributes:
        link: "auto": the fastest of an emulated board, whose UART is then checked with the first vector, and the UART
            of others; "uart"; "fast" for the board's fastest; or "rtt" through the debug probe of a real board.
        vectors: replaces the card's vectors.
        oracle: replaces the card's oracle.
        opinions: second references, over the first 20 vectors; reported without effect on the verdict. Without any,
            live TFLM runs the first vector alone, for its figures.
        layer_vectors: layers are compared over this many vectors from the first on (a sequence: over all).
        sanitize: build with AddressSanitizer and UndefinedBehaviorSanitizer (host board only).
        placement: part of the image -> memory region; overrides the card's.
        probe: unique id of the debug probe, or BOARD=ID,...; see harness.boards.backends.pyocd.probes.wanted_probe.
        overrides: goals of the compiler; override the card's.
        runtime: name of the runtime that computes the model on the board, see harness.runtimes; None for the card's.
        forms: names of the forms that the model runs in, see harness.runtimes.forms; () for the card's.
        tflm_runner: Arm's program of TFLM, instead of the installed one.
        npu: what Vela compiles the model for; None for what the card says.
        compress: how weights are stored in fewer bits; None for what the card says.
    """

    link: str = "auto"
    vectors: RandomVectors | FileVectors | None = None
    oracle: str | None = None
    opinions: tuple[str, ...] = SECOND_OPINIONS
    layer_vectors: int = LAYER_VECTORS
    sanitize: bool = False
    placement: Mapping[str, str] = field(default_factory=dict)
    probe: str | None = None
    overrides: Overrides = Overrides()
    runtime: str | None = None
    forms: tuple[str, ...] = ()
    tflm_runner: Path | None = None
    npu: VelaOptions | None = None
    compress: CompressKeys | None = None


def apply_options(card: Card, options: Options) -> Card:
    """The card with the options' vectors, oracle, runtime and forms.

    For random vectors it is without what needs labels or targets; for a program that takes model files without what
    generated code is judged by: the outputs of its layers, and budgets.
    """
    changes: dict[str, object] = {}
    card = compressing(card, options.compress)
    if options.vectors is not None and options.vectors != card.vectors:
        changes["vectors"] = options.vectors
        if isinstance(options.vectors, RandomVectors):
            changes["checks"] = card.checks.model_copy(update=dict.fromkeys(TRUTHS))
            changes["float_model"] = None
    if options.oracle is not None:
        changes["oracle"] = options.oracle
    if options.runtime is not None:
        changes["runtime"] = options.runtime
    if options.forms:
        changes["form"] = options.forms
    if options.npu is not None:
        changes["npu"] = NpuKeys.of(options.npu)
    card = card.model_copy(update=changes) if changes else card
    if card.runtime == BOTH or not isinstance(RUNTIMES.get(card.runtime), ProgramRuntime):
        return card
    return card.model_copy(update={"checks": card.checks.model_copy(update={"layers": None}), "budgets": {}})


def compressing(card: Card, wanted: CompressKeys | None) -> Card:
    """The card with the compression of an option, else its own, found on data that other vectors do not exchange."""
    keys = wanted or card.compress
    if keys is not None and keys.data is None and isinstance(card.vectors, FileVectors):
        keys = keys.model_copy(update={"data": card.vectors})
    return card if keys is card.compress else card.model_copy(update={"compress": keys})


def chosen_runtime(name: str, board: Board) -> Runtime:
    """The runtime of a single run on a board; of both, tinyhil's.

    Raises:
        OptionError: there is none of that name, or it does not run there.
    """
    runtime = RUNTIMES.get(DEFAULT_RUNTIME if name == BOTH else name)
    if isinstance(runtime, ProgramRuntime) and (refusal := runtime.refusal(board)):
        raise OptionError(f"runtime {name} {refusal}", hint="leave --runtime out, or name another board")
    return runtime


def runtimes_of(card: Card, options: Options, board: str) -> tuple[str, ...]:
    """The runtimes that run the card one after the other on a board: of both, those that run there.

    Raises:
        BoardConfigError: there is no such board.
    """
    wanted = options.runtime or card.runtime
    if wanted != BOTH:
        return (wanted,)
    from harness.boards import resolve

    program = RUNTIMES.get(TFLM)
    runs = isinstance(program, ProgramRuntime) and not program.refusal(resolve(board, probe=options.probe).runs_on)
    return (DEFAULT_RUNTIME, TFLM) if runs else (DEFAULT_RUNTIME,)


def ways_of(card: Card, options: Options, board: str) -> tuple[Way, ...]:
    """How the card is run on a board, one way after the other: each runtime in each form that it has.

    Raises:
        BoardConfigError: there is no such board.
        OptionError: there is no such way.
    """
    forms = options.forms or card.form
    found = [Way(runtime, form) for runtime in runtimes_of(card, options, board) for form in forms_of(runtime, forms)]
    if not found:
        raise OptionError(
            f"runtime {options.runtime or card.runtime} runs model files as they are, and has no form {forms[0]}",
            hint=f"leave --runtime out, or take --form {DEFAULT_FORM}",
        )
    return tuple(found)


def in_way(options: Options, way: Way) -> Options:
    """The options of a run in one of these ways."""
    return replace(options, runtime=way.runtime, forms=(way.form,))


def way_words(way: Way) -> tuple[str, ...]:
    """What differs from tinyhil's own runtime and the form that is linked."""
    runtime = () if way.runtime == DEFAULT_RUNTIME else (way.runtime,)
    return runtime if way.form == DEFAULT_FORM else (*runtime, way.form)


def mode_of(card: Card, options: Options) -> Mode:
    """What is optimized for: as the options say, else the card, else the default."""
    return options.overrides.or_else(card.compile.overrides).goals.optimize


def npu_of(card: Card, options: Options) -> str | None:
    """The accelerator that Vela compiles for: as the options say, else the card; None for the core alone."""
    if options.npu is not None:
        return options.npu.accelerator
    return None if card.npu is None else card.npu.accelerator


def check_choice(option: Literal["link", "oracle", "runtime", "form"], value: str) -> None:
    """Checks the value of an option.

    Raises:
        OptionError: the value is not allowed.
    """
    from harness.oracle.oracle import gating_names

    names = {"link": lambda: LINKS, "oracle": gating_names, "runtime": runtime_choices, "form": FORMS.names}
    allowed = names[option]()
    if value not in allowed:
        raise OptionError(f"no {option} is named '{value}'", hint=f"one of: {', '.join(allowed)}")


def runtime_choices() -> tuple[str, ...]:
    """What a card or an option may name as runtime."""
    return (*RUNTIMES.names(), BOTH)


def choose_boards(names: Sequence[str]) -> tuple[str, ...]:
    """The boards named, each once; "all" stands for the boards whose backend always runs.

    Raises:
        BoardConfigError: a name is unknown.
    """
    from harness.boards import find_board, load_boards
    from harness.boards.backends import find_backend

    known = load_boards()
    chosen: list[str] = []
    for name in names:
        if name == "all":
            chosen += [board.name for board in known.values() if find_backend(board.backend).always_runs]
        else:
            chosen.append(find_board(name, known).name)
    return tuple(dict.fromkeys(chosen))
