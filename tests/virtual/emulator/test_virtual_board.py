"""The virtual board as a backend: its counts are QEMU's, nothing is left behind, and nobody meets it unasked."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from harness.boards import find_board, open_session
from harness.boards.session import open_client
from harness.build import build_image
from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import emit
from harness.elf.symbols import symbol_address
from harness.errors import BoardError, BoardLostError, LinkError
from harness.frontends import load
from harness.hardware.board import Resolved
from harness.ir.interpreter import run
from harness.link.client import Client
from harness.units import Unit
from harness.validate.measurement import measure
from harness.virtual.remote import SLOW, RemoteMachine
from tests.support.paths import FIXTURES, REPOSITORY
from tests.support.probe import pyocd_command, virtual_probes
from tests.support.processes import alive, gone
from tests.support.scale import scaled
from tests.support.tiny import TINY_VECTOR, tiny_graph, tiny_package

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")

# By default the first; `make test-long` has all: each core, and a chip that is not ST's
BOARDS = ["nucleo-h743", "nucleo-u575", "nucleo-g0b1", "nrf52840dk"][: scaled(1, 4)]
# Instructions that a layer may count more or less than on QEMU
TOLERANCE = 20
VECTORS = [TINY_VECTOR]


@pytest.fixture(params=BOARDS)
def board(request):
    return request.param


def package_for(board):
    return tiny_package(core=find_board(board).core)


def virtual(name):
    entry = find_board(name)
    return Resolved(entry, replace(entry, backend="virtual"), True, "a test")


def counted(resolved, graph):
    board = resolved.runs_on
    package = emit(compile_graph(graph, core=board.core))
    image = build_image([package], board)
    vector = [np.full(graph.tensors[t].shape, 3, graph.tensors[t].dtype.numpy) for t in graph.inputs]
    with open_session(resolved, image) as session:
        return measure(session, image, package, [vector], layers=False)


QEMU = {
    "nucleo-h743": "mps2-an500",
    "nucleo-u575": "mps2-an505",
    "nucleo-l476": "mps2-an386",
    "nucleo-f746": "mps2-an500",
    "nrf52840dk": "mps2-an386",
}


@pytest.mark.parametrize("name", [*QEMU][: scaled(3, len(QEMU))])
@pytest.mark.parametrize("model", ["digits", "residual", "stream", "kws"])
def test_every_layer_counts_as_many_instructions_as_on_qemu(name, model, kws):
    graph = load(kws if model == "kws" else FIXTURES / f"{model}.tflite")
    ours = counted(virtual(name), graph)
    board = find_board(QEMU[name])
    theirs = counted(Resolved(board, board, False, ""), graph)
    assert ours.unit is theirs.unit is Unit.INSTRUCTIONS
    assert len(ours.layer_ticks) == len(theirs.layer_ticks) > 1
    differences = [abs(one - other) for one, other in zip(ours.layer_ticks, theirs.layer_ticks, strict=True)]
    assert max(differences) <= TOLERANCE, differences
    assert abs(ours.total - theirs.total) <= TOLERANCE


def test_without_a_compiler_it_counts_the_same_and_says_that_it_is_slow(board, monkeypatch):
    graph = load(FIXTURES / "stream.tflite")
    fast = counted(virtual(board), graph)
    monkeypatch.setenv("TINYHIL_HOST_CC", "/no/such/compiler")
    package = package_for(board)
    image = build_image([package], find_board(board))
    with open_session(virtual(board), image) as session:
        measure(session, image, package, VECTORS, layers=True)
    assert session.notes() == (SLOW,)
    slow = counted(virtual(board), graph)
    assert (slow.total, slow.layer_ticks) == (fast.total, fast.layer_ticks)


def test_outputs_layers_and_memory_read_from_outside(board, monkeypatch):
    package = package_for(board)
    image = build_image([package], find_board(board))
    with open_session(virtual(board), image) as session:
        client = open_client(session, image)
        got = measure(session, image, package, VECTORS, layers=True, client=client)
        expected = run(tiny_graph(), VECTORS[0])
        assert np.array_equal(got.outputs[0][0], expected.outputs[0])
        client.init(0, 0x5EED)
        client.infer([VECTORS[0][0].tobytes()])
        arena = symbol_address(image.elf, "hil_arena")
        assert session.read_memory(arena, got.arena_size) == client.read_arena()[: got.arena_size]
        with pytest.raises(BoardError, match="no memory at"):
            session.read_memory(0x6000_0000, 4)
    assert session.notes() == () and session.stderr() == ""


def test_a_session_leaves_no_process_behind(board):
    image = build_image([package_for(board)], find_board(board))
    with open_session(virtual(board), image) as session:
        pid = session.machine.child.pid
        assert alive(pid)
    assert gone(pid)


def test_a_killed_owner_takes_the_board_with_it(board):
    code = (
        "import sys, time\nfrom harness.virtual.remote import SLOW, RemoteMachine\n"
        f"m = RemoteMachine({board!r})\nprint(m.child.pid, flush=True)\ntime.sleep(60)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=REPOSITORY, text=True)
    pid = int(owner.stdout.readline())
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    assert gone(pid)


def test_the_module_runs_an_image_until_its_input_ends(board):
    image = build_image([package_for(board)], find_board(board))
    command = [sys.executable, "-m", "harness.virtual", board, str(image.elf)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=REPOSITORY, text=True
    )
    chip, _, port = process.stdout.readline().strip().partition(": serial port ")
    assert find_board(board).chip.startswith(chip) and os.path.exists(port)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "", "")


def test_a_board_that_is_killed_during_a_run_is_lost_and_the_next_works(board):
    package = package_for(board)
    image = build_image([package], find_board(board))
    with pytest.raises(BoardLostError, match="killed by SIGKILL"), open_session(virtual(board), image) as session:
        client = open_client(session, image)
        os.kill(session.machine.child.pid, signal.SIGKILL)
        client.init(0)
    with open_session(virtual(board), image) as session:
        measure(session, image, package, VECTORS, layers=False)


def test_a_faulty_line_is_told_and_recovers(board):
    package = package_for(board)
    image = build_image([package], find_board(board))
    with open_session(virtual(board), image) as session:
        client = open_client(session, image)
        session.machine.inject("overrun@20")
        measure(session, image, package, VECTORS, layers=True, client=client)
        assert client.line().overruns == 1
        session.machine.inject("baud@30")
        session.reset()
        with pytest.raises(LinkError):
            Client(session.stream(), elf=image.elf).hello(image.build_id, board, timeout_s=1.0)
        session.machine.inject("baud@0")
        session.reset()
        measure(session, image, package, VECTORS, layers=False)


def test_an_unknown_board_is_refused_by_name():
    with pytest.raises(BoardError, match="has no chip nucleo-z99"):
        RemoteMachine("nucleo-z99")


def test_pyocd_does_not_see_it_unasked(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "TINYHIL_VIRTUAL_PROBE"}
    environment["PYTHONPATH"] = virtual_probes(folder=tmp_path)["PYTHONPATH"]
    listed = subprocess.run(pyocd_command("list"), capture_output=True, text=True, timeout=60, env=environment)
    assert "tinyhil" not in listed.stdout + listed.stderr and listed.returncode == 0
    code = "import sys, pyocd.probe.aggregator as a; print(*a.PROBE_CLASSES, 'harness.virtual.probe' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=environment)
    assert "tinyhil" not in loaded.stdout and "False" in loaded.stdout
