"""The command `tinyhil fit`: tables, JSON, exit codes and errors."""

from __future__ import annotations

import json

import pytest

from tests.cli.host.test_cli import tinyhil
from tests.support.command import called
from tests.support.paths import FIXTURES

DIGITS = FIXTURES / "digits.tflite"
FEW = ("-b", "stm32f446re", "-b", "nucleo-h743", "--optimize", "balanced")


def test_all_parts_in_a_table_and_the_cheapest_named():
    ran = tinyhil("fit", DIGITS, "--optimize", "balanced", "--latency", "100ms")
    assert ran.returncode == 0, ran.stderr
    assert "cheapest: " in ran.stdout
    assert "by RAM, flash and clock, not by price" in ran.stdout
    for word in ("stm32h743zi", "nrf52840", "nucleo-l4r5", "modelled cycles", "at most 100 ms", "cortex-m0plus"):
        assert word in ran.stdout
    assert max(map(len, tinyhil("fit", DIGITS, *FEW, COLUMNS="80").stdout.splitlines())) <= 80


def test_a_named_board_that_does_not_fit_is_exit_1_and_says_what_to_change():
    ran = called("fit", DIGITS, *FEW, "--budget-ram", "1k", "--budget-flash", "2k", "--latency", "1us")
    assert ran.returncode == 1
    for word in (
        "RAM budget lacks",
        "is fullest at layer",
        "flash budget lacks",
        "times too slow",
        "not tried: --optimize",
    ):
        assert word in ran.stdout, word
    assert "Traceback" not in ran.stderr


def test_none_of_all_is_exit_1_and_advises_on_the_closest():
    ran = called("fit", DIGITS, "--optimize", "balanced", "--budget-ram", "100")
    assert ran.returncode == 1
    assert "0 of " in ran.stdout
    assert "RAM budget lacks" in ran.stdout


def test_json_has_every_figure_with_its_unit(tmp_path):
    prices = tmp_path / "prices.yaml"
    prices.write_text("currency: EUR\nprices: {stm32f446re: 5.10, unheard-of: 1}\n")
    ran = called("fit", DIGITS, *FEW, "--prices", prices, "--json")
    assert ran.returncode == 0, ran.stderr
    document = json.loads(ran.stdout)
    assert document["kind"] == "fit"
    assert document["cheapest"] == "stm32f446re"
    assert document["without_part"] == ["unheard-of"]
    part = document["parts"][0]
    assert part["price"] == 5.1
    time = part["modes"][0]["time"]
    assert time["cycles"]["unit"] == "modelled-cycles"
    assert time["low_s"] < time["seconds"] < time["high_s"]
    assert {room["kind"] for room in part["modes"][0]["rooms"]} == {"flash", "ram"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--latency", "50"), "latency"),
        (("--latency", "soon"), "latency"),
        (("--budget-ram", "-1"), "budget-ram"),
        (("--budget-flash", "some"), "budget-flash"),
        (("-b", "stm32f446ret6"), "did you mean stm32f446re?"),
        (("--optimize", "speed"), "speed"),
        (("--parts", "/nowhere/parts.yaml"), "parts.yaml"),
        (("--prices", "/nowhere/prices.yaml"), "prices.yaml"),
    ],
)
def test_bad_input_is_one_error_of_exit_code_2(arguments, told):
    ran = called("fit", DIGITS, *arguments)
    assert ran.returncode == 2
    assert told in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not ran.stdout


def test_a_part_of_ones_own_is_looked_at(tmp_path):
    parts = tmp_path / "parts.yaml"
    parts.write_text(
        "lab-chip: {vendor: Lab, core: cortex-m4, fpu: single, clock_mhz: 48, flash_kib: 8, ram_kib: {sram: 4},"
        " source: a sheet}\n"
    )
    ran = called("fit", DIGITS, "-b", "lab-chip", "--parts", parts, "--optimize", "flash")
    assert ran.returncode == 1
    assert "lab-chip" in ran.stdout
    assert "must shrink by" in ran.stdout


def test_cycles_and_energy_are_limits_with_slack_and_layers_to_shrink():
    ran = called("fit", DIGITS, "-b", "nucleo-l4r5", "-b", "stm32f446re", "--optimize", "balanced",
                 "--max-cycles", "1e9", "--max-energy", "1nJ", "--latency", "1s")  # fmt: skip
    assert ran.returncode == 1
    for word in ("nucleo-l4r5, balanced: cycles leaves ", "latency leaves ", "too much: most cycles are in "):
        assert word in ran.stdout, word
    ran = called("fit", DIGITS, "-b", "nucleo-l4r5", "--optimize", "balanced", "--max-cycles", "1e9", "--json")
    (one,) = json.loads(ran.stdout)["parts"][0]["modes"][0]["limits"]
    assert (one["what"], one["limit"], one["verdict"]) == ("cycles", 1e9, "fits")
    assert one["slack"] == 1e9 - one["used"] and one["low"] < one["used"] < one["high"]


def test_an_energy_of_which_nothing_is_known_is_perhaps_kept(tmp_path):
    memory = "flash_kib: 512, ram_kib: {sram: 96}"
    chip = f"lab: {{vendor: L, core: cortex-m4, fpu: single, clock_mhz: 80, {memory}, source: s}}"
    (tmp_path / "parts.yaml").write_text(chip)
    ran = called("fit", DIGITS, "--parts", tmp_path / "parts.yaml", "-b", "lab", "--optimize", "balanced",
                 "--max-energy", "1J", "--json")  # fmt: skip
    (part,) = json.loads(ran.stdout)["parts"]
    assert part["verdict"] == "perhaps" and "no table" in part["advice"][0]
