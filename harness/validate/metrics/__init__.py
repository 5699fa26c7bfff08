"""Metrics of agreement between reference and board, as the validation report of ST Edge AI Core names them.

Formulas after the list in "Evaluation report and metrics" of the ST Edge AI Core documentation; each stands with its
function. A metric is a function of an OutputPair and its line in METRICS; packages add theirs by entry points of the
group "tinyhil.metrics". Reports show all that there are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from harness.plugins import Table
from harness.validate.metrics.pair import OutputPair

__all__ = ["METRICS", "Metric", "OutputPair", "measure_agreement"]

Metric: TypeAlias = Callable[[OutputPair], float | None]
"""The agreement of an output over all vectors; None where the metric does not apply to it."""

METRICS: Table[Metric] = Table(
    "metric",
    "tinyhil.metrics",
    {
        "acc": "harness.validate.metrics.classes:acc",
        "rmse": "harness.validate.metrics.error:rmse",
        "mae": "harness.validate.metrics.error:mae",
        "l2r": "harness.validate.metrics.error:l2r",
        "mean": "harness.validate.metrics.error:mean",
        "std": "harness.validate.metrics.error:std",
        "nse": "harness.validate.metrics.efficiency:nse",
        "cos": "harness.validate.metrics.similarity:cos",
    },
)
"""In the order in which they are reported."""


def measure_agreement(pair: OutputPair) -> dict[str, float | None]:
    """All metrics of an output, by name.

    Raises:
        PluginError: an installed package registers a metric that cannot be loaded.
    """
    return {name: METRICS.get(name)(pair) for name in METRICS.names()}
