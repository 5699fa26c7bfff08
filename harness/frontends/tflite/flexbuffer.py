"""The FlexBuffer options of custom operators: a map of numbers and booleans."""

from __future__ import annotations

import struct

from flatbuffers import flexbuffers

from harness.ir.operators.tflite import Unsupported, damaged

_MAX_KEYS = 64
_WRONG = (struct.error, IndexError, ValueError, TypeError, KeyError, AssertionError)
"""What the library raises for bytes that are no FlexBuffer; it follows no cycles as long as nothing nested is read."""


def numbers_of(data: bytes, place: str) -> dict[str, int | float]:
    """The map by its keys, in the order of the file; empty without data.

    Raises:
        ModelFileError: the bytes are no FlexBuffer, or an offset in them leads outside.
        Unsupported: it is no map, or holds anything but numbers and booleans.
    """
    if not data:
        return {}
    try:
        root = flexbuffers.GetRoot(data)
        if not root.IsMap:
            raise Unsupported("options that are no map")
        values, keys = root.AsMap.Values, root.AsMap.Keys
        if len(values) != len(keys) or len(keys) > _MAX_KEYS:
            raise damaged(f"{place}: {len(keys)} keys of {len(values)} options")
        found: dict[str, int | float] = {}
        for i in range(len(keys)):
            name, value = keys[i].AsKey, values[i]
            if not (value.IsInt or value.IsBool or value.IsFloat):
                raise Unsupported(f"the option {name!r} that is no number")
            found[name] = float(value.AsFloat) if value.IsFloat else int(value.AsInt)
    except _WRONG:
        raise damaged(f"{place}: custom options that are no FlexBuffer") from None
    return found
