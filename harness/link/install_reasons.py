"""Why a firmware does not install a relocatable model: tinyhil_reloc_status of firmware/relocatable, in words."""

from __future__ import annotations

from harness.errors import DeviceRefusedError

REASONS = {
    64: ("it has fewer bytes than it should", "send the whole file"),
    65: ("its address in the slot is not aligned as it needs", "make it again: tinyhil generate MODEL --relocatable"),
    66: ("it is no relocatable model", "make one: tinyhil generate MODEL --relocatable"),
    67: ("its header is damaged", "make it again: tinyhil generate MODEL --relocatable"),
    68: ("it has another format", "build model and firmware by one version of tinyhil"),
    69: ("it is made for another runtime", "build model and firmware by one version of tinyhil"),
    70: ("it is made for another core", "make it for the board: tinyhil generate MODEL --relocatable --board X"),
    71: ("it needs a unit that the firmware's build has not", "make it for the board's core"),
    72: ("something in it points out of it", "make it again: tinyhil generate MODEL --relocatable"),
    73: ("its CRC is another one", "send it again"),
    74: ("its SHA-256 is another one", "send it again"),
    75: ("its weights are missing, or those of another model", "give the file that was made with it: --weights"),
    76: ("its arena has no room in the firmware", "build the firmware with more: --arena"),
    77: ("it was not verified", "sign it as the firmware wants"),
    78: ("it is not ready", "install it again"),
}
"""Status -> (what is wrong with the file, what to try)."""


def install_error(status: int) -> DeviceRefusedError:
    """The error that INSTALL's status stands for."""
    why, hint = REASONS.get(status, (f"status {status}", "build the firmware anew"))
    return DeviceRefusedError(f"the device does not install the model: {why}", hint=hint)
