"""A line that drops, flips, doubles and invents bytes, and cuts frames."""

from __future__ import annotations

import random

from harness.link.transport import Transport


class NoisyTransport:
    """Damages about one byte in `every`, in both directions, by a seeded choice of what to do to it."""

    def __init__(self, inner: Transport, seed: int, every: int = 500) -> None:
        self._inner = inner
        self._random = random.Random(seed)
        self._rate = 1 / every
        self._cutting = [False, False]
        self.quiet = False
        self.harmed = 0

    def write(self, data: bytes) -> None:
        self._inner.write(self._damage(data, 0))

    def read(self, timeout_s: float) -> bytes:
        return self._damage(self._inner.read(timeout_s), 1)

    def close(self) -> None:
        self._inner.close()

    def _damage(self, data: bytes, way: int) -> bytes:
        if self.quiet:
            return data
        out = bytearray()
        for byte in data:
            if self._cutting[way]:  # the rest of a frame, with or without its end, is lost
                if byte == 0:
                    self._cutting[way] = False
                    if self._random.random() < 0.5:
                        out.append(byte)
                continue
            if self._random.random() >= self._rate:
                out.append(byte)
                continue
            self.harmed += 1
            what = self._random.choice(("drop", "flip", "double", "insert", "cut"))
            if what == "flip":
                out.append(byte ^ 1 << self._random.randrange(8))
            elif what == "double":
                out += bytes((byte, byte))
            elif what == "insert":
                out += bytes((self._random.randrange(256), byte))
            elif what == "cut":
                self._cutting[way] = True
        return bytes(out)
