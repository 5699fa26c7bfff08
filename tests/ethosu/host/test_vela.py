"""Vela as a process of its own: what it makes, and how its refusals read."""

import pytest

from harness.errors import TinyhilError
from harness.ethosu.vela import VelaMissingError, VelaOptions, VelaRefusedError, run_vela, vela_version
from harness.frontends.tflite.vela_file import read_vela
from tests.support.kws import micronet_graph


@pytest.fixture(scope="module")
def model() -> bytes:
    return micronet_graph().model


def test_what_it_makes_is_read(model: bytes) -> None:
    made = run_vela(model, VelaOptions("ethos-u55-64", optimise="Size"), "net")
    compiled = read_vela(made.file, "net")
    assert [operator.accelerator.name for _, operator in compiled.operators] == ["ethos-u55-64"]
    assert "<debug" in made.database
    assert vela_version().startswith("5.")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (VelaOptions("ethos-u77"), "invalid choice"),
        (VelaOptions(system_config="Nothing"), "System_Config.Nothing"),
        (VelaOptions(memory_mode="Nothing"), "Memory_Mode.Nothing"),
        (VelaOptions(config="/nowhere/vela.ini"), "/nowhere/vela.ini"),
        (VelaOptions(optimise="Nothing"), "Nothing"),
    ],
)
def test_options_that_it_does_not_know_are_named(model: bytes, options: VelaOptions, said: str) -> None:
    with pytest.raises(VelaRefusedError, match=said):
        run_vela(model, options, "net")


@pytest.mark.parametrize("content", [b"", b"no model", b"\x00" * 64, b"\x1c\x00\x00\x00TFL3" + b"\xff" * 64])
def test_what_is_no_model_is_refused(content: bytes) -> None:
    with pytest.raises(VelaRefusedError, match="junk: Vela does not compile it"):
        run_vela(content, VelaOptions(), "junk")


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(VelaMissingError, match="/nowhere/vela does not start") as caught:
        vela_version("/nowhere/vela")
    assert isinstance(caught.value, TinyhilError)
    assert caught.value.hint
