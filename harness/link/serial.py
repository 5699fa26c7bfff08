"""Bytes over a serial port."""

from __future__ import annotations

import contextlib

from harness.errors import PackageMissingError, PortBusyError, PortLostError, PortMissingError

try:
    import serial
except ImportError:
    raise PackageMissingError.of("pyserial", "a serial port", "probe") from None

_WRITE_TIMEOUT_S = 30.0


class SerialTransport:
    """A serial port of this machine, opened for itself alone."""

    def __init__(self, device: str, baud: int) -> None:
        """Open it.

        Args:
            device: such as /dev/ttyACM0 or COM3, or one of pySerial's URLs.
            baud: bits a second.

        Raises:
            PortBusyError: another process holds it.
            PortMissingError: it is not there, or may not be used.
        """
        self._name = device
        try:
            self._port = serial.serial_for_url(
                device, baudrate=baud, timeout=0, write_timeout=_WRITE_TIMEOUT_S, exclusive=True
            )
        except (serial.SerialException, ValueError, OSError) as error:
            text = str(error)
            if "lock" in text.lower() or "busy" in text.lower() or "Access is denied" in text:
                raise PortBusyError(
                    f"serial port {device} is in use by another process", hint="close the terminal or other test run"
                ) from error
            raise PortMissingError(
                f"serial port {device} cannot be opened: {text}",
                hint="is the board plugged in, and may you use the port (group dialout)?",
            ) from error

    def write(self, data: bytes) -> None:
        """Send all of it."""
        try:
            self._port.write(data)
        except (serial.SerialException, OSError, TypeError) as error:
            raise self._lost(error) from error

    def read(self, timeout_s: float) -> bytes:
        """Whatever has come."""
        try:
            waiting = self._port.in_waiting
            self._port.timeout = 0 if waiting else max(timeout_s, 0.0)
            first: bytes = self._port.read(max(waiting, 1))
            if not waiting and first:
                self._port.timeout = 0
                first += self._port.read(max(self._port.in_waiting, 1))
            return first
        # pySerial trips over its own closed descriptor with a TypeError
        except (serial.SerialException, OSError, TypeError) as error:
            raise self._lost(error) from error

    def fileno(self) -> int:
        """The descriptor to wait on. Raises OSError where the port has none, as on Windows."""
        return int(self._port.fileno())

    def set_baud(self, baud: int) -> None:
        """Go on at another rate; what came at the old one and was not read is dropped.

        Raises:
            PortLostError: the port is gone or cannot have this rate.
        """
        try:
            self._port.baudrate = baud
            self._port.reset_input_buffer()
        except (serial.SerialException, ValueError, OSError, TypeError) as error:
            raise self._lost(error) from error

    def close(self) -> None:
        """Close the port."""
        with contextlib.suppress(serial.SerialException, OSError):
            self._port.close()

    def _lost(self, error: Exception) -> PortLostError:
        return PortLostError(f"serial port {self._name}: {error}", hint="was the board unplugged or reset? Run again")
