"""Blocks that must fail: with one kind of error, in time, and with all that an error of ours says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.errors import TinyhilError
from tests.support.patience import ends


@contextmanager
def fails(
    kind: type[TinyhilError], stage: str | None = None, *, match: str | None = None
) -> Iterator[pytest.ExceptionInfo[TinyhilError]]:
    """The block ends with an error of exactly this kind, in time; of this stage, where one is given."""
    with ends(), pytest.raises(kind, match=match) as caught:
        yield caught
    assert type(caught.value) is kind
    complete(caught.value, stage or caught.value.stage)


def complete(error: TinyhilError, stage: str) -> None:
    """An error is of this stage and says all that it must."""
    assert error.stage == stage
    assert error.code and error.hint and error.message
