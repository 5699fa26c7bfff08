"""Limits of time that tell a hang from an answer. How long a thing takes is measured by tests.bench."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_S = 60.0
"""What nothing takes that ends at all, on a machine with ten things to do."""


WORK_S = 15.0
"""Of a processor: what is tested takes a second at most, and 40 s where work grows with the square of what is read."""


@contextmanager
def ends() -> Iterator[None]:
    """The block does not hang."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start < PATIENCE_S


@contextmanager
def little_work() -> Iterator[None]:
    """The block does not keep a processor for long, however many others want it."""
    start = time.process_time()
    yield
    assert time.process_time() - start < WORK_S
