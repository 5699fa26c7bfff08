"""`tinyhil calibrate` on emulators: the loops execute as the model walks through them."""

import json
from unittest import mock

import pytest

from harness.boards import open_session, resolve
from harness.cycles import calibrate, calibration_image
from harness.cycles.tables import core_table
from tests.cli.host.test_cli import tinyhil


def test_on_qemu():
    done = tinyhil("calibrate", "-b", "mps2-an386", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["unit"] == "instructions" and document["as_expected"] and document["core"] == "cortex-m4"
    assert document["setup"] is None and document["left_out"] == ["chain-other-memory"]
    assert len(document["loops"]) > 60
    assert {loop["deviation"] for loop in document["loops"]} == {None}


def test_on_a_boards_stand_in():
    done = tinyhil("calibrate", "-b", "nucleo-l4r5")
    assert done.returncode == 0, done.stderr
    assert "67 of 67 loops are as expected" in done.stdout
    assert "virtual-nucleo-l4r5, for nucleo-l4r5" in done.stdout
    assert "no cycle was measured" in done.stdout


def test_an_emulator_writes_no_table(tmp_path):
    done = tinyhil("calibrate", "-b", "mps2-an386", "-o", tmp_path / "table.yaml")
    assert done.returncode == 2
    assert "no cycle counter" in done.stderr
    assert not (tmp_path / "table.yaml").exists()


@pytest.mark.parametrize("board", ["mps2-an385", "mps2-an505", "mps3-an547"])
def test_other_cores_execute_what_their_loops_say(board):
    done = tinyhil("calibrate", "-b", board)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "loops are as expected" in done.stdout


def test_the_m0plus_loops_run_too():
    """No emulated board with an M0+ is here; an M3 executes Armv6-M code as well."""
    resolved = resolve("mps2-an385")
    spoken = calibration_image.language("cortex-m0plus")
    with (
        mock.patch.object(calibration_image, "language", lambda core: spoken),
        mock.patch.object(calibrate, "core_table", lambda core: core_table("cortex-m0plus")),
    ):
        image = calibration_image.build(resolved.runs_on)
        with open_session(resolved, image) as session:
            found = calibrate.calibrate(session)
    assert found.as_expected and len(found.readings) == 28 and found.left_out == ("chain-other-memory",)
