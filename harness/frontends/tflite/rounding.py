"""Operators of a .tflite that round otherwise than TFLM, which the format has no field for: metadata of tinyhil's own.

A file that an ONNX model became has them; TFLM and other readers do not look there, and compute with TFLM's rounding.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from harness.errors import ModelFileError
from harness.frontends.tflite.flatbuffer import FlatTable
from harness.frontends.tflite.metadata import metadata_of
from harness.quantization.types import Rounding

ROUNDING = "tinyhil.rounding"
"""Name of the metadata: JSON, an object that has for a rounding's name the indices of operators of subgraph 0."""

_MAX_ENTRIES = 64
_MAX_BYTES = 1 << 20


def rounding_metadata(operators: Mapping[int, Rounding]) -> dict[str, bytes]:
    """The metadata for operators by index; {} where all round as TFLM does."""
    named: dict[str, list[int]] = {}
    for index, rounding in sorted(operators.items()):
        if rounding is not Rounding.TFLM:
            named.setdefault(rounding.value, []).append(index)
    return {ROUNDING: json.dumps(named, separators=(",", ":")).encode()} if named else {}


def file_roundings(data: bytes, place: str, count: int) -> dict[int, Rounding]:
    """The roundings of a file of `count` operators, by operator; of others it is TFLM's.

    Raises:
        ModelFileError: the metadata are damaged, which would change what is computed.
    """
    content = metadata_of(FlatTable.root(data, place), ROUNDING, _MAX_ENTRIES)
    if content is None:
        return {}
    known = {rounding.value: rounding for rounding in Rounding}
    try:
        named = json.loads(content[:_MAX_BYTES])
        pairs = [(index, known[name]) for name, indices in named.items() for index in indices]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise _damaged(place, "is not what tinyhil writes") from None
    found = dict(pairs)
    sound = all(type(index) is int and 0 <= index < count for index in found)
    if not sound or len(found) != len(pairs):
        raise _damaged(place, f"names operators that are not among the file's {count}, or one twice")
    return found


def rounded_as_tflm(data: bytes) -> bytes:
    """The file with TFLM's rounding throughout, for tools that know no other and number operators anew."""
    return data.replace(ROUNDING.encode(), b"-" * len(ROUNDING))


def rounding_notes(operators: Mapping[int, Rounding]) -> tuple[str, ...]:
    """What people are told of operators that round otherwise than TFLM."""
    count = sum(rounding is Rounding.ONNX for rounding in operators.values())
    if not count:
        return ()
    return (
        f"{count} operators round as ONNX Runtime does, in float32, once, ties to even: TFLM is no oracle of this "
        "model, the specification (spec) is",
    )


def _damaged(place: str, why: str) -> ModelFileError:
    return ModelFileError(f"{place}: metadata '{ROUNDING}' {why}", hint="convert the ONNX file again")
