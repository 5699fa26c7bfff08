"""How recipes write a training."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.training.plan import TrainingPlan


class TrainEntry(BaseModel):
    """Keys of a training; what is left out is as the step says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: Annotated[int, Field(ge=1, le=10_000)] | None = None
    batch: Annotated[int, Field(ge=1, le=65_536)] | None = None
    learning_rate: Annotated[float, Field(gt=0, le=10)] | None = None
    momentum: Annotated[float, Field(ge=0, lt=1)] | None = None
    weight_decay: Annotated[float, Field(ge=0, le=1)] | None = None
    schedule: Literal["one-cycle", "cosine", "constant"] | None = None
    teacher_temperature: Annotated[float, Field(gt=0, le=100)] | None = None
    teacher_weight: Annotated[float, Field(ge=0, le=1)] | None = None

    def plan(self, default: TrainingPlan) -> TrainingPlan:
        """The plan, with what is left out from `default`."""
        from dataclasses import replace

        return replace(default, **self.model_dump(exclude_none=True))
