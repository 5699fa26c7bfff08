"""The serial port of a probe is found by its USB serial number."""

from types import SimpleNamespace

import pytest
from serial.tools import list_ports

from harness.boards.ports import find_port, serial_ports
from harness.errors import PortMissingError

PORTS = [
    SimpleNamespace(device="/dev/ttyACM1", serial_number="066BFF9876", description="STM32 STLink"),
    SimpleNamespace(device="/dev/ttyACM2", serial_number="0670FF1234", description="STLINK-V3 second"),
    SimpleNamespace(device="/dev/ttyACM0", serial_number="0670FF1234", description="STLINK-V3 first"),
    SimpleNamespace(device="/dev/ttyACM3", serial_number="000683459357", description="J-Link"),
    SimpleNamespace(device="/dev/ttyS0", serial_number=None, description=None),
]


@pytest.fixture(autouse=True)
def ports(monkeypatch):
    monkeypatch.setattr(list_ports, "comports", lambda: PORTS)


def test_the_port_is_found_by_usb_serial_number():
    assert find_port("066bff9876").device == "/dev/ttyACM1"
    assert find_port("0670FF1234").device == "/dev/ttyACM0"
    assert find_port("683459357").device == "/dev/ttyACM3", "a J-Link has zeros before its number at USB"
    assert [port.device for port in serial_ports()][-1] == "/dev/ttyS0"


def test_a_missing_port_lists_those_there_are(monkeypatch):
    with pytest.raises(PortMissingError, match="ABC") as caught:
        find_port("ABC")
    assert "/dev/ttyACM1  066BFF9876  STM32 STLink" in caught.value.details
    assert caught.value.stage == "port" and "uart.serial" in caught.value.hint
    monkeypatch.setattr(list_ports, "comports", list)
    with pytest.raises(PortMissingError) as caught:
        find_port("ABC")
    assert "no serial port" in caught.value.details


def test_a_port_without_serial_number_matches_nothing():
    with pytest.raises(PortMissingError):
        find_port("")
