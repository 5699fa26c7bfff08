"""The command `tinyhil energy`, and measured energy in a result bundle."""

from __future__ import annotations

import json

import pytest

from harness.energy.measure import EnergyMeasurement
from harness.report.bundle import Invocation, read_bundle, write_bundle
from harness.report.energy import ModelEnergy, energy, energy_document, power
from harness.units import Quantity, Unit
from tests.cli.host.test_cli import tinyhil
from tests.support.command import called
from tests.support.paths import FIXTURES

DIGITS, RESIDUAL, VECTORS = (FIXTURES / name for name in ("digits.tflite", "residual.tflite", "digits_vectors.npz"))


def test_an_estimate_says_so_and_names_its_source():
    ran = tinyhil("energy", DIGITS, "-b", "nucleo-l4r5", "--rate", "1/s", "--battery", "220mAh", "--sleep", "2uA")
    assert ran.returncode == 0, ran.stderr
    for word in (
        "estimated",
        "110 uA/MHz at 3 V",
        "ST DS12023",
        "error is not known",
        "days",
        "2 uA at 3 V",
        "220 mAh",
    ):
        assert word in ran.stdout, word
    assert "measured" not in ran.stdout.replace("--meter measures", "")


def test_a_current_of_ones_own_is_taken_for_a_part_without_one():
    ran = called("energy", DIGITS, "-b", "stm32g474re", "--current", "160uA", "--voltage", "3.3V", "--json")
    assert ran.returncode == 0, ran.stderr
    model = json.loads(ran.stdout)["models"][0]
    assert (model["ua_per_mhz"], model["volts"], model["measured"]) == (160.0, 3.3, False)
    assert model["energy"]["unit"] == "estimated-nanojoules"
    assert model["low"]["value"] < model["energy"]["value"] < model["high"]["value"]


def test_a_cascade_takes_its_rate_from_vectors():
    ran = called("energy", DIGITS, "-b", "nrf52840", "--wakes", RESIDUAL, "--wake-on", "3", "--vectors", VECTORS,
                  "--rate", "1/s", "--json")  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    document = json.loads(ran.stdout)
    cascade = document["cascade"]
    assert cascade["trigger_rate"] == cascade["measured_on"]["triggered"] / cascade["measured_on"]["inputs"]
    assert 0 < cascade["trigger_rate"] < 1
    small, large = (model["energy"]["value"] for model in document["models"])
    assert cascade["energy"]["value"] == pytest.approx(small + cascade["trigger_rate"] * large, abs=1)
    told = called("energy", DIGITS, "-b", "nrf52840", "--wakes", RESIDUAL, "--trigger-rate", "2%")
    assert "after 2.00% of the inputs" in told.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("-b", "nucleo-h743"), "no current per MHz is known of nucleo-h743"),
        (("-b", "nrf52840", "--rate", "fast"), "rate"),
        (("-b", "nrf52840", "--rate", "1000/s"), "take "),
        (("-b", "stm32l152re", "--rate", "1/h"), "no sleep current is known"),
        (("-b", "nrf52840", "--battery", "220mAh"), "--battery needs --rate"),
        (("-b", "nrf52840", "--sleep", "2uA"), "--sleep needs --rate"),
        (("-b", "nrf52840", "--battery", "220", "--rate", "1/s"), "battery"),
        (("-b", "nrf52840", "--efficiency", "0"), "efficiency of 0"),
        (("-b", "nrf52840", "--trigger-rate", "2%"), "--trigger-rate needs --wakes"),
        (("-b", "nrf52840", "--wakes", RESIDUAL), "either --trigger-rate or --wake-on"),
        (("-b", "nrf52840", "--wakes", RESIDUAL, "--wake-on", "1"), "--wake-on needs --vectors"),
        (("-b", "nrf52840", "--wakes", RESIDUAL, "--wake-on", "99", "--vectors", VECTORS), "no class 99"),
        (("-b", "nrf52840", "--wakes", FIXTURES / "missing.tflite", "--trigger-rate", "1%"), "missing.tflite"),
        (("-b", "nrf52840", "--meter", "otii:1"), "otii"),
        (("-b", "nrf52840", "--report", "out"), "--report is for what is measured"),
        (("-b", "stm32f072rb", "--current", "200uA"), "no cycle model of cortex-m0"),
    ],
)
def test_bad_input_is_one_error_of_exit_code_2(arguments, told):
    ran = called("energy", DIGITS, *arguments)
    assert ran.returncode == 2, ran.stdout
    assert told in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not ran.stdout


@pytest.mark.parametrize("board", ["mps2-an386", "nucleo-l4r5"])
def test_a_meter_is_refused_where_no_real_board_is(board):
    ran = called("energy", DIGITS, "-b", board, "--meter", "lpm01a:/dev/nothing-here")
    assert ran.returncode == 4
    assert "draws no current" in ran.stderr
    assert "attach the board itself" in ran.stderr


def test_measured_energy_is_in_the_bundle_with_its_unit(tmp_path):
    runs = tuple(Quantity(value, Unit.NANOJOULES) for value in (1_200_000, 1_190_000, 1_230_000))
    found = EnergyMeasurement(runs[0], runs, 400, 0.025, 0.004, 0.01, "LPM01A, firmware 1.0.6")
    document = energy_document((ModelEnergy("kws", "kws.tflite", "nucleo-l4r5", found),))
    write_bundle(tmp_path / "out", (), Invocation(["tinyhil", "energy"], {"tinyhil": "0"}), energy=(document,))
    bundle = read_bundle(tmp_path / "out")
    assert bundle["energy"][0]["models"][0]["energy"] == {"value": 1_200_000, "unit": "nanojoules"}
    page = (tmp_path / "out" / "report.html").read_text()
    for word in ("Energy of an inference", "1.2 mJ", "measured", "LPM01A, firmware 1.0.6", "4 mW"):
        assert word in page, word
    write_bundle(tmp_path / "plain", (), Invocation(["tinyhil"], {}))
    assert "energy" not in read_bundle(tmp_path / "plain")


def test_figures_are_told_in_the_unit_that_suits_them():
    told = [energy({"value": value, "unit": "nanojoules"}) for value in (7, 1_500, 2_340_000, 5_000_000_000)]
    assert told == ["7 nJ", "1.5 uJ", "2.34 mJ", "5 J"]
    assert [power(watts) for watts in (2.0, 0.0123, 5.98e-6, 4e-9)] == ["2 W", "12.3 mW", "5.98 uW", "4 nW"]
