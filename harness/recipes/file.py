"""recipe.yaml: a network, the data it learns, a board, and what is done to make it smaller.

name: clothes
data: fashion-mnist               # or digits, or FILE.npz with x and y
pictures: 20000                   # of the training part; default: all
board: nucleo-l4r5
seed: 0
network:                          # or FILE.py:FUNCTION
  - conv: {channels: 16, kernel: 3, stride: 2}
  - depthwise: {kernel: 3}
  - conv: {channels: 32}
  - global_pool
  - dense: {outputs: 10}
train: {epochs: 6}
steps:
  - prune: {cycles: 0.5}
  - quantize
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, model_validator

from harness.errors import RecipeError
from harness.files.yaml_mapping import checked_entry, read_mapping
from harness.recipes.architecture import Blocks
from harness.recipes.entries import DistilEntry, ProjectEntry, PruneEntry, QuantizeEntry, TuneEntry
from harness.recipes.training_entry import TrainEntry
from harness.version import DEFAULT_BOARD

_MOST_PARTS, _MOST_LEVELS = 10_000, 12
_HINT = "`tinyhil docs recipes` shows one"


class StepChoice(BaseModel):
    """One step: exactly one key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prune: PruneEntry | None = None
    project: ProjectEntry | None = None
    distil: DistilEntry | None = None
    tune: TuneEntry | None = None
    quantize: QuantizeEntry | None = None

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        return {value: {}} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one(self) -> StepChoice:
        if len(self.model_fields_set) != 1:
            raise ValueError(f"one of {', '.join(type(self).model_fields)}, and no two in one entry")
        return self

    @property
    def kind(self) -> str:
        """The key."""
        (name,) = self.model_fields_set
        return name

    @property
    def entry(self) -> BaseModel:
        """Its value."""
        found: BaseModel = getattr(self, self.kind)
        return found


class RecipeFile(BaseModel):
    """The content of recipe.yaml, checked; see the module.

    Attributes:
        threads: of torch; another number may give other roundings.
        schemes: of docs/ptq.md, of which the one is taken that is right most often on what is held back.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$")] = "network"
    data: Annotated[str, Field(min_length=1)]
    pictures: PositiveInt | None = None
    board: Annotated[str, Field(min_length=1)] = DEFAULT_BOARD
    seed: NonNegativeInt = 0
    threads: Annotated[int, Field(ge=1, le=256)] = 1
    network: Blocks | str
    weights: str | None = None
    train: TrainEntry | None = None
    steps: tuple[StepChoice, ...] = ()
    schemes: Annotated[tuple[str, ...], Field(min_length=1)] = ("mse+bias+adaptive", "min-max")
    vectors: Annotated[int, Field(ge=1, le=10_000)] = 100

    @model_validator(mode="after")
    def _begins(self) -> RecipeFile:
        if self.train is None and self.weights is None:
            raise ValueError("train, or the weights of a network that is trained")
        return self


def read_recipe(path: Path) -> RecipeFile:
    """A recipe.

    Raises:
        RecipeError: it cannot be read, or breaks the schema.
    """
    found = read_mapping(
        path,
        RecipeError,
        what="names to values",
        hint=_HINT,
        most_parts=_MOST_PARTS,
        most_levels=_MOST_LEVELS,
    )
    return checked_entry(path, RecipeFile, found, RecipeError, _HINT)
