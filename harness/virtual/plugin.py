"""pyOCD's plugin: offers the boards named in $TINYHIL_VIRTUAL_PROBE as debug probes.

pyOCD loads this in every process if tinyhil is installed, so it imports nothing else before it is used.
"""

from __future__ import annotations

import os
from typing import Any

from pyocd.core.plugin import Plugin

from harness.virtual.variables import VARIABLE


class VirtualProbePlugin(Plugin):  # type: ignore[misc, unused-ignore]
    """The entry point."""

    def should_load(self) -> bool:
        """Whether the variable is set."""
        return bool(os.environ.get(VARIABLE))

    def load(self) -> Any:
        """The class of the probes."""
        from harness.virtual.probe import VirtualProbe

        return VirtualProbe

    @property
    def name(self) -> str:
        """The kind of the probes, which precedes the colon in a probe's id."""
        return "tinyhil"

    @property
    def description(self) -> str:
        """The description in `pyocd list --plugins`."""
        return "tinyhil's virtual boards"
