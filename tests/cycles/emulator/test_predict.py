"""Modelled cycles from end to end: sums, what-ifs, reports, files for viewers; and that no unit meets another."""

import json
import sys
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from harness.cli.app import app
from harness.cycles import direct
from harness.cycles.document import prediction_document
from harness.cycles.predict import WhatIf, parse_what_if
from harness.cycles.speedscope import speedscope
from harness.errors import CardError, OptionError, UnitError
from harness.report import console, cycles, html
from harness.units import Quantity, Unit, total
from harness.validate.baselines import find
from harness.validate.card import load_card
from harness.validate.profile import profile_model
from tests.support.paths import FIXTURES

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Unicorn is installed on POSIX systems only")
BOARDS = ["nucleo-l4r5", "nucleo-h7a3"]


@pytest.fixture(scope="module")
def predictions():
    return {board: profile_model(FIXTURES / "residual.hil.yaml", board) for board in BOARDS}


@pytest.mark.parametrize("board", BOARDS)
def test_layers_and_causes_add_up_to_the_total(predictions, board):
    prediction = predictions[board]
    estimate, document = prediction.estimate, prediction_document(prediction)
    assert estimate.cycles == total((layer.cycles for layer in estimate.layers), Unit.MODELLED_CYCLES)
    assert sum(layer["cycles"]["value"] for layer in document["layers"]) == document["cycles"]["value"]
    assert sum(layer["instructions"]["value"] for layer in document["layers"]) == document["instructions"]["value"]
    for part in (document, *document["layers"]):
        assert sum(figure["value"] for figure in part["causes"].values()) == part["cycles"]["value"]
        assert part["low"]["value"] <= part["cycles"]["value"] <= part["high"]["value"]
        assert {part[name]["unit"] for name in ("low", "cycles", "high")} == {"modelled-cycles"}
        assert part["instructions"]["unit"] == "instructions"
    assert sum(layer["share"] for layer in document["layers"]) == pytest.approx(1)
    for layer in document["layers"]:
        of_functions = sum(function["cycles"]["value"] for function in layer["functions"])
        blocks = sum(len(function["blocks"]) for function in layer["functions"])
        assert of_functions == pytest.approx(layer["cycles"]["value"], abs=0.5 * blocks + 3), "but for rounding"
    assert document["board"] == board and document["milliseconds"]["estimate"] == pytest.approx(
        document["cycles"]["value"] / prediction.setup.clock_hz * 1e3
    )
    json.dumps(document, allow_nan=False)


@pytest.mark.parametrize("board", BOARDS)
def test_a_stand_in_gives_nearly_the_same_as_the_boards_own_image(predictions, board, monkeypatch):
    monkeypatch.setattr(direct, "can_run", lambda board: False)
    own, other = predictions[board], profile_model(FIXTURES / "residual.hil.yaml", board)
    assert other.resolved.runs_on.backend == "qemu" and other.estimate.board == own.estimate.board
    assert other.profile.total.ratio(own.profile.total) == pytest.approx(1, abs=0.005)
    assert other.estimate.cycles.ratio(own.estimate.cycles) == pytest.approx(1, abs=0.005)
    assert other.placement == own.placement


def test_a_core_alone_has_cycles_and_no_milliseconds():
    document = prediction_document(profile_model(FIXTURES / "digits.tflite", "mps2-an386"))
    assert document["setup"] is None and document["milliseconds"] is None and document["clock_hz"] is None
    assert document["causes"]["fetch"]["value"] == document["causes"]["data"]["value"] == 0
    text = _text(document)
    assert "cortex-m4 alone" in text and " ms " not in text


def test_what_ifs_cost_the_same_run_otherwise(predictions):
    prediction = predictions["nucleo-l4r5"]
    quick = prediction.recost(WhatIf(placement={"weights": "sram", "code": "sram"}))
    assert quick.recording is prediction.recording and quick.profile.total == prediction.profile.total
    assert quick.estimate.cycles < prediction.estimate.cycles
    stalled = prediction.recost(parse_what_if("clock=20MHz")).estimate
    assert stalled.causes[_cause("data")].value == 0 < prediction.estimate.causes[_cause("data")].value
    assert stalled.milliseconds > prediction.estimate.milliseconds and not stalled.validated
    both = prediction.recost(parse_what_if("flash=single-bank+placement=weights:sram+clock=80MHz"))
    document = prediction_document(prediction, [quick, both])
    assert [change["change"] for change in document["what_if"]] == [
        "weights in sram, code in sram", "weights in sram, flash single-bank, 80 MHz"
    ]  # fmt: skip
    text = _text(document)
    assert "not validated" in text and "What if" in text
    for wrong in ("flash=none", "placement=weights:dtcm", "placement=weights:", "speed=1", "clock=fast", "clock=3GHz"):
        with pytest.raises(OptionError):
            prediction.recost(parse_what_if(wrong))
    with pytest.raises(OptionError, match="no cycle table"):
        replace(prediction, setup=None).recost(WhatIf(flash="single-bank"))


def _cause(name):
    from harness.cycles.pipeline import Cause

    return Cause(name)


@pytest.mark.parametrize(
    ("text", "hertz"), [("80MHz", 80e6), ("80_000_000", 80e6), ("1.5 mhz", 1.5e6), ("32000", 32e3)]
)
def test_clocks_are_understood(text, hertz):
    assert parse_what_if(f"clock={text}").clock_hz == hertz


def test_what_no_measurement_backs_says_so_everywhere(predictions):
    prediction = predictions["nucleo-h7a3"].recost(WhatIf(clock_hz=264_000_000))
    document = prediction_document(prediction)
    assert document["validated"] is False and "not validated" in document["label"]
    assert "not validated" in _text(document)
    assert "not validated" in html.modelled(document)
    assert "not validated" in speedscope(prediction.profile, prediction.estimate)["profiles"][0]["name"]


def test_modelled_cycles_meet_no_other_unit(predictions):
    """Compare, sum and gate them with instructions and measured cycles: an error each time."""
    prediction = predictions["nucleo-l4r5"]
    estimate = prediction.estimate
    for unit in (Unit.INSTRUCTIONS, Unit.CYCLES):
        for ours in (estimate.cycles, estimate.low, estimate.layers[0].cycles, estimate.causes[_cause("data")]):
            other = Quantity(ours.value, unit)
            for mix in (
                lambda a, b: a < b, lambda a, b: a <= b, lambda a, b: a > b, lambda a, b: a >= b, lambda a, b: a == b,
                lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a.ratio(b),
                lambda a, b: total([a, b], Unit.MODELLED_CYCLES), lambda a, b: total([a], b.unit),
            ):  # fmt: skip
                for pair in ((ours, other), (other, ours)):
                    with pytest.raises(UnitError):
                        mix(*pair)
        with pytest.raises(UnitError):
            assert estimate.cycles <= 10**12, "a budget without a unit gates nothing"
    assert find("0" * 64, "cortex-m4", "reference", Unit.MODELLED_CYCLES) is None, "nor do TFLM's instructions stand in"


@pytest.mark.parametrize("key", ["modelled_cycles", "modelled-cycles"])
def test_no_card_gates_modelled_cycles(key, tmp_path):
    (tmp_path / "digits.tflite").write_bytes((FIXTURES / "digits.tflite").read_bytes())
    card = tmp_path / "digits.hil.yaml"
    card.write_text(f"model: digits.tflite\nbudgets: {{default: {{{key}: 1000000}}}}\n")
    with pytest.raises(CardError, match=key):
        load_card(card)


def test_speedscope_files_have_frames_and_stacks_that_add_up(predictions):
    prediction = predictions["nucleo-l4r5"]
    content = speedscope(prediction.profile, prediction.estimate)
    assert content["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    frames = content["shared"]["frames"]
    cycles_profile, instructions = content["profiles"]
    for profile in content["profiles"]:
        assert profile["type"] == "sampled" and profile["unit"] == "none"
        assert len(profile["samples"]) == len(profile["weights"])
        assert all(0 <= frame < len(frames) for stack in profile["samples"] for frame in stack)
        assert profile["endValue"] == pytest.approx(sum(profile["weights"]))
    assert cycles_profile["endValue"] == pytest.approx(prediction.estimate.cycles.value, abs=30)
    assert instructions["endValue"] == prediction.profile.total.value
    roots = {frames[stack[0]]["name"] for stack in instructions["samples"]}
    assert roots == {f"{layer.index} {layer.name}" for layer in prediction.profile.layers}
    assert any(frame.get("line") for frame in frames)


def test_shared_kernels_have_their_short_names(predictions):
    """In images their symbols carry version and digest."""
    prediction = predictions["nucleo-l4r5"]
    document, content = prediction_document(prediction, hot=9), speedscope(prediction.profile, prediction.estimate)
    functions = {function["name"] for layer in document["layers"] for function in layer["functions"]}
    frames = {frame["name"] for frame in content["shared"]["frames"]}
    assert "gemm_4x2_line_dsp" in functions & frames
    assert "_tinyhil_" not in json.dumps([document, content])
    assert b"gemm_4x2_line_dsp_tinyhil_" in prediction.profile.elf.read_bytes()


def test_hot_blocks_are_listed_with_cycles_and_pairs(predictions):
    document = prediction_document(predictions["nucleo-h7a3"], hot=4)
    assert 1 <= len(document["hot"]) <= 4
    shares = [block["share"] for block in document["hot"]]
    assert shares == sorted(shares, reverse=True)
    (heading, listing), *_ = cycles.hot(document)
    assert document["hot"][0]["place"] in heading and len(listing) == document["hot"][0]["instructions"]
    assert any("    |  " in line for block in document["hot"] for line in block["listing"]), "an M7 pairs instructions"


def test_the_command_prints_and_reports_them(tmp_path):
    def profile(board, *options):
        return CliRunner().invoke(app, ["profile", str(FIXTURES / "digits.tflite"), "-b", board, *options])

    run = profile("mps2-an386", "--json", "--report", str(tmp_path / "report"))
    assert run.exit_code == 0, run.output
    document = json.loads(run.stdout)
    modelled = document["modelled"]
    assert modelled["unit"] == "modelled-cycles" and modelled["setup"] is None
    assert document["time"]["unit"] == "instructions", "what was measured keeps its own unit"
    page = (tmp_path / "report" / "report.html").read_text()
    assert "Modelled cycles" in page and 'class="flame"' in page
    run = profile("nucleo-l4r5", "--format", "speedscope")
    assert json.loads(run.stdout)["exporter"].startswith("tinyhil")
    run = profile("nucleo-l4r5", "--what-if", "clock=80MHz", "--format", "json")
    (change,) = json.loads(run.stdout)["what_if"]
    assert change["change"] == "80 MHz" and change["clock_hz"] == 80_000_000
    run = profile("host", "--json")
    document = json.loads(run.stdout)
    assert document["modelled"] is None and "host cannot be profiled" in document["modelled_note"]


def _text(document):
    from io import StringIO

    from rich.console import Console

    out = StringIO()
    console.show(Console(file=out, width=100), console.prediction(document))
    return out.getvalue()
