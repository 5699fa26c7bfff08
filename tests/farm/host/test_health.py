"""When a board is quarantined, and that its record survives its agent."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import CardError, FarmError, FlashVerifyError, NoBytesError, TinyhilError, WrongChipError
from harness.farm.health import AT_ONCE, OF_BOARD, BoardRecord, BoardRecords, is_trouble


def codes(kind: type[TinyhilError] = TinyhilError) -> set[str]:
    return {kind.code}.union(*(codes(each) for each in kind.__subclasses__()))


def test_all_codes_are_codes_of_errors() -> None:
    assert codes() >= OF_BOARD - {"reference"}
    assert AT_ONCE <= OF_BOARD


@pytest.mark.parametrize("code", sorted(AT_ONCE))
def test_a_board_whose_answers_cannot_be_trusted_is_quarantined_at_once(code: str) -> None:
    record = BoardRecord().trouble(code, "it is so", 7.0)
    assert record.quarantined == f"it is so [{code}]" and record.since == 7.0


def test_two_troubles_in_a_row_quarantine_and_a_good_job_between_them_does_not() -> None:
    once = BoardRecord().trouble("no-bytes", "silent", 1.0)
    assert not once.quarantined and once.troubles == 1
    assert once.trouble("no-bytes", "silent", 2.0).quarantined
    assert not once.good().trouble("no-bytes", "silent", 2.0).quarantined


def test_what_is_not_the_boards_counts_for_nothing() -> None:
    assert BoardRecord().trouble("card", "wrong", 1.0) == BoardRecord()
    assert not BoardRecord().trouble("does-not-fit", "too large", 1.0).troubles


def test_the_first_reason_stays_and_a_release_begins_anew() -> None:
    record = BoardRecord().quarantine("first", 1.0).quarantine("second", 2.0)
    assert (record.quarantined, record.since) == ("first", 1.0)
    again = record.released()
    assert not again.quarantined and again.in_a_row == 0


def test_troubles_are_told_from_mistakes() -> None:
    for error in (NoBytesError("x", hint=""), WrongChipError("x", hint=""), FlashVerifyError("x", hint="")):
        assert is_trouble(error)
    assert is_trouble(FarmError("x", hint=""))
    assert not is_trouble(CardError("x", hint=""))


def test_records_survive_and_a_damaged_file_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "records.json"
    first = BoardRecords(path, ("a", "b"))
    first["a"] = first["a"].quarantine("loose cable", 5.0)
    assert BoardRecords(path, ("a", "b"))["a"].quarantined == "loose cable"
    for damage in (b"", b"[]", b"{", b'{"a": 3}', b'{"a": {"jobs": "many"}}', b'{"a": {"colour": 1}}', b"\xff" * 100):
        path.write_bytes(damage)
        assert BoardRecords(path, ("a", "b"))["a"].quarantined == ""


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    records = BoardRecords(tmp_path / "file" / "x.json", ("a",))
    (tmp_path / "file").write_text("in the way")
    records["a"] = records["a"].quarantine("why", 1.0)
    assert records["a"].quarantined == "why"
