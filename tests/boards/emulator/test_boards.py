"""Sessions with emulated boards and the host board: what every backend must do."""

import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from harness.boards import find_board, load_boards, open_session
from harness.build import BuildOptions, build_image
from harness.errors import BoardError
from harness.ir.interpreter import run as run_specification
from harness.link.client import Client
from harness.link.framing import Frame, FrameDecoder
from harness.link.paint import pattern
from harness.link.wire import Kind
from harness.units import Unit
from harness.validate.measurement import measure
from tests.support.tiny import check_tiny, tiny_graph, tiny_package, tiny_vectors

EMULATED = [board.name for board in load_boards().values() if board.backend == "qemu"]
LINKS = [(board, link) for board in EMULATED for link in ("uart", "semihost")] + [("host", "pipe")]


def image_for(board, link=None, sanitize=False):
    package = tiny_package(core=find_board(board).core)
    return package, build_image([package], find_board(board), BuildOptions(link=link, sanitize=sanitize))


@pytest.mark.parametrize(("board", "link"), LINKS)
def test_outputs_and_layers_are_those_of_the_specification(board, link):
    package, image = image_for(board, link)
    given = tiny_vectors(3)
    with open_session(find_board(board), image) as session:
        measured = measure(session, image, package, given, layers=True)
        plain = measure(session, image, package, given, layers=False, profile=False)
    check_tiny(measured, package, given)
    assert all(np.array_equal(*pair) for pair in zip(plain.outputs, measured.outputs, strict=True))
    assert plain.layer_outputs is None and plain.total is None and plain.layer_ticks is None
    assert not measured.reads_unwritten
    assert measured.arena_overrun == 0
    assert measured.arena_size == package.plan.arena_size
    assert measured.arena_high <= package.plan.arena_size


@pytest.mark.parametrize("board", EMULATED)
def test_instructions_are_exact_and_layers_sum_to_the_inference(board):
    package, image = image_for(board)
    given = tiny_vectors(2)
    runs = []
    for link in ("uart", "semihost"):
        package, image = image_for(board, link)
        with open_session(find_board(board), image) as session:
            runs.append(measure(session, image, package, given, layers=False))
            runs.append(measure(session, image, package, given, layers=False))
    first = runs[0]
    assert first.unit is Unit.INSTRUCTIONS
    assert first.total > 0 and all(ticks > 0 for ticks in first.layer_ticks)
    # QEMU's timer of the nRF51 drops the fraction of a tick whenever it is read
    slack = 2 if board == "microbit" else 0
    for other in runs[1:]:
        pairs = zip((other.total, *other.layer_ticks), (first.total, *first.layer_ticks), strict=True)
        assert all(abs(one - another) <= slack for one, another in pairs), "the link changes no figure"
    # a call of each layer and a comparison of the observer lie between the layers
    assert 0 <= first.total - sum(first.layer_ticks) <= 16 * len(first.layer_ticks) + 32
    assert 0 < first.stack_high < 1024


def test_without_icount_there_is_no_time():
    package, image = image_for("mps2-an500")
    with open_session(find_board("mps2-an500"), image, icount=False) as session:
        measured = measure(session, image, package, tiny_vectors(1), layers=False)
    assert (measured.unit, measured.total, measured.layer_ticks) == (None, None, None)


def test_a_clock_that_contradicts_the_board_file_is_found():
    from dataclasses import replace

    from harness.boards import Resolved, Tick
    from harness.boards.backends.qemu.session import QemuSession

    package, image = image_for("mps2-an500")
    board = find_board("mps2-an500")
    wrong = replace(board, tick=Tick("FPGAIO COUNTER", 20_000_000))
    with (
        QemuSession(Resolved(board, wrong, False, ""), image) as session,
        pytest.raises(BoardError, match="loop of") as caught,
    ):
        measure(session, image, package, tiny_vectors(1), layers=False)
    assert "tick.hz" in caught.value.hint


def test_the_host_board_counts_nanoseconds():
    package, image = image_for("host")
    with open_session(find_board("host"), image) as session:
        measured = measure(session, image, package, tiny_vectors(2), layers=False)
        assert measured.unit is Unit.HOST_NS
        assert measured.total_quantity.unit is Unit.HOST_NS
        assert measured.stack_high == 0
        with pytest.raises(BoardError, match="memory"):
            session.read_memory(0, 4)


def test_the_host_board_runs_under_sanitizers():
    package, image = image_for("host", sanitize=True)
    assert image.sanitize
    with open_session(find_board("host"), image) as session:
        measure(session, image, package, tiny_vectors(2), layers=True)


def symbol(image, name):
    listing = subprocess.run(["arm-none-eabi-nm", str(image.elf)], capture_output=True, text=True, check=True).stdout
    return int(re.search(rf"^([0-9a-f]+) \w {name}$", listing, re.MULTILINE)[1], 16)


@pytest.mark.parametrize("board", EMULATED)
def test_memory_is_read_from_outside(board):
    """Flash holds the build id and the arena its paint, and what the wire tells agrees."""
    package, image = image_for(board)
    with open_session(find_board(board), image) as session:
        client = Client(session.stream())
        client.hello(image.build_id)
        assert session.read_memory(symbol(image, "hil_build_id"), 16).decode() == image.build_id
        client.init(0, 77)
        arena = symbol(image, "hil_arena")
        painted = session.read_memory(arena, package.plan.arena_size)
        assert painted == pattern(77, package.plan.arena_size).tobytes()
        client.infer([tiny_vectors(1)[0][0].tobytes()])
        assert session.read_memory(arena, package.plan.arena_size) == client.read_arena() != painted
        assert session.read_memory(arena, 0) == b""


def test_memory_that_is_not_there_is_refused():
    _, image = image_for("mps2-an500")
    with open_session(find_board("mps2-an500"), image) as session:
        for address, length in [(0x9000_0000, 4), (0x203F_FFFF, 2), (0, -1)]:
            with pytest.raises(BoardError, match="has no memory") as caught:
                session.read_memory(address, length)
            assert "0x20000000" in caught.value.hint


def test_reset_starts_from_the_beginning():
    package, image = image_for("mps2-an500")
    with open_session(find_board("mps2-an500"), image) as session:
        first = session.pid
        measure(session, image, package, tiny_vectors(1), layers=False)
        session.reset()
        assert session.pid != first
        measure(session, image, package, tiny_vectors(1), layers=False)


def test_a_closed_session_has_no_stream():
    _, image = image_for("mps2-an500")
    session = open_session(find_board("mps2-an500"), image)
    with pytest.raises(BoardError, match="nothing is loaded"):
        session.stream()
    with session:
        session.stream()
    session.close()
    with pytest.raises(BoardError, match="nothing is loaded"):
        session.stream()


def test_many_boards_at_once():
    def work(board):
        package, image = image_for(board)
        with open_session(find_board(board), image) as session:
            return measure(session, image, package, tiny_vectors(2), layers=True).device.board

    with ThreadPoolExecutor(4) as pool:
        boards = EMULATED * 2
        assert list(pool.map(work, boards)) == boards


@pytest.mark.parametrize("board", ["microbit", "mps2-an385"])  # one of each UART
def test_a_board_waits_for_a_host_that_does_not_read(board):
    """Requests are answered while nobody reads until the line is full; later all answers are there."""
    _, image = image_for(board)
    with open_session(find_board(board), image) as session:
        stream = session.stream()
        client = Client(stream, elf=image.elf)
        client.hello(image.build_id, board)
        client.init(0)
        count = 150
        for _ in range(count):
            stream.write(client.exchange.make(Kind.MODEL, bytes(7))[0])
            time.sleep(0.005)  # the device takes each before the next comes
        decoder, answers = FrameDecoder(), 0
        while more := stream.read(2):
            events = decoder.feed(more)
            answers += sum(isinstance(one, Frame) and one.kind == Kind.MODEL | 0x80 for one in events)
        assert answers == count
        client.init(0)


def test_many_models_in_one_image():
    board = find_board("mps2-an500")
    packages = [tiny_package(f"m{i}", seed=i) for i in range(12)]
    image = build_image(packages, board, BuildOptions(link="fast"))
    given = tiny_vectors(2)
    with open_session(board, image) as session:
        from harness.boards.session import open_client

        client = open_client(session, image)
        for index in (0, 11, 5):
            measured = measure(session, image, packages[index], given, layers=False, client=client)
            expected = run_specification(tiny_graph(seed=index), given[1], None)
            assert np.array_equal(measured.outputs[1][0], expected.outputs[0])


def test_time_is_told_by_phase():
    package, image = image_for("mps2-an500")
    with open_session(find_board("mps2-an500"), image) as session:
        seconds = measure(session, image, package, tiny_vectors(3), layers=False).seconds
    assert set(seconds) == {"start", "vectors", "device", "profile"}
    assert 0 < seconds["device"] <= seconds["vectors"]
