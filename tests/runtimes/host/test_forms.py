"""Forms: how options, cards and nights name them, that series of them are apart, and where a file lies in an image."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from harness.boards.registry import find_board
from harness.errors import BoardLostError, CardError, DoesNotFitError, OptionError
from harness.history.ingest import records_of
from harness.nightly.file import load_night
from harness.nightly.jobs import plan_batches
from harness.relocatable.make import Relocatable
from harness.report.bundle import Invocation, results_document
from harness.report.document import error_document
from harness.runtimes.forms import FORMS, Way, forms_of, split_forms
from harness.runtimes.relocatable import SPOTS, file_source, roomy
from harness.runtimes.slot import SlotForm, SlotSizes, own_sizes
from harness.validate.card import card_of, load_card
from harness.validate.options import Options, check_choice, in_way, way_words, ways_of
from tests.support.moved import described
from tests.support.paths import FIXTURES

BOTH = ("static", "relocatable")


def card_in(folder: Path, form: str) -> Path:
    model = FIXTURES / "digits.tflite"
    path = folder / "digits.hil.yaml"
    path.write_text(f"model: {model}\nform: {form}\n")
    return path


def test_several_forms_are_named_by_commas_or_again():
    assert split_forms(["static,relocatable"]) == split_forms(["static", "relocatable", "static"]) == BOTH
    assert FORMS.names() == BOTH
    with pytest.raises(OptionError, match="no form is named 'movable'"):
        check_choice("form", "movable")


@pytest.mark.parametrize(("text", "forms"), [("relocatable", BOTH[1:]), ("[static, relocatable]", BOTH)])
def test_a_card_names_one_form_or_a_list(tmp_path, text, forms):
    card = load_card(card_in(tmp_path, text))
    assert card.form == forms
    assert ways_of(card, Options(), "mps2-an386") == tuple(Way("tinyhil", form) for form in forms)
    assert ways_of(card, Options(forms=("static",)), "mps2-an386") == (Way("tinyhil"),)


@pytest.mark.parametrize("text", ["movable", "[]", "7"])
def test_a_card_with_another_form_is_refused(tmp_path, text):
    with pytest.raises(CardError, match="form"):
        load_card(card_in(tmp_path, text))


def test_a_program_has_the_static_form_only():
    card = card_of(FIXTURES / "digits.tflite")
    with pytest.raises(OptionError, match="runtime tflm runs model files as they are, and has no form relocatable"):
        ways_of(card, Options(runtime="tflm", forms=("relocatable",)), "mps3-an547")
    assert ways_of(card, Options(runtime="tflm", forms=BOTH), "mps3-an547") == (Way("tflm"),)
    assert forms_of("tflm", BOTH) == ("static",)


def test_a_way_in_words_and_as_options():
    assert way_words(Way("tinyhil")) == () and way_words(Way("tflm")) == ("tflm",)
    assert way_words(Way("tinyhil", "relocatable")) == ("relocatable",)
    options = in_way(Options(forms=BOTH), Way("tinyhil", "relocatable"))
    assert (options.runtime, options.forms) == ("tinyhil", ("relocatable",))


def test_runs_of_two_forms_are_two_series():
    error = BoardLostError("gone", hint="x")
    documents = [error_document("m", "b", error, way=Way("tinyhil", form)) for form in BOTH]
    kept = records_of(results_document(documents, Invocation(["tinyhil"], {})))
    subjects = [run.subject for run in kept.runs]
    assert [subject.runtime for subject in subjects] == ["tinyhil", "tinyhil relocatable"]


def test_a_night_runs_cards_in_their_forms_or_its_own(tmp_path):
    card_in(tmp_path, "[static, relocatable]")
    night = tmp_path / "farm.yaml"
    text = "farm: 127.0.0.1:1\nmodels: [digits.hil.yaml]\nboards: [mps2-an386]\n"
    night.write_text(text)
    batches = plan_batches(load_night(night))
    assert sorted(batch.form for batch in batches) == sorted(BOTH) and len({batch.key for batch in batches}) == 2
    night.write_text(text + "forms: [relocatable]\n")
    assert [batch.form for batch in plan_batches(load_night(night))] == ["relocatable"]
    # as it was before there were forms, so that expected times of earlier nights are found
    static = next(batch for batch in batches if batch.form == "static")
    assert static.key == hashlib.sha256(b"digits\0mps2-an386\0own\0tinyhil").hexdigest()[:16]


@pytest.mark.parametrize(("align", "head"), [(8, [".balign 8"]), (4, [".balign 8", ".word 0"])])
def test_a_file_lies_at_its_address(align, head):
    lines = file_source("m", bytes(range(12)), align).splitlines()
    assert lines[1 : 1 + len(head)] == head
    assert ".word 0x03020100, 0x07060504, 0x0b0a0908" in lines


def made(size: int, arena: int = 1000, align: int = 4) -> Relocatable:
    return Relocatable(described(size, arena, align), bytes(size), None, b"", "", 0)


@pytest.mark.parametrize(
    ("relocatable", "board", "names"),
    [
        (made(100_000), "mps2-an386", [spot.name for spot in SPOTS]),
        (made(100_000), "microbit", ["flash", "flash, 4 mod 8"]),
        (made(200_000), "microbit", ["flash"]),
        (made(20_000, align=8), "mps2-an386", ["flash", "RAM"]),
    ],
)
def test_what_has_no_room_is_named(relocatable, board, names):
    spots, notes = roomy(relocatable, find_board(board), None)
    assert [spot.name for spot in spots] == names
    assert len(notes) == 3 - len(names) and all(board in note or "multiple of 8" in note for note in notes)


def test_a_slot_takes_what_a_board_has():
    sizes = own_sizes(find_board("nucleo-h743"))
    assert sizes.file + sizes.arena == 0x0008_0000 and sizes.file == 3 * sizes.arena
    form = SlotForm(bytes(5000))
    form.check_room(SlotSizes(5000, 100), 100, "b")
    with pytest.raises(DoesNotFitError, match="the file has 5,000 bytes, and the slot .* 4,999"):
        form.check_room(SlotSizes(4999, 100), 100, "b")
    with pytest.raises(DoesNotFitError, match="arena has 101 bytes, and the firmware for b has 100"):
        form.check_room(SlotSizes(5000, 100), 101, "b")
    with pytest.raises(DoesNotFitError, match="microbit has no RAM for a slot"):
        own_sizes(replace(find_board("microbit"), stack_size=8192))
