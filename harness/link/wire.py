"""The numbers of the protocol, as firmware/runtime/hil_wire.h and hil_port.h have them; docs/protocol.md tells more."""

from __future__ import annotations

from enum import IntEnum, IntFlag

PROTOCOL_VERSION = 1
ANSWER = 0x80
"""Added to a request's type in its answer."""
UNKNOWN = 0xFFFFFFFF
"""A figure that the device cannot tell, and the layer where none is observed."""
TICK_UNITS = ("none", "emulated", "cycles", "host-ns")
GUARDS = ("none", "mpu", "limit", "canary")
WRITE_EXPECTED = 0xFF
"""The index for WRITE of what mode COMPARE expects; inputs have those below."""
PHASES = ("idle", "init", "invoke")


class Kind(IntEnum):
    """Types of frames; an answer's type is its request's with the highest bit set."""

    HELLO = 0x01
    MODEL = 0x02
    INIT = 0x03
    WRITE = 0x04
    INVOKE = 0x05
    CONTINUE = 0x06
    READ = 0x07
    WATERMARK = 0x08
    RESET = 0x09
    REPEAT = 0x0A
    BAUD = 0x0B
    LINE = 0x0C
    GAPS = 0x0D
    SLOT = 0x0E
    PUT = 0x0F
    INSTALL = 0x10
    TEST = 0x60
    ACCEPTED = 0xF0
    DAMAGED = 0xF1
    READY = 0xF2
    FAULT = 0xFF


class AnswerStatus(IntEnum):
    """What every answer begins with."""

    OK = 0
    BAD_COMMAND = 1
    BAD_LENGTH = 2
    BAD_MODEL = 3
    BAD_STATE = 4
    BAD_RANGE = 5
    MODEL_FAILED = 6
    TOO_MANY_LAYERS = 7
    NO_SESSION = 8


class Mode(IntFlag):
    """What INVOKE is to do besides running the model."""

    PROFILE = 1
    STEP = 2
    LAYER_STACK = 4
    INLINE = 8
    COMPARE = 16


class HelloFlag(IntFlag):
    """Facts that the answer to HELLO tells by a bit each."""

    TICKS_RUN = 1
    TEST_FAULTS = 2
    COMPARES = 4
    INSTALLS = 8


class ModelTable(IntEnum):
    """What MODEL tells of a model."""

    FACTS = 0
    INPUTS = 1
    OUTPUTS = 2
    LAYERS = 3


class Space(IntEnum):
    """What READ reads."""

    OUTPUT = 0
    LAYER = 1
    TICKS = 2
    LAYER_STACK = 3
    ARENA = 4


class FaultKind(IntEnum):
    """What stopped the firmware."""

    HARD = 1
    MEMORY = 2
    BUS = 3
    USAGE = 4
    STACK = 5
    INTERRUPT = 6
    SIGNAL = 7
    SECURE = 8
