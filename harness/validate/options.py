"""Options of a run, which override a card's settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from harness.compiler.goals import Mode, Overrides
from harness.errors import OptionError
from harness.runtimes import DEFAULT_RUNTIME, RUNTIMES
from harness.validate.card import TRUTHS, Card, FileVectors, RandomVectors

LINKS = ("auto", "uart", "fast", "rtt")
SECOND_OPINIONS = ("litert-ref", "litert")
LAYER_VECTORS = 20


@dataclass(frozen=True)
class Options:
    """Options of a run.

    Attributes:
        link: "auto": the fastest of an emulated board, whose UART is then checked with the first vector, and the UART
            of others; "uart"; "fast" for the board's fastest; or "rtt" through the debug probe of a real board.
        vectors: replaces the card's vectors.
        oracle: replaces the card's oracle.
        opinions: second references, over the first 20 vectors; reported without effect on the verdict.
        layer_vectors: layers are compared over this many vectors from the first on (a sequence: over all).
        sanitize: build with AddressSanitizer and UndefinedBehaviorSanitizer (host board only).
        placement: part of the image -> memory region; overrides the card's.
        probe: unique id of the debug probe, or BOARD=ID,...; see harness.boards.backends.pyocd.probes.wanted_probe.
        overrides: goals of the compiler; override the card's.
        runtime: name of the runtime that computes the model on the board, see harness.runtimes.
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
    runtime: str = DEFAULT_RUNTIME


def apply_options(card: Card, options: Options) -> Card:
    """The card with the options' vectors and oracle; for random vectors without what needs labels or targets."""
    changes: dict[str, object] = {}
    if options.vectors is not None and options.vectors != card.vectors:
        changes["vectors"] = options.vectors
        if isinstance(options.vectors, RandomVectors):
            changes["checks"] = card.checks.model_copy(update=dict.fromkeys(TRUTHS))
            changes["float_model"] = None
    if options.oracle is not None:
        changes["oracle"] = options.oracle
    return card.model_copy(update=changes) if changes else card


def mode_of(card: Card, options: Options) -> Mode:
    """What is optimized for: as the options say, else the card, else the default."""
    return options.overrides.or_else(card.compile.overrides).goals.optimize


def check_choice(option: Literal["link", "oracle", "runtime"], value: str) -> None:
    """Checks the value of an option.

    Raises:
        OptionError: the value is not allowed.
    """
    from harness.oracle.oracle import gating_names

    allowed = {"link": lambda: LINKS, "oracle": gating_names, "runtime": RUNTIMES.names}[option]()
    if value not in allowed:
        raise OptionError(f"no {option} is named '{value}'", hint=f"one of: {', '.join(allowed)}")


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
