"""Offers virtual boards to pyOCD as debug probes, when $TINYHIL_VIRTUAL_PROBE names boards, and never otherwise.

pyOCD loads this in every process of a machine that has tinyhil: it must cost nothing there.
"""

from __future__ import annotations

import os
from typing import Any

from pyocd.core.plugin import Plugin

from harness.virtual.variables import VARIABLE


class VirtualProbePlugin(Plugin):  # type: ignore[misc, unused-ignore]
    """The entry point."""

    def should_load(self) -> bool:
        """Only where it is asked for."""
        return bool(os.environ.get(VARIABLE))

    def load(self) -> Any:
        """The class of the probes."""
        from harness.virtual.probe import VirtualProbe

        return VirtualProbe

    @property
    def name(self) -> str:
        """What comes before the colon where a probe is named with its kind."""
        return "tinyhil"

    @property
    def description(self) -> str:
        """For `pyocd list --plugins`."""
        return "tinyhil's virtual boards"
