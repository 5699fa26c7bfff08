"""Debug probes that are plugged in."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

_USB_DEVICES = Path("/sys/bus/usb/devices")
_USB_HUB_CLASS = "09"


@dataclass(frozen=True)
class Probe:
    """A debug probe that is plugged in."""

    unique_id: str
    description: str


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
