"""The keys of a recipe's steps."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.recipes.training_entry import TrainEntry


class PruneEntry(BaseModel):
    """Keys of the step.

    Attributes:
        cycles: share of the modelled cycles that are left at most.
        by: how channels are judged: by the factors of batch norms, or by the loss without them.
        rounds: of pruning and fine-tuning.
        multiple: channels are left in multiples of it, as kernels like them.
        train: the fine-tuning of a round.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cycles: Annotated[float, Field(gt=0, lt=1)] = 0.5
    by: Literal["loss", "scale"] = "loss"
    rounds: Annotated[int, Field(ge=1, le=100)] = 3
    multiple: Annotated[int, Field(ge=1, le=64)] = 4
    train: TrainEntry = TrainEntry()


class ProjectEntry(BaseModel):
    """Keys of the step.

    Attributes:
        weights: share of the weights of the large layers that are left at most.
        cycles: share of the network's modelled cycles that are left at most.
        large: a layer is large with so great a share of the network's weights; only these are projected.
        energy: least share of the outputs' variance that a projected layer keeps.
        multiple: of the channels that a layer is projected on.
        train: the fine-tuning afterwards.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    weights: Annotated[float, Field(gt=0, lt=1)] | None = None
    cycles: Annotated[float, Field(gt=0, lt=1)] | None = None
    large: Annotated[float, Field(ge=0, lt=1)] = 0.1
    energy: Annotated[float, Field(ge=0, le=1)] = 0.5
    multiple: Annotated[int, Field(ge=1, le=64)] = 4
    train: TrainEntry = TrainEntry()

    @model_validator(mode="after")
    def _one(self) -> ProjectEntry:
        if (self.weights is None) == (self.cycles is None):
            raise ValueError("weights or cycles, and not both")
        return self


class DistilEntry(BaseModel):
    """Keys of the step.

    Attributes:
        width: of the student, of that of the network before it.
        start: from the teacher's channels that would be missed most, or from new weights.
        multiple: of channels.
        train: of the student; `teacher_weight` and `teacher_temperature` are of the distillation.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    width: Annotated[float, Field(gt=0, le=1)] = 0.5
    start: Literal["teacher", "new"] = "teacher"
    multiple: Annotated[int, Field(ge=1, le=64)] = 4
    train: TrainEntry = TrainEntry()


class QuantizeEntry(BaseModel):
    """Keys of the step."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    train: TrainEntry = TrainEntry()


class TuneEntry(BaseModel):
    """Keys of the step: more training, by default with the first network as the teacher."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    train: TrainEntry = TrainEntry()
