"""The core models by the name in a core's table."""

from __future__ import annotations

from collections.abc import Mapping

from harness.cycles.chained import Chained
from harness.cycles.pipeline import Pipeline
from harness.cycles.scoreboard import Scoreboard
from harness.cycles.tables import CoreTable

PIPELINES: Mapping[str, type[Pipeline]] = {"chained": Chained, "scoreboard": Scoreboard}
"""CoreTable.model -> pipeline class."""


def pipeline(table: CoreTable, regions: Mapping[int, str] | None = None) -> Pipeline:
    """An empty pipeline of a core."""
    return PIPELINES[table.model](table, regions or {})
