"""The serial line of a board: connects the chip's serial port and the terminal while the pins have that alternate
function.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.errors import BoardError
from harness.virtual.bus import Bus
from harness.virtual.chip import Chip, Wiring
from harness.virtual.terminal import Terminal
from harness.virtual.usart import Usart


class WiredLine:
    """The line of a serial port through two pins."""

    def __init__(self, chip: Chip, wiring: Wiring, bus: Bus, terminal: Terminal, note: Callable[[str], None]) -> None:
        """Connects the port.

        Raises:
            BoardError: the chip has no such serial port.
        """
        ports = {usart.name: usart for usart in chip.usarts}
        if wiring.usart not in ports:
            raise BoardError(
                f"the virtual {chip.name} has no serial port {wiring.usart.upper()}",
                hint="correct `uart` in boards.yaml; it has: " + ", ".join(name.upper() for name in ports),
            )
        self._wiring = wiring
        self._bus = bus
        self._terminal = terminal
        self._note = note
        self._function = ports[wiring.usart].function
        self._port = bus.named(wiring.usart)

    def take(self, baud: float) -> tuple[bytes, bool]:
        """Takes bytes from the terminal if the receiving pin is connected."""
        return self._terminal.take(baud) if self._connected(self._wiring.rx, False) else (b"", False)

    def give(self, data: bytes, baud: float) -> None:
        """Gives bytes to the terminal if the transmitting pin is connected."""
        if self._connected(self._wiring.tx, True):
            self._terminal.give(data, baud)

    def is_full(self) -> bool:
        """Whether the terminal takes no more bytes for now."""
        return self._terminal.is_full()

    def _connected(self, pin: str, transmits: bool) -> bool:
        """Whether a pin is connected to the serial port."""
        chosen = self._port.pin(transmits) if isinstance(self._port, Usart) else None
        if self._has_function(pin) if chosen is None else chosen == _number(pin):
            return True
        self._note(f"pin {pin.upper()} is not switched to {self._wiring.usart.upper()}")
        return False

    def _has_function(self, pin: str) -> bool:
        """Whether a pin's mode and alternate function connect it."""
        device, number = self._bus.named(f"gpio{pin[1].lower()}"), int(pin[2:])
        mode = device.words.get(0x00, 0) >> 2 * number & 3
        function = device.words.get(0x20 + 4 * (number // 8), 0) >> 4 * (number % 8) & 15
        return mode == 2 and function == self._function


def _number(pin: str) -> int:
    """The number of an nRF's pin: "p1.02" is 34."""
    port, _, number = pin[1:].partition(".")
    return 32 * int(port) + int(number)
