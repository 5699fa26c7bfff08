"""Flash errors carry what they know as attributes, not in prose alone."""

from __future__ import annotations

import pytest
from pyocd.core.exceptions import FlashEraseFailure, FlashFailure, FlashProgramFailure

from harness.boards.backends.pyocd.flash import ended_late
from harness.errors import BoardError, FlashError, FlashVerifyError


def test_facts_are_in_the_document() -> None:
    error = FlashVerifyError("it differs", hint="run again", address=0x0800_1234, flags=("PGSERR",))
    assert (error.address, error.flags) == (0x0800_1234, ("PGSERR",))
    assert error.as_dict()["facts"] == {"address": 0x0800_1234, "flags": ["PGSERR"]}


def test_what_is_not_known_is_no_fact() -> None:
    for error in (FlashError("no", hint="yes"), BoardError("no", hint="yes")):
        assert list(error.as_dict()) == ["code", "stage", "exit_code", "message", "hint", "details"]
    assert FlashError("no", hint="yes", address=0).as_dict()["facts"] == {"address": 0}


@pytest.mark.parametrize(
    ("error", "late"),
    [
        (FlashFailure("flash init timed out"), True),
        (FlashEraseFailure("flash erase sector timed out"), True),
        (FlashProgramFailure("flash program page timeout", address=0x0800_0000, result_code=-1), True),
        (FlashProgramFailure("flash program page failure", address=0x0800_0000, result_code=0x22), False),
        (FlashFailure("flash init failure: its supply timed out", result_code=1), False),
        (FlashFailure("flash algorithm overflowed stack (8 bytes)"), False),
        (ValueError("no flash there"), False),
    ],
)
def test_a_time_out_is_told_from_other_failures(error, late) -> None:
    assert ended_late(error) is late
