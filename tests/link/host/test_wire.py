"""The numbers of the protocol stand in C and in Python: both must be the same."""

import re
from enum import IntEnum

import pytest

from harness.link import wire
from tests.support.paths import FIRMWARE

RUNTIME = FIRMWARE / "runtime"


def constants(header):
    """Name -> value of the defines and enumerators of a header."""
    text = re.sub(r"/\*.*?\*/", "", (RUNTIME / header).read_text(), flags=re.DOTALL)
    defined = re.findall(r"#\s*define (HIL_\w+) (0[xX][0-9A-Fa-f]+|\d+)U?\s*$", text, flags=re.MULTILINE)
    listed = re.findall(r"\b(HIL_\w+) = (0[xX][0-9A-Fa-f]+|\d+)", text)
    return {name: int(value, 0) for name, value in (*defined, *listed)}


def named(prefix, members):
    return {prefix + name: value for name, value in members}


def of_enum(prefix, enum: type[IntEnum]):
    return named(prefix, ((member.name, member.value) for member in enum))


WIRE, PORT = constants("hil_wire.h"), constants("hil_port.h")
NAMED = (
    of_enum("HIL_", wire.Kind)
    | of_enum("HIL_", wire.AnswerStatus)
    | of_enum("HIL_INVOKE_", wire.Mode)
    | of_enum("HIL_FLAG_", wire.HelloFlag)
    | of_enum("HIL_TABLE_", wire.ModelTable)
    | of_enum("HIL_SPACE_", wire.Space)
    | of_enum("HIL_FAULT_", wire.FaultKind)
    | named("HIL_PHASE_", ((name.upper(), number) for number, name in enumerate(wire.PHASES)))
    | {"HIL_PROTOCOL_VERSION": wire.PROTOCOL_VERSION, "HIL_NO_LAYER": wire.UNKNOWN, "HIL_UNKNOWN": wire.UNKNOWN}
    | {"HIL_WRITE_EXPECTED": wire.WRITE_EXPECTED}
)
OF_THE_FIRMWARE = {"HIL_FRAME_MAX", "HIL_REQUESTS_END"}
"""What only the device has to know: the host asks for the frame limit."""


@pytest.mark.parametrize("name", sorted(WIRE.keys() | NAMED.keys()))
def test_a_number_of_the_wire_is_the_same_on_both_sides(name):
    if name in OF_THE_FIRMWARE:
        assert name in WIRE and name not in NAMED
    else:
        assert WIRE.get(name) == NAMED.get(name)


@pytest.mark.parametrize(("prefix", "names"), [("HIL_TICK_", wire.TICK_UNITS), ("HIL_GUARD_", wire.GUARDS)])
def test_names_of_what_a_port_tells_stand_at_its_numbers(prefix, names):
    found = {name: value for name, value in PORT.items() if name.startswith(prefix)}
    assert found == named(prefix, ((name.upper().replace("-", "_"), number) for number, name in enumerate(names)))


def test_both_headers_were_read():
    assert len(WIRE) > 50 and len(PORT) == 8
