"""The code of an image by address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import ProfileError


@dataclass(frozen=True)
class Segment:
    """Bytes of the image as they are in memory from `origin` on while it runs."""

    origin: int
    data: bytes


@dataclass(frozen=True)
class Code:
    """What an image has in memory as it begins to run: code and constants."""

    segments: Sequence[Segment]

    def read(self, address: int, size: int) -> bytes:
        """Bytes of memory.

        Raises:
            ProfileError: the image has nothing there.
        """
        for segment in self.segments:
            at = address - segment.origin
            if at >= 0 and at + size <= len(segment.data):
                return segment.data[at : at + size]
        raise ProfileError(
            f"the image has no {size} bytes at 0x{address:08x}", hint="was the profile made with this image?"
        )

    def instruction(self, address: int) -> bytes:
        """The Thumb instruction at an address: two bytes, or four where the first halfword is from 0xE800 up.

        Raises:
            ProfileError: the image has nothing there.
        """
        first = self.read(address, 2)
        return self.read(address, 4) if first[1] >= 0xE8 else first
