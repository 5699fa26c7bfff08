"""The kinds of pipelines that there are, by the name that a core's table gives."""

from __future__ import annotations

from collections.abc import Mapping

from harness.cycles.chained import Chained
from harness.cycles.pipeline import Pipeline
from harness.cycles.scoreboard import Scoreboard
from harness.cycles.tables import CoreTable

PIPELINES: Mapping[str, type[Pipeline]] = {"chained": Chained, "scoreboard": Scoreboard}
"""Model of a core table -> its pipeline."""


def pipeline(table: CoreTable, regions: Mapping[int, str] | None = None) -> Pipeline:
    """An empty pipeline of a core."""
    return PIPELINES[table.model](table, regions or {})
