"""Which debug probe a board gets: the only one, the one that is named, or an error that lists them."""

from dataclasses import replace

import pytest

from harness.boards import Probe, find_board, resolve
from harness.boards.backends.pyocd import probes
from harness.boards.backends.pyocd.probes import VARIABLE, choose_probe, wanted_probe
from harness.errors import ProbeChoiceError, ProbeMissingError

BOARD = find_board("nucleo-h743")
ONE, OTHER = Probe("0670FF1234", "STLINK-V3"), Probe("066BFF9876", "STLINK-V2-1")
VIRTUAL = Probe("VIRTUAL-h743", "virtual", True)


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)


def test_one_probe_needs_no_choice():
    assert choose_probe(BOARD, attached=()) is None
    assert choose_probe(BOARD, attached=(ONE,)) is ONE


def test_two_probes_need_a_choice_and_are_listed():
    with pytest.raises(ProbeChoiceError, match="2 debug probes.*nucleo-h743") as caught:
        choose_probe(BOARD, attached=(ONE, OTHER))
    assert "0670FF1234" in caught.value.details and "STLINK-V2-1" in caught.value.details
    for way in ("--probe", VARIABLE, "boards.yaml"):
        assert way in caught.value.hint


def test_command_line_before_environment_before_boards_file(monkeypatch):
    board = replace(BOARD, probe="from-file")
    assert wanted_probe(board) == "from-file"
    monkeypatch.setenv(VARIABLE, "from-env")
    assert wanted_probe(board) == "from-env"
    assert wanted_probe(board, "given") == "given"


def test_several_boards_have_a_probe_each():
    text = "nucleo-l476=9876, nucleo-h743=0670"
    assert choose_probe(BOARD, text, (ONE, OTHER)) is ONE
    assert choose_probe(find_board("nucleo-l476"), text, (ONE, OTHER)) is OTHER
    with pytest.raises(ProbeChoiceError):
        choose_probe(find_board("nucleo-f446"), text, (ONE, OTHER))


def test_a_part_of_an_id_is_enough_if_it_is_one_probes_alone():
    assert choose_probe(BOARD, "0670ff", (ONE, OTHER)) is ONE
    with pytest.raises(ProbeChoiceError, match="whole|2 debug probes"):
        choose_probe(BOARD, "06", (ONE, OTHER))
    exact, longer = Probe("AB", "a"), Probe("ABC", "b")
    assert choose_probe(BOARD, "ab", (longer, exact)) is exact


def test_a_chosen_probe_that_is_not_there_is_missed():
    with pytest.raises(ProbeMissingError, match="0670FF1234.*nucleo-h743") as caught:
        choose_probe(BOARD, "0670FF1234", (OTHER,))
    assert "066BFF9876" in caught.value.details
    with pytest.raises(ProbeMissingError):
        choose_probe(BOARD, "0670FF1234", ())


def test_an_attached_board_runs_as_itself(monkeypatch):
    monkeypatch.setattr(probes, "attached_probes", lambda: (ONE,))
    resolved = resolve("nucleo-h743")
    assert (resolved.runs_on, resolved.stand_in, resolved.probe) == (BOARD, False, ONE)


def test_a_virtual_probe_is_a_stand_in(monkeypatch):
    monkeypatch.setattr(probes, "attached_probes", lambda: (VIRTUAL,))
    resolved = resolve("nucleo-h743")
    assert resolved.stand_in and resolved.runs_on.name == "nucleo-h743" and "virtual" in resolved.reason
