"""What a comparison allows: a YAML file of rules, checked by pydantic, over the defaults of harness.history.metrics.

rules:                              # the last rule that fits and says something wins
- {metric: time, unit: instructions, percent: 0.5}
- {metric: arena, board: "nucleo-*", absolute: 64}
- {metric: time, layer: "softmax*", judge: false}
noise: {assumed: 1.0, false_alarms: 0.0001, unstable: 10.0, window: 24}
missing: fail                       # a run or figure of BASE that CAND has not: fail, or report (the default)
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.errors import PolicyError
from harness.files.yaml_mapping import read_mapping
from harness.history.metrics import MEASURED_PERCENT, UNJUDGED, Better, is_measured, known_metrics, metric_of
from harness.history.records import FigureKey, Number, RunSubject

_MOST_PARTS, _MOST_LEVELS = 20_000, 8
_HINT = "`tinyhil docs history` explains the keys"

Amount = Annotated[float, Field(ge=0, le=1e18, allow_inf_nan=False)]


class PolicyKeys(BaseModel):
    """A part of a policy, of which no other keys are taken."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PolicyRule(PolicyKeys):
    """Where it fits (patterns as of a shell; what is not named fits all), and what it allows there.

    Attributes:
        layer: the rule is for layers of this name only; without it, for layers and for the whole run.
        percent, absolute: allowance for a change for the worse, of which the larger counts.
        judge: False: the figure is shown, and no change of it counts.
    """

    metric: str = "*"
    unit: str = "*"
    model: str = "*"
    board: str = "*"
    mode: str = "*"
    runtime: str = "*"
    layer: str | None = None
    percent: Amount | None = None
    absolute: Amount | None = None
    judge: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> PolicyRule:
        if self.percent is None and self.absolute is None and self.judge is None:
            raise ValueError("a rule sets percent, absolute or judge")
        if not any(character in self.metric for character in "*?[") and self.metric not in known_metrics():
            near = difflib.get_close_matches(self.metric, known_metrics(), n=1)
            told = f"; did you mean '{near[0]}'?" if near else f"; there are {', '.join(known_metrics())}"
            raise ValueError(f"no metric is named '{self.metric}'{told}")
        return self

    def fits(self, subject: RunSubject, figure: FigureKey) -> bool:
        """Whether it is for this figure, whatever the layer."""
        pairs = ((self.metric, figure.metric), (self.unit, figure.unit), (self.model, subject.model),
                 (self.board, subject.board), (self.mode, subject.mode), (self.runtime, subject.runtime))  # fmt: skip
        return all(pattern == "*" or fnmatchcase(text, pattern) for pattern, text in pairs)


class NoisePolicy(PolicyKeys):
    """How measured figures are judged, see harness.history.noise.

    Attributes:
        assumed: per cent of spread where little was measured.
        false_alarms: how often noise may be taken for a change, per comparison.
        unstable: per cent of spread over which a figure is unstable: nothing can be said of it.
        window: how many earlier runs tell the spread.
    """

    assumed: Annotated[float, Field(gt=0, le=100)] = 1.0
    false_alarms: Annotated[float, Field(gt=0, lt=1)] = 1e-4
    unstable: Annotated[float, Field(gt=0, le=1000)] = 10.0
    window: Annotated[int, Field(ge=2, le=1000)] = 24


class Policy(PolicyKeys):
    """What a comparison allows."""

    rules: Annotated[tuple[PolicyRule, ...], Field(max_length=1000)] = ()
    noise: NoisePolicy = NoisePolicy()
    missing: Literal["fail", "report"] = "report"
    unstable: Literal["fail", "report"] = "report"

    def allowances(self, subject: RunSubject, figure: FigureKey) -> AllowedChanges:
        """What is allowed for a figure of a run and of its layers."""
        metric = metric_of(figure.metric)
        percent = MEASURED_PERCENT if is_measured(figure) and not metric.percent else metric.percent
        judged = metric.better is not Better.NEITHER and figure.unit not in UNJUDGED
        rules = tuple(rule for rule in self.rules if rule.fits(subject, figure))
        return AllowedChanges(AllowedChange(percent, metric.absolute, judged), rules)


@dataclass(frozen=True)
class AllowedChange:
    """What is allowed for one figure."""

    percent: float
    absolute: float
    judged: bool

    def of(self, base: Number) -> float:
        """The largest change for the worse that is allowed, in the figure's unit."""
        return max(self.percent / 100 * abs(base), self.absolute)


@dataclass(frozen=True)
class AllowedChanges:
    """The same for the whole run and its layers: the default, and the rules that fit."""

    default: AllowedChange
    rules: tuple[PolicyRule, ...]

    @property
    def by_layer(self) -> bool:
        """Whether it depends on the layer's name."""
        return any(rule.layer is not None for rule in self.rules)

    def of(self, layer: str | None) -> AllowedChange:
        """What is allowed for a layer; None: for the whole run."""
        said: dict[str, Any] = {}
        for rule in self.rules:
            if rule.layer is None or (layer is not None and fnmatchcase(layer, rule.layer)):
                said |= rule.model_dump(include={"percent", "absolute", "judge"}, exclude_none=True)
        found = self.default
        return AllowedChange(
            said.get("percent", found.percent), said.get("absolute", found.absolute), said.get("judge", found.judged)
        )


def load_policy(path: Path) -> Policy:
    """The policy of a file.

    Raises:
        PolicyError: it cannot be read, is no YAML or breaks the schema; names file, line or key.
    """
    content = read_mapping(
        path, PolicyError, what="rules, noise, missing and unstable", hint=_HINT,
        most_parts=_MOST_PARTS, most_levels=_MOST_LEVELS,
    )  # fmt: skip
    try:
        return Policy.model_validate(content)
    except ValidationError as error:
        problems = [_problem(item) for item in error.errors(include_url=False, include_input=False)]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise PolicyError(f"{path}: {problems[0]}{more}", hint=_HINT, details="\n".join(problems[1:])) from None


def _problem(item: Any) -> str:
    place = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in item["loc"])
    said = "unknown key" if item["type"] == "extra_forbidden" else item["msg"].removeprefix("Value error, ")
    return f"{place}: {said}" if place else str(said)
