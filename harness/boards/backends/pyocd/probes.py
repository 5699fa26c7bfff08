"""Attached debug probes, and the choice of one for a board."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.errors import PackageMissingError, ProbeChoiceError, ProbeMissingError
from harness.hardware.board import Board, Probe, Resolved
from harness.resources import has_package

VARIABLE = "TINYHIL_PROBE"
VIRTUAL_VARIABLE = "TINYHIL_VIRTUAL_PROBE"
_USB_DEVICES = Path("/sys/bus/usb/devices")
_USB_HUB_CLASS = "09"


def is_installed() -> bool:
    """Whether the extra "probe" is installed."""
    return has_package("pyocd")


def missing() -> PackageMissingError:
    """The error for pyOCD that is not installed."""
    return PackageMissingError.of("pyocd", "a debug probe", "probe")


def attached_probes() -> tuple[Probe, ...]:
    """Debug probes that pyOCD finds; none where it is not installed, or USB cannot be used."""
    if not is_installed():
        return ()
    if not usb_has_devices() and not os.environ.get(VIRTUAL_VARIABLE):
        return ()  # pyOCD takes half a second for the same result
    try:
        from pyocd.core.helpers import ConnectHelper

        _offer_virtual_probes()
        found = ConnectHelper.get_all_connected_probes(blocking=False, print_wait_message=False)
        return tuple(_record(probe) for probe in found)
    except Exception:  # pyOCD passes on any exception of libusb, hidapi or a plugin; then there is no usable probe
        return ()


def wanted_probe(board: Board, given: str | None = None) -> str | None:
    """The unique id of the probe that the user asks for, or a part of it; None if any will do.

    From `given`, else $TINYHIL_PROBE, else the board's entry in boards.yaml.

    Args:
        board: the board to use through it.
        given: --probe's value: an id, or BOARD=ID,... where several boards run.
    """
    for text in (given, os.environ.get(VARIABLE)):
        for part in (text or "").split(","):
            name, equals, unique_id = part.strip().rpartition("=")
            if unique_id and (not equals or name == board.name):
                return unique_id
    return board.probe


def choose_probe(board: Board, given: str | None = None, attached: Sequence[Probe] | None = None) -> Probe | None:
    """The probe to use for a board; None if none is attached and none was asked for.

    Raises:
        PackageMissingError: a probe was asked for, and pyOCD is not installed.
        ProbeMissingError: the probe that was asked for is not attached.
        ProbeChoiceError: several match.
    """
    attached = attached_probes() if attached is None else attached
    wanted = wanted_probe(board, given)
    if wanted is None:
        if len(attached) > 1:
            raise ProbeChoiceError(
                f"{len(attached)} debug probes are attached, and none is chosen for {board.name}",
                hint=f"choose one by its unique id: --probe ID, {VARIABLE}=ID, or `probe: ID` in boards.yaml",
                details=_listed(attached),
            )
        return attached[0] if attached else None
    if not attached and not is_installed():
        raise missing()
    exact = [probe for probe in attached if probe.unique_id.lower() == wanted.lower()]
    found = exact or [probe for probe in attached if wanted.lower() in probe.unique_id.lower()]
    if not found:
        raise ProbeMissingError(
            f"debug probe {wanted}, chosen for {board.name}, is not attached",
            hint="plug it in, or choose one that is: `tinyhil boards --probe` lists them",
            details=_listed(attached) or "none is attached",
        )
    if len(found) > 1:
        raise ProbeChoiceError(
            f"{len(found)} debug probes have {wanted} in their unique id",
            hint="give the whole id",
            details=_listed(found),
        )
    return found[0]


def board_at(probe: Probe, board: Board) -> Resolved:
    """The board at a probe; marked as a stand-in if the probe is virtual."""
    reason = ""
    if probe.virtual:
        chip = board.chip or board.core
        reason = f"probe {probe.unique_id} is virtual: an emulated {chip} stands in for {board.name}"
    return Resolved(board, board, probe.virtual, reason, probe)


def _offer_virtual_probes() -> None:
    """Registers the virtual probe with pyOCD, which loads plugins once, and only those of installed packages."""
    if os.environ.get(VIRTUAL_VARIABLE):
        from pyocd.probe.aggregator import PROBE_CLASSES

        from harness.virtual.plugin import VirtualProbePlugin

        plugin = VirtualProbePlugin()
        PROBE_CLASSES.setdefault(plugin.name, plugin.load())


def _listed(probes: Sequence[Probe]) -> str:
    return "\n".join(f"{probe.unique_id}  {probe.description}" for probe in probes)


def _record(probe: Any) -> Probe:
    """pyOCD's probe as a record. A virtual one has an attribute of its class that marks it."""
    return Probe(str(probe.unique_id), str(probe.description), bool(getattr(probe, "is_virtual", False)))


def usb_has_devices() -> bool:
    """Whether a USB device other than a hub may be plugged in; False only if that is certain."""
    if not sys.platform.startswith("linux"):
        return True
    try:
        classes = [path.read_text().strip() for path in _USB_DEVICES.glob("*/bDeviceClass")]
    except OSError:
        return True
    return any(usb_class != _USB_HUB_CLASS for usb_class in classes)
