"""The payload that Vela leaves for the driver of the NPU: configuration word and command stream.

Source: Vela 5.2, regor/tflite/custom_operator_ethosu.hpp (payloads COP1 and COP2).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.errors import ModelFileError

CUSTOM_CODE = "ethos-u"
"""The custom code of the operators that run on the NPU."""

MOST_MEMORY = 1 << 28
"""Bytes of a memory that are simulated, such as the arena."""

_ACTIONS_1, _ACTIONS_2 = b"COP1", b"COP2"
_CONFIGURATION, _STREAM, _NOTHING = 1, 2, 5
_METADATA_SIZE = 20
_LOCAL = 2

Words = npt.NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class Payload:
    """What the driver is given: the configuration word, the command stream, and whether inputs are regions apart."""

    config: int
    words: Words
    separate: bool = False


def read_payload(content: bytes, place: str) -> Payload:
    """The parts of a payload.

    Raises:
        ModelFileError: it is damaged, or of another kind.
    """
    if content[:4] == _ACTIONS_2:
        return _second_form(content, place)
    if content[:4] != _ACTIONS_1 or len(content) % 4:
        raise _damaged(f"{place}: a payload of {len(content)} bytes that begins with {content[:4]!r}, not COP1 or COP2")
    words = np.frombuffer(content, "<u4")
    at, config = 1, None
    while at < len(words):
        action = int(words[at]) & 0xFF
        if action == _CONFIGURATION and at + 2 < len(words):
            config = int(words[at + 1])
            at += 3
        elif action == _NOTHING:
            at += 1
        elif action == _STREAM:
            count = int(words[at]) >> 16 | (int(words[at]) >> 8 & 0xFF) << 16
            if config is None or at + 1 + count > len(words):
                raise _damaged(f"{place}: word {at}, a stream of {count} words in {len(words)}, or none configured")
            return Payload(config, words[at + 1 : at + 1 + count])
        else:
            raise _damaged(f"{place}: word {at}, 0x{int(words[at]):08x} is no action of a driver")
    raise _damaged(f"{place}: no command stream in the payload")


def _second_form(content: bytes, place: str) -> Payload:
    """Header (16 bytes), entry (kind, length), metadata (length, VEUM, version, length, data), stream."""
    if len(content) < 24 + 16 + _METADATA_SIZE or content[28:32] != b"VEUM":
        raise _damaged(f"{place}: a payload COP2 of {len(content)} bytes without its metadata")
    kind, length, metadata = struct.unpack_from("<III", content, 16)
    config, _, features = struct.unpack_from("<III", content, 40)
    start, end = 28 + metadata, 24 + length
    if kind != 1 or not 28 + 12 <= start <= end <= len(content) or (end - start) % 4:
        raise _damaged(f"{place}: a payload COP2 whose entry (kind {kind}) has {length} bytes, {metadata} of metadata")
    return Payload(config, np.frombuffer(content[start:end], "<u4"), bool(features & _LOCAL))


def _damaged(what: str) -> ModelFileError:
    return ModelFileError(what, hint="the file is damaged or cut short; compile the model again with Vela")
