"""Energy measured by the command, from model to bundle, with a board and an instrument that stand in for real ones."""

from __future__ import annotations

import contextlib
import functools
import types

import pytest

from harness.boards import find_board
from harness.build.toolchain import find
from harness.energy.measure import measure_energy
from harness.errors import ToolchainMissingError
from harness.hardware.board import Probe, Resolved
from harness.report.bundle import read_bundle
from harness.resources import has_package
from tests.energy.host.test_measure import BUSY_W, Device
from tests.support.command import called
from tests.support.lpm01a import SimulatedLpm01a
from tests.support.paths import FIXTURES

pytestmark = pytest.mark.skipif(not has_package("serial"), reason="pySerial is not installed")


class Client(Device):
    """The device behind the session's stream."""

    def wait_ready(self) -> None:
        pass


@pytest.fixture
def lab(monkeypatch):
    """A board with a probe, and an instrument in its supply; what went through is kept."""
    try:
        find("arm")
    except ToolchainMissingError:
        pytest.skip("no arm-none-eabi-gcc")
    client = Client()
    instrument = SimulatedLpm01a(client.watts)
    seen = types.SimpleNamespace(instrument=instrument, client=client, image=None, probe=Probe("A1", "ST-LINK"))
    board = find_board("nucleo-l4r5")

    def resolve(name, *, probe=None):
        assert name == board.name
        return Resolved(board, board, False, "", seen.probe)

    @contextlib.contextmanager
    def open_session(resolved, image):
        seen.image = image
        yield types.SimpleNamespace(stream=lambda: None)

    monkeypatch.setattr("harness.boards.resolve", resolve)
    monkeypatch.setattr("harness.boards.open_session", open_session)
    monkeypatch.setattr("harness.mlperf.client.MlperfClient", lambda transport: client)
    short = functools.partial(measure_energy, least_seconds=0.3, runs=3)
    monkeypatch.setattr("harness.cli.energy_run.measure_energy", short)
    yield seen
    instrument.close()


def test_a_model_is_built_flashed_measured_and_kept(lab, tmp_path):
    ran = called("energy", FIXTURES / "digits.tflite", "-b", "nucleo-l4r5", "--meter", f"lpm01a:{lab.instrument.port}",
                 "--voltage", "3.3V", "--rate", "1/s", "--report", tmp_path / "out")  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    for word in ("measured", "LPM01A", "3 runs of", "1 a second, measured"):
        assert word in ran.stdout, word
    assert "estimated" not in ran.stdout
    model = read_bundle(tmp_path / "out")["energy"][0]["models"][0]
    assert model["energy"]["unit"] == "nanojoules"
    assert model["energy"]["value"] == pytest.approx(BUSY_W * model["seconds"] * 1e9, rel=0.15)
    assert lab.image.board == "nucleo-l4r5"
    assert len(lab.client.loaded) == 64, "the input tensor of the model"
    assert "volt 3300m" in lab.instrument.commands
    assert lab.instrument.commands[-1] == "hrc"


def test_a_meter_that_does_not_answer_leaves_no_bundle(lab, tmp_path):
    lab.instrument.refuse = "htc"
    ran = called("energy", FIXTURES / "digits.tflite", "-b", "nucleo-l4r5", "--meter", f"lpm01a:{lab.instrument.port}",
                 "--report", tmp_path / "out")  # fmt: skip
    assert ran.returncode == 4
    assert "refuses 'htc'" in ran.stderr
    assert not (tmp_path / "out").exists()


def test_a_virtual_probe_is_no_board(lab):
    lab.probe = Probe("V1", "virtual", virtual=True)
    ran = called("energy", FIXTURES / "digits.tflite", "-b", "nucleo-l4r5", "--meter", f"lpm01a:{lab.instrument.port}")
    assert ran.returncode == 4
    assert "draws no current" in ran.stderr
