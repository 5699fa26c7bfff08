"""The flash controllers by name."""

from __future__ import annotations

from collections.abc import Callable

from harness.virtual.chip import FlashLayout
from harness.virtual.flash import FlashController
from harness.virtual.flash_f7 import F7Flash
from harness.virtual.flash_h7 import H7AFlash, H7Flash
from harness.virtual.flash_l4 import G0Flash, L4Flash, U5Flash
from harness.virtual.flash_nrf import NrfFlash
from harness.virtual.memory import Bytes

_CONTROLLERS: dict[str, type[FlashController]] = {
    "h7": H7Flash, "h7a": H7AFlash, "f7": F7Flash, "l4": L4Flash, "g0": G0Flash, "u5": U5Flash,
    "nrf": NrfFlash,
}  # fmt: skip


def make_flash(layout: FlashLayout, array: Bytes, changed: Callable[[], None]) -> FlashController:
    """The controller of a layout; `changed` is called when code in the array may have changed."""
    return _CONTROLLERS[layout.controller](layout, array, changed)
