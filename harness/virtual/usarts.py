"""The kinds of serial ports by name."""

from __future__ import annotations

from harness.virtual.nrf_uart import NrfUart
from harness.virtual.usart import IsrPort, StatusPort, Usart

KINDS: dict[str, type[Usart]] = {"isr": IsrPort, "status": StatusPort, "nrf": NrfUart}
