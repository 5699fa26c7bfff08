"""The link map that GNU ld writes (-Map): which object each part of an output section came from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

PADDING = "(padding)"

_SECTION = re.compile(
    r"^(?P<name>\.?[^\s*(]\S*)?\s+0x(?P<address>[0-9a-f]+)\s+0x(?P<size>[0-9a-f]+)(?:\s+(?P<rest>.*))?$"
)


@dataclass(frozen=True)
class InputSection:
    """A section of an object file, as placed in an output section.

    Attributes:
        output: name of the output section.
        name: its own, or PADDING.
        size: in bytes.
        file: the object, "archive(member)" for one of an archive; "" for padding.
    """

    output: str
    name: str
    size: int
    file: str


def parse_map(text: str) -> Iterator[InputSection]:
    """The input sections in the order of the map, with fill as sections of no file."""
    start = text.find("Linker script and memory map")
    output = ""
    pending = ""
    for line in text[max(start, 0) :].splitlines():
        if line.startswith((".", "_")) and not line.startswith(" "):
            output = line.split()[0]
            pending = ""
            continue
        if not line.startswith(" "):
            continue
        body = line[1:]
        if body.startswith("*fill*"):
            numbers = body.split()
            if len(numbers) >= 3:
                yield InputSection(output, PADDING, int(numbers[2], 16), "")
            continue
        if not line.startswith("  ") and " " not in body.rstrip() and not body.startswith("*"):
            pending = body.strip()  # a long name: its numbers are on the next line
            continue
        match = _SECTION.match(body if not line.startswith("  ") else f"{pending} {body.lstrip()}")
        pending = ""
        if match and match["name"] and match["rest"]:
            yield InputSection(output, match["name"], int(match["size"], 16), match["rest"].strip())
