"""What tests of hostile devices share."""

import tracemalloc
from collections.abc import Iterator

import pytest

LIMIT_BYTES = 100_000_000


@pytest.fixture
def bounded_memory() -> Iterator[None]:
    """A test that takes less than 100 MB at its peak."""
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < LIMIT_BYTES
