"""Metrics of agreement between reference and board, with the names of ST Edge AI Core's validation report.

Formulas from "Evaluation report and metrics" of the ST Edge AI Core documentation, given with each function. A metric
is a function of an OutputPair and its line in METRICS; other packages add metrics by entry points of the group
"tinyhil.metrics". Reports show all metrics.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from harness.plugins import Table
from harness.validate.metrics.pair import OutputPair

__all__ = ["METRICS", "Metric", "OutputPair", "measure_agreement"]

Metric: TypeAlias = Callable[[OutputPair], float | None]
"""The metric's value of an output over all vectors; None where it does not apply."""

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
"""Name -> metric, in the order of reports."""


def measure_agreement(pair: OutputPair) -> dict[str, float | None]:
    """All metrics of an output, by name.

    Raises:
        PluginError: an installed package registers a metric that cannot be loaded.
    """
    return {name: METRICS.get(name)(pair) for name in METRICS.names()}
