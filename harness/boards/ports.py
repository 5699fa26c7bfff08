"""Serial ports of this machine, found by USB serial number."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import PackageMissingError, PortMissingError


@dataclass(frozen=True)
class SerialPort:
    """A serial port of this machine.

    Attributes:
        device: the name to open it by, such as /dev/ttyACM0 or COM3.
        serial_number: of its USB device; "" if it has none.
        description: the USB device's description.
    """

    device: str
    serial_number: str
    description: str


def serial_ports() -> tuple[SerialPort, ...]:
    """All serial ports of this machine.

    Raises:
        PackageMissingError: pyserial is not installed.
    """
    try:
        from serial.tools.list_ports import comports
    except ImportError:
        raise PackageMissingError.of("pyserial", "a serial port", "probe") from None

    found = [SerialPort(p.device, p.serial_number or "", p.description or "") for p in comports()]
    return tuple(sorted(found, key=lambda port: port.device))


def find_port(serial_number: str) -> SerialPort:
    """The port of a USB serial number; the first if the device has several, as an ST-LINK/V3 may.

    Raises:
        PortMissingError: there is none; details list all ports.
    """
    ports = serial_ports()
    wanted = serial_number.lower()
    for port in ports:
        if wanted and _same(port.serial_number.lower(), wanted):
            return port
    listed = "\n".join(f"{port.device}  {port.serial_number or '-'}  {port.description}" for port in ports)
    raise PortMissingError(
        f"no serial port belongs to USB serial number {serial_number}",
        hint="is the probe's virtual COM port there (driver, cable)? Another port: `uart.serial` in boards.yaml",
        details=f"serial ports of this machine:\n{listed}" if listed else "this machine has no serial port",
    )


def _same(number: str, wanted: str) -> bool:
    """Whether two serial numbers are one: a J-Link has zeros before its own at USB, and none where pyOCD names it."""
    return number == wanted or number.isdecimal() and wanted.isdecimal() and number.lstrip("0") == wanted.lstrip("0")
