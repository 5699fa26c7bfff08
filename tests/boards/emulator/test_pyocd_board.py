"""A board through pyOCD's own code: its image flashed over a virtual debug probe, run over a pseudo-terminal."""

import json
import os
import re
import stat
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from harness.boards import find_board, load_boards, open_session, resolve
from harness.boards.backends import find_backend
from harness.boards.backends.pyocd import session as pyocd_session
from harness.boards.backends.pyocd.flash import load_image
from harness.boards.backends.pyocd.watermarks import disagreements, read_marks
from harness.boards.bringup import bring_up
from harness.boards.session import open_client
from harness.build import BuildOptions, build_image
from harness.compiler.emit.package import emit
from harness.elf.symbols import symbol_address
from harness.ir.interpreter import run
from harness.units import Unit
from harness.validate.card import RandomVectors, card_for_model
from harness.validate.measurement import PAINT_SEED, measure
from harness.validate.options import Options
from harness.validate.workbench import Workbench
from harness.virtual.remote import SLOW
from tests.support.paths import REPOSITORY
from tests.support.plugin_run import plugin_arguments
from tests.support.probe import pyocd_command
from tests.support.scale import scaled
from tests.support.tiny import TINY_VECTOR, tiny_graph, tiny_package

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")

# By default the first; `make test-long` has all: each core of a virtual board, and a chip that is not ST's
BOARDS = ["nucleo-h743", "nucleo-u575", "nucleo-g0b1", "nrf52840dk"][: scaled(1, 4)]
RUN = ["nucleo-h743", "nucleo-u575", "nrf52840dk", "nucleo-g0b1", "nucleo-l476", "nucleo-f746", "nucleo-f446"]
VECTORS = [TINY_VECTOR]


@pytest.fixture(params=BOARDS)
def board(request):
    return request.param


def package_for(board, seed=0):
    return tiny_package(core=find_board(board).core, seed=seed)


@pytest.mark.parametrize("board", RUN[: scaled(3, len(RUN))])
def test_kws_runs_exactly_and_the_second_run_skips_flashing(board, attach, kws, monkeypatch):
    attach(board)
    loads = []
    monkeypatch.setattr(pyocd_session, "load_image", lambda *given: loads.append(load_image(*given)) or loads[-1])
    card = card_for_model(kws)
    outcome = Workbench().validate(card, board, Options(vectors=RandomVectors(random=2), opinions=()))
    assert outcome.passed, outcome.explain()
    assert {check.name for check in outcome.verdict.checks} >= {"outputs", "layers"}
    assert outcome.resolved.runs_on.name == board and outcome.resolved.stand_in
    assert outcome.measurement.unit is Unit.INSTRUCTIONS

    image, vectors = outcome.image, outcome.vectors.inputs
    with open_session(outcome.resolved, image) as session:
        assert stat.S_ISCHR(os.stat(session.port_device()).st_mode) and "/pts/" in session.port_device()
        client = open_client(session, image)
        assert session.baud == 921_600
        again = measure(session, image, emit(outcome.plan), vectors, layers=False, client=client)
        client.init(0, PAINT_SEED)
        client.infer([tensor.tobytes() for tensor in vectors[0]])
        device = client.watermarks()
        debugger = read_marks(session, image.elf, device.arena_size, PAINT_SEED)
        assert disagreements(device, debugger) == ()
        assert debugger.arena_high == device.arena_high > 0 and debugger.run_stack >= device.stack_high > 0
    assert session.notes() == ()
    assert [loaded.programmed for loaded in loads] == [True, False]
    for one, other in zip(again.outputs, outcome.measurement.outputs, strict=True):
        np.testing.assert_array_equal(one[0], other[0])


def test_the_h7a3_is_flashed_by_the_algorithm_of_its_sibling(attach):
    """Its own target is in ST's CMSIS pack; pyOCD has that of the H7B0 built in, with the same controller."""
    attach("nucleo-h7a3")
    board = find_board("nucleo-h7a3")
    package = tiny_package(core=board.core)
    image = build_image([package], board)
    resolved = replace(resolve(board.name), runs_on=replace(board, target="stm32h7b0xx"))
    programmed = []
    for _ in range(2):
        with open_session(resolved, image) as session:
            measured = measure(session, image, package, VECTORS, layers=True)
            programmed.append(session.loaded.programmed)
        np.testing.assert_array_equal(measured.outputs[0][0], run(tiny_graph(), VECTORS[0]).outputs[0])
    assert programmed == [True, False] and session.notes() == ()


@pytest.mark.parametrize("link", ["uart", "rtt"])
def test_watermarks_of_device_and_debugger_agree(board, link, attach):
    attach(board)
    package = package_for(board)
    image = build_image([package], find_board(board), BuildOptions(link=link))
    with open_session(resolve(board), image) as session:
        client = open_client(session, image)
        client.init(0, PAINT_SEED)
        client.infer([bytes(32)])
        device = client.watermarks()
        debugger = read_marks(session, image.elf, device.arena_size, PAINT_SEED)
        assert disagreements(device, debugger) == ()
        assert debugger.arena_high == device.arena_high > 0
        assert debugger.run_stack == device.stack_high > 0
        assert debugger.stack_size == device.stack_size
        # the same bytes, by both ways
        arena = client.read_arena()
        assert session.read_memory(symbol_address(image.elf, "hil_arena"), len(arena)) == arena


def test_what_the_debugger_sees_differently_is_noted(board, attach):
    attach(board)
    package = package_for(board)
    image = build_image([package], find_board(board))
    with open_session(resolve(board), image) as session:
        client = open_client(session, image)
        client.init(0, PAINT_SEED)
        client.infer([bytes(32)])
        device = client.watermarks()
        session.compare_marks(replace(device, arena_high=1), PAINT_SEED)
        assert any("arena high-water mark: the device says 1" in note for note in session.notes())


def test_rtt_carries_the_same_frames(board, attach):
    attach(board)
    package = package_for(board)
    image = build_image([package], find_board(board), BuildOptions(link="rtt"))
    with open_session(resolve(board), image) as session:
        measured = measure(session, image, package, VECTORS, layers=True)
        assert session.baud is None
    wanted = run(tiny_graph(), VECTORS[0])
    np.testing.assert_array_equal(measured.outputs[0][0], wanted.outputs[0])


def test_a_model_in_another_build_is_flashed_again(board, attach):
    attach(board)
    images = [build_image([package_for(board, seed)], find_board(board)) for seed in (0, 1)]
    programmed = []
    for image in (images[0], images[1], images[1], images[0]):
        with open_session(resolve(board), image) as session:
            open_client(session, image)
            programmed.append(session.loaded.programmed)
    assert programmed == [True, True, False, True]


def test_a_virtual_board_without_its_native_helper_says_that_it_is_slow(board, attach, monkeypatch):
    attach(board)
    monkeypatch.setenv("TINYHIL_VIRTUAL_NATIVE", "0")
    package = package_for(board)
    image = build_image([package], find_board(board))
    with open_session(resolve(board), image) as session:
        measure(session, image, package, VECTORS, layers=False)
    assert session.notes() == (SLOW,)


def test_every_bring_up_check_passes(board, attach):
    attach(board)
    checks = bring_up(board)
    assert tuple(check.name for check in checks) == find_backend("pyocd").bring_up_checks
    assert all(check.ok for check in checks), checks
    told = {check.name: check.detail for check in checks}
    entry = find_board(board)
    assert told["connect"] == "normal" and "raised to 921,600" in told["uart"]
    assert entry.idcode.text(entry.idcode.device) in told["chip"]
    assert f"{entry.clock_hz // 1_000_000} MHz" in told["tick"]


def test_attached_probes_are_listed_with_an_entry_that_works(board, attach, tmp_path):
    environment = attach(board)
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", "boards", "--probe", "--json"],
        capture_output=True, text=True, timeout=60, check=True, env={**os.environ, **environment},
    )  # fmt: skip
    (probe,) = json.loads(done.stdout)["probes"]
    device = find_board(board).idcode.device
    assert (probe["unique_id"], probe["device"], probe["boards"]) == (f"virtual-{board}", device, [board])
    assert probe["ports"] and not probe["problem"]
    proposed = tmp_path / "proposed.yaml"
    proposed.write_text(probe["proposal"])
    entry = load_boards(proposed)[board]
    assert entry.probe == probe["unique_id"]
    assert replace(entry, probe=None) == find_board(board)


def test_pytest_goes_through_pyocd(board, attach):
    environment = attach(board)
    command = [sys.executable, "-m", "pytest", *plugin_arguments(), "-p", "no:cacheprovider", "-v", "--board", board]
    command.append("fixtures/digits.hil.yaml")
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, timeout=200, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    core = find_board(board).core
    assert f"board: {board} ({core}, pyocd); stand-in: probe virtual-{board} is virtual" in done.stdout
    assert f"outputs[{board}] PASSED" in done.stdout


def test_pyocd_lists_and_programs_the_virtual_board(board, attach):
    environment = {**os.environ, **attach(board)}
    listed = subprocess.run(pyocd_command("list"), capture_output=True, text=True, timeout=60, env=environment)
    assert f"virtual-{board}" in listed.stdout, listed.stderr
    image = build_image([package_for(board)], find_board(board))
    packs = ["--pack", environment["TINYHIL_PACKS"]] if environment["TINYHIL_PACKS"] else []
    loaded = subprocess.run(
        pyocd_command("load", "--target", find_board(board).target, *packs, "--format", "elf", str(image.elf)),
        capture_output=True, text=True, timeout=120, env=environment,
    )  # fmt: skip
    assert loaded.returncode == 0, loaded.stdout + loaded.stderr
    assert re.search(r"programmed \d+ bytes", loaded.stdout + loaded.stderr)
    with open_session(resolve(board), image) as session:  # and what it programmed is what we would have
        assert not session.loaded.programmed
        assert open_client(session, image).info.build_id == image.build_id
