"""What is followed over time: one list of metrics, each with its direction, unit and allowance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from harness.history.records import FigureKey
from harness.units import Unit

LSB, ELEMENTS, LAYERS, SHARE, MACS = "LSB", "elements", "layers", "share", "MACs"
"""Units of figures beside those of harness.units."""


class Better(StrEnum):
    """Which way is better; NEITHER for what is shown and judged by nobody."""

    LOWER = "lower"
    HIGHER = "higher"
    NEITHER = "neither"


@dataclass(frozen=True)
class HistoryMetric:
    """A metric.

    Attributes:
        name: in policies, JSON and the store.
        title: in words.
        better: which way.
        percent, absolute: allowance for a change for the worse, of which the larger counts; the latter in the unit.
        zero: whether a layer without a figure has 0: only what is not 0 is kept.
    """

    name: str
    title: str
    better: Better = Better.LOWER
    percent: float = 0.0
    absolute: float = 0.0
    zero: bool = False


METRICS = (
    HistoryMetric("time", "time of an inference"),
    HistoryMetric("arena", "arena"),
    HistoryMetric("stack", "stack"),
    HistoryMetric("flash", "flash of the network"),
    HistoryMetric("constants", "weights and tables"),
    HistoryMetric("flash.text", "code of the network", Better.NEITHER),
    HistoryMetric("flash.rodata", "constants in flash", Better.NEITHER),
    HistoryMetric("ram.data", "initialized RAM of the network", Better.NEITHER),
    HistoryMetric("ram.bss", "zeroed RAM of the network", Better.NEITHER),
    HistoryMetric("outputs.max_lsb", "largest difference of an output from the reference", zero=True),
    HistoryMetric("outputs.differing", "elements of outputs that differ from the reference", zero=True),
    HistoryMetric("layers.differing", "layers that differ from the reference", zero=True),
    HistoryMetric("layer.max_lsb", "largest difference of a layer from the reference", zero=True),
    HistoryMetric("accuracy", "accuracy", Better.HIGHER),
    HistoryMetric("macs", "multiply-accumulates", Better.NEITHER),
)
"""All metrics. A figure of a metric that is not here is kept and shown, and judged by nobody."""

_BY_NAME = {metric.name: metric for metric in METRICS}

MEASURED = frozenset({Unit.CYCLES.value, Unit.HOST_NS.value, "uJ", "ns"})
"""Units that come with noise; all others are exact: the same image gives the same figure."""

MEASURED_PERCENT = 1.0
"""Default allowance of measured figures, per cent."""

UNJUDGED = frozenset({Unit.HOST_NS.value})
"""Units that say nothing of a microcontroller: shown, never judged unless a policy says so."""


def metric_of(name: str) -> HistoryMetric:
    """The metric of this name; of an unknown name one that nobody judges."""
    return _BY_NAME.get(name) or HistoryMetric(name, name, Better.NEITHER)


def known_metrics() -> Iterable[str]:
    """Names of all metrics."""
    return _BY_NAME


def is_measured(figure: FigureKey) -> bool:
    """Whether the figure comes with noise."""
    return figure.unit in MEASURED
