"""Which board runs when one is asked for: itself, or what stands in for it while it is not attached."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.boards.records import Board, Resolved
from harness.boards.registry import find_board, load_boards
from harness.errors import BoardError, NotYetError

_USB_DEVICES = Path("/sys/bus/usb/devices")
_USB_HUB_CLASS = "09"


@dataclass(frozen=True)
class Probe:
    """A debug probe that is plugged in."""

    unique_id: str
    description: str


def resolve(name: str, boards: Mapping[str, Board] | None = None) -> Resolved:
    """The board that runs when `name` is asked for.

    Raises:
        BoardConfigError: no board has that name.
        NotYetError: a probe is attached, and this version cannot flash through it.
        BoardError: the board is not attached and nothing stands in for it.
    """
    boards = load_boards() if boards is None else boards
    asked = find_board(name, boards)
    if asked.backend != "pyocd":
        return Resolved(asked, asked, False, "")
    probes = attached_probes()
    if probes:
        what = ", ".join(f"{probe.description} ({probe.unique_id})" for probe in probes)
        raise NotYetError(
            f"a probe is attached ({what}), but this version cannot flash {name} yet",
            hint=f"run its stand-in by name (--board {asked.stand_in}), or unplug the probe",
        )
    if asked.stand_in is None:
        raise BoardError(f"{name} is not attached, and nothing stands in for it", hint="attach its debug probe")
    runs_on = find_board(asked.stand_in, boards)
    reason = f"no debug probe is attached: {runs_on.name} ({runs_on.core}, {runs_on.backend}) stands in for {name}"
    return Resolved(asked, runs_on, True, reason)


def attached_probes() -> tuple[Probe, ...]:
    """Debug probes that pyOCD sees; none where USB cannot be used at all."""
    if not _usb_has_devices():
        return ()  # pyOCD takes half a second to say the same
    try:
        from pyocd.core.helpers import ConnectHelper

        found = ConnectHelper.get_all_connected_probes(blocking=False, print_wait_message=False)
        return tuple(Probe(str(probe.unique_id), str(probe.description)) for probe in found)
    except Exception:  # pyOCD raises whatever libusb, hidapi or a plugin does; none of them means a probe
        return ()


def _usb_has_devices() -> bool:
    """False only where it is certain that nothing but hubs is plugged in."""
    if not sys.platform.startswith("linux"):
        return True
    try:
        classes = [path.read_text().strip() for path in _USB_DEVICES.glob("*/bDeviceClass")]
    except OSError:
        return True
    return any(usb_class != _USB_HUB_CLASS for usb_class in classes)
