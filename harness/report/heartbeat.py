"""A sign of life for logs: what a long block is at, told every few seconds where no terminal shows it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from harness.report.plain import one_line

INTERVAL_S = 8.0
"""Under the 10 s after which a log must not be silent, as a thread may wake up late."""


class Heartbeat:
    """Context of a long block; nothing is told of blocks shorter than the interval.

    An object is called as harness.build.progress.Progress.
    """

    def __init__(self, write: Callable[[str], object], title: str) -> None:
        """write: takes a line without its end, on another thread; title: what the block does."""
        self._write = write
        self._title = title
        self._interval_s = INTERVAL_S
        self._now = ("", 0, 0)
        self._start = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="tinyhil-heartbeat", daemon=True)

    def __call__(self, what: str, done: int, total: int) -> None:
        """Notes what is being done, and how far."""
        self._now = (what, done, total)

    def _beat(self) -> None:
        while not self._over.wait(self._interval_s):
            what, done, total = self._now
            said = [part for part in (self._title, f"{what} {done:,} of {total:,}" if total else what) if part]
            self._write(one_line(f"{': '.join(said)}, {time.monotonic() - self._start:.0f} s"))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(1.0)  # unless nobody takes what it writes
