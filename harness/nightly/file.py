"""farm.yaml: what a night runs, and where.

farm: lab.example:20408            # or a .yaml file with the boards of this host
models: [models/*.hil.yaml]        # cards or models, relative to this file; patterns as of a shell
boards: [nucleo-h743, mps2-an386]
modes: [balanced, time]            # default: each card's own
runtimes: [tinyhil]
forms: [static]                    # and relocatable; default: each card's own
repeats: 3                         # of each job, for figures that vary
vectors: "20:7"                    # default: each card's own
workers: 6                         # at most; default: one a board
time_limit: 900                    # seconds a job may take
lease: 300                         # seconds after which a board is offered to others, between jobs
policy: policy.yaml                # of the comparison, see `tinyhil compare`
history: history.db                # default: the user's
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.errors import CardError, FarmFileError, OptionError, TinyhilError
from harness.files.yaml_mapping import checked_entry, read_mapping
from harness.runtimes import BOTH, DEFAULT_RUNTIME, TFLM
from harness.runtimes.forms import DEFAULT_FORM, Way, forms_of

if TYPE_CHECKING:
    from harness.validate.card import Card

_MOST_PARTS, _MOST_LEVELS = 100_000, 12
MOST_JOBS = 1_000_000
_HINT = "`tinyhil docs farm` shows one"
_Names = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
OWN_MODE = "own"
"""Stands for the mode that a card names itself."""


class NightFile(BaseModel):
    """The content of farm.yaml, checked; see the module."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    farm: Annotated[str, Field(min_length=1)]
    models: _Names
    boards: _Names
    modes: tuple[Literal["own", "time", "ram", "flash", "balanced"], ...] = ("own",)
    runtimes: _Names = ("tinyhil",)
    forms: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    repeats: Annotated[int, Field(ge=1, le=1000)] = 1
    vectors: str | int | None = None
    link: str = "auto"
    opinions: bool = False
    workers: Annotated[int, Field(ge=1, le=1000)] | None = None
    time_limit: Annotated[float, Field(gt=0, le=86_400)] = 900.0
    lease: Annotated[float, Field(gt=0, le=86_400)] = 300.0
    policy: str | None = None
    history: str | None = None


@dataclass(frozen=True)
class NightModel:
    """A model of a night.

    Attributes:
        name: unlike that of any other of the night.
        path: of its card, or its file.
        forms: that its card names.
    """

    name: str
    path: Path
    forms: tuple[str, ...] = (DEFAULT_FORM,)


@dataclass(frozen=True)
class NightPlan:
    """farm.yaml with everything it names looked up.

    Attributes:
        content: of the file.
        folder: that its paths are relative to.
        farm: the farm, its file absolute.
        models: all, in the order of the file.
        boards: names.
    """

    content: NightFile
    folder: Path
    farm: str
    models: tuple[NightModel, ...]
    boards: tuple[str, ...]

    def ways(self, model: NightModel) -> tuple[Way, ...]:
        """How a model is run: each runtime in each form that it has."""
        forms = self.content.forms or model.forms
        return tuple(Way(runtime, form) for runtime in self.content.runtimes for form in forms_of(runtime, forms))

    def beside(self, name: str | None) -> Path | None:
        """A path of the file; None for none."""
        return None if name is None else self.folder / name


def load_night(path: Path) -> NightPlan:
    """Reads and checks farm.yaml and what it names.

    Raises:
        FarmFileError: it cannot be read or breaks the schema, or names too many jobs; the message names file and key.
        CardError, ModelFileError: a model cannot be used.
        BoardConfigError, OptionError: a board or an option is unknown.
    """
    from harness.farm.address import parse_farm
    from harness.validate.card import parse_vectors
    from harness.validate.options import check_choice, choose_boards

    content = _read(path)
    folder = path.absolute().parent
    first, comma, rest = content.farm.partition(",")
    farm = f"{folder / first}{comma}{rest}" if first.endswith((".yaml", ".yml")) else content.farm
    try:
        parse_farm(farm)
        check_choice("link", content.link)
        for runtime in content.runtimes:
            check_choice("runtime", runtime)
            if runtime == BOTH:
                raise OptionError("`runtimes` is a list", hint=f"name each: [{DEFAULT_RUNTIME}, {TFLM}]")
        for form in content.forms:
            check_choice("form", form)
        if content.vectors is not None:
            parse_vectors(str(content.vectors), folder)
    except TinyhilError as error:
        raise FarmFileError(f"{path}: {error.message}", hint=error.hint) from None
    plan = NightPlan(content, folder, farm, tuple(_models(path, content, folder)), choose_boards(content.boards))
    each = sum(len(plan.ways(model)) for model in plan.models)
    jobs = each * len(plan.boards) * len(content.modes) * content.repeats
    if jobs > MOST_JOBS:
        raise FarmFileError(f"{path}: {jobs:,} jobs, more than {MOST_JOBS:,}", hint="make two nights of it")
    return plan


def _read(path: Path) -> NightFile:
    content = read_mapping(
        path, FarmFileError, what="models, boards and the like", hint=_HINT,
        most_parts=_MOST_PARTS, most_levels=_MOST_LEVELS,
    )  # fmt: skip
    return checked_entry(path, NightFile, content, FarmFileError, _HINT)


def _models(path: Path, content: NightFile, folder: Path) -> list[NightModel]:
    """The models that the patterns name, each once; a name that several have is told apart by the file's path."""
    found: dict[Path, Card] = {}
    for pattern in content.models:
        matches = [folder / pattern] if Path(pattern).is_absolute() or (folder / pattern).exists() else []
        matches = matches or sorted(folder.glob(pattern))
        if not matches:
            raise FarmFileError(f"{path}: models: {pattern}: no such file", hint="paths are relative to this file")
        for match in matches:
            found.setdefault(match.resolve(), _card(match))
    names = Counter(card.name for card in found.values())
    return [
        NightModel(card.name if names[card.name] == 1 else _relative(place, folder), place, card.form)
        for place, card in found.items()
    ]


def _card(path: Path) -> Card:
    from harness.validate.card import card_of

    if path.is_dir():
        raise CardError(f"{path}: a folder, where a card or model belongs", hint=f"name {path}/*.hil.yaml")
    return card_of(path)


def _relative(path: Path, folder: Path) -> str:
    root = folder.resolve()
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
