"""Every mode of a board from one run: what each figure is, and the table that shows them."""

import json
import sys
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from harness.cli.app import app
from harness.cycles.document import prediction_document
from harness.cycles.modes import modes
from harness.cycles.predict import WhatIf
from harness.errors import OptionError
from harness.report import cycles
from harness.validate.profile import profile_model
from tests.support.paths import FIXTURES

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Unicorn is installed on POSIX systems only")


@pytest.fixture(scope="module")
def prediction():
    return profile_model(FIXTURES / "digits.tflite", "nucleo-l4r5")


@pytest.fixture(scope="module")
def found(prediction):
    return modes(prediction)


def test_every_flash_clock_and_memory_is_there_once(found):
    keys = [(m.flash, m.clock_hz, m.placement["weights"], m.placement["arena"]) for m in found]
    assert len(set(keys)) == len(keys) == 2 * 6 * 4 * 3
    assert {m.wait_states for m in found} == {0, 1, 2, 3, 4, 5}
    assert not any(m.placement["arena"] == "flash" for m in found)
    (own,) = [m for m in found if m.own]
    assert (own.flash, own.clock_hz) == ("dual-bank", 120_000_000)
    assert own.placement == {"weights": "flash", "arena": "sram3"}


def test_a_mode_is_what_that_what_if_gives(prediction, found):
    for mode in found[:: len(found) // 5]:
        alone = prediction.recost(WhatIf(mode.placement, mode.flash, mode.clock_hz)).estimate
        assert (mode.estimate.cycles, mode.estimate.low, mode.estimate.high) == (alone.cycles, alone.low, alone.high)


def test_the_slower_clock_waits_less_and_only_its_own_is_validated(found):
    row = [m for m in found if (m.flash, *m.placement.values()) == ("dual-bank", "flash", "sram")]
    figures = [m.estimate.cycles.value for m in row]
    assert figures == sorted(figures) and figures[0] < figures[-1]
    assert [m.estimate.validated for m in row] == [False] * 5 + [True]


def test_the_table_has_a_line_a_placement_and_a_column_a_clock(prediction, found):
    document = prediction_document(prediction, modes=found)
    json.dumps(document, allow_nan=False)
    table = cycles.modes(document)
    assert len(table.rows) == 2 * 4 * 3 and "120 MHz, 5 WS" in table.columns and "20 MHz, 0 WS" in table.columns
    (own,) = [row for row in table.rows if any(cell.endswith("*") for cell in row)]
    assert own[:3] == ("dual-bank", "flash", "sram3")
    assert own[table.columns.index("120 MHz, 5 WS")] == f"{document['milliseconds']['estimate']:.4g}*"


def test_a_memory_that_is_too_small_is_not_tried(prediction):
    number = next(n for n, span in enumerate(prediction.profile.spans) if span.part == "weights")
    spans = list(prediction.profile.spans)
    spans[number] = replace(spans[number], size=100_000)
    recording = replace(prediction.recording, profile=replace(prediction.profile, spans=tuple(spans)))
    found = modes(replace(prediction, recording=recording))
    assert {mode.placement["weights"] for mode in found} == {"flash", "sram", "sram3"}, "sram2 has 64 KiB"


def test_a_core_alone_has_no_modes():
    with pytest.raises(OptionError, match="no modes"):
        modes(profile_model(FIXTURES / "digits.tflite", "mps2-an386"))


def test_from_the_command_line():
    runner = CliRunner()
    done = runner.invoke(
        app, ["profile", str(FIXTURES / "digits.tflite"), "-b", "nucleo-l4r5", "--what-if", "all", "--json"]
    )
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert len(document["modes"]) == 144 and document["what_if"] == []
    assert (document["flash"], document["wait_states"]) == ("dual-bank", 5)
    one = document["modes"][0]
    assert one["milliseconds"]["low"] < one["milliseconds"]["estimate"] < one["milliseconds"]["high"]
    several = ["profile", str(FIXTURES / "digits.tflite"), "-b", "nucleo-l4r5", "--what-if", "all"]
    with pytest.raises(OptionError, match="of one mode"):
        runner.invoke(app, [*several, "--format", "speedscope"], catch_exceptions=False)
