"""What `--farm` names: a coordinator, or a file with the boards of this host; and what a lease asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import FarmFileError

_KEY = re.compile(r"[a-z][a-z0-9_]{0,30}")
_VALUE = re.compile(r"[A-Za-z0-9_.-]{1,62}")
_HINT = "as in --farm lab.example:20408, --farm bench.yaml or --farm lab.example:20408,kind=real,priority=5,wait=600"
DEFAULT_WAIT_S = 600.0


@dataclass(frozen=True)
class FarmAddress:
    """A farm, and how its boards are asked for.

    Attributes:
        coordinator: HOST:PORT of labgrid's coordinator; "" for a bench of this host.
        bench: the file with the boards of this host; None for a coordinator.
        tags: that a board must have besides its type.
        priority: in the queue; more is earlier, 0 is usual.
        wait_s: seconds to wait for a board.
    """

    coordinator: str
    bench: Path | None
    tags: Mapping[str, str] = field(default_factory=dict)
    priority: float = 0.0
    wait_s: float = DEFAULT_WAIT_S

    @property
    def place(self) -> str:
        """The coordinator or the file, for messages."""
        return self.coordinator or str(self.bench)


def parse_farm(text: str) -> FarmAddress:
    """The farm that an option names: HOST:PORT or a file, then KEY=VALUE separated by commas: tags, priority, wait.

    Raises:
        FarmFileError: it is neither.
    """
    first, *rest = text.split(",")
    wanted: dict[str, str] = {}
    for part in rest:
        key, equals, value = part.partition("=")
        if not equals or not _KEY.fullmatch(key) or not _VALUE.fullmatch(value):
            raise FarmFileError(f"--farm {text}: '{part}' is no KEY=VALUE", hint=_HINT)
        wanted[key] = value
    numbers = {}
    for key, default, least, most in (("priority", 0.0, -1e6, 1e6), ("wait", DEFAULT_WAIT_S, 0.0, 1e6)):
        try:
            numbers[key] = float(wanted.pop(key, default))
            if not least <= numbers[key] <= most:
                raise ValueError
        except ValueError:
            raise FarmFileError(f"--farm {text}: {key} must be a number", hint=_HINT) from None
    host, colon, port = first.rpartition(":")
    if colon and host and port.isascii() and port.isdigit() and 0 < int(port) < 65536:
        return FarmAddress(first, None, wanted, numbers["priority"], numbers["wait"])
    if first.endswith((".yaml", ".yml")):
        return FarmAddress("", Path(first).absolute(), wanted, numbers["priority"], numbers["wait"])
    raise FarmFileError(f"--farm {text}: neither HOST:PORT nor a .yaml file with boards of this host", hint=_HINT)
