"""The meters that can be named on the command line: lpm01a:PORT, joulescope."""

from __future__ import annotations

from harness.energy.meter import Meter
from harness.errors import OptionError

KINDS = ("lpm01a:PORT", "joulescope")


def check_meter(text: str) -> None:
    """Raises OptionError if a text names no meter; opens nothing."""
    kind, _, port = text.partition(":")
    if (kind == "lpm01a" and port) or text == "joulescope":
        return
    known = kind in ("lpm01a", "joulescope")
    what = f"'{text}' names no port" if kind == "lpm01a" else f"'{text}' takes no port" if known else f"no '{text}'"
    raise OptionError(f"meter: {what}", hint=f"one of: {', '.join(KINDS)}, such as lpm01a:/dev/ttyACM0")


def open_meter(text: str, *, volts: float) -> Meter:
    """The meter of a name.

    Args:
        text: "lpm01a:PORT" (a device or one of pySerial's URLs) or "joulescope".
        volts: that an LPM01A supplies; a Joulescope measures what a supply of its own gives.

    Raises:
        OptionError: there is no such meter.
        PackageMissingError: its package is not installed.
        MeterError, PortMissingError, PortBusyError: it cannot be opened.
    """
    check_meter(text)
    kind, _, port = text.partition(":")
    if kind == "lpm01a":
        from harness.energy.lpm01a import BAUD, Lpm01a
        from harness.link.serial import SerialTransport

        return Lpm01a(SerialTransport(port, BAUD), volts=volts)
    from harness.energy.joulescope import Joulescope

    return Joulescope()
