"""An Ethos-U on an emulated board: the driver runs on the core, the device answers through the gdb stub."""

from __future__ import annotations

import signal
import threading
import time
from dataclasses import replace
from os import kill
from pathlib import Path

import numpy as np
import pytest

from harness.boards import Resolved, find_board, open_session
from harness.boards.backends.qemu.npu import npu_hooks
from harness.boards.backends.qemu.session import QemuSession
from harness.boards.npu_record import NpuFailedError
from harness.boards.session import open_client
from harness.build.image import Image
from harness.compiler.emit.package import Package
from harness.elf.segments import loadable_segments
from harness.elf.symbols import symbol_address
from harness.errors import (
    BoardError,
    BoardLostError,
    CommandStreamError,
    DeviceRefusedError,
    DeviceTimeoutError,
    UnsupportedModelError,
)
from harness.ethosu.pmu import Counters, default_timing
from harness.ethosu.simulator import Simulator
from harness.ir.graph import Graph
from harness.ir.operators.ethos_u import EthosUAttrs
from harness.validate.measurement import measure
from tests.support.npu_image import BOARD, npu_graph, npu_image, specified, vectors_for, with_words
from tests.support.patience import ends
from tests.support.tiny import tiny_package

KWS = "mlperftiny_kws_int8"


@pytest.fixture(scope="module")
def kws() -> Graph:
    return npu_graph(KWS)


@pytest.fixture(scope="module")
def kws_image(kws: Graph) -> tuple[Package, Image]:
    return npu_image(kws)


@pytest.mark.parametrize("link", ["uart", "semihost"])
def test_outputs_are_those_of_the_specification_and_figures_are_the_same_every_time(kws: Graph, link: str) -> None:
    package, image = npu_image(kws, link)
    given = vectors_for(kws, 2)
    figures = set()
    for _ in range(2):
        with open_session(find_board(BOARD), image) as session:
            measured = measure(session, image, package, given, layers=False)
            runs = session.npu_runs()
        for outputs, vector in zip(measured.outputs, given, strict=True):
            for ours, theirs in zip(outputs, specified(kws, vector), strict=True):
                np.testing.assert_array_equal(ours, theirs)
        figures.add((measured.total, tuple(measured.layer_ticks or ()), measured.stack_high))
        assert len(runs) == 4, "two vectors, and the first one twice more"
        assert len({run.counters.active for run in runs}) == 1
        (counts,) = measured.npu
        assert (counts.layer, counts.accelerator, counts.active) == (0, "ethos-u55-128", runs[-1].counters.active)
        assert all(run.error is None and run.changed > 0 for run in runs)
    assert len(figures) == 1


@pytest.mark.parametrize("accelerator", ["ethos-u55-32", "ethos-u65-512"])
def test_the_npu_is_the_one_that_the_model_is_for(accelerator: str) -> None:
    graph = npu_graph(KWS, accelerator)
    package, image = npu_image(graph)
    given = vectors_for(graph, 1)
    with open_session(find_board(BOARD), image) as session:
        measured = measure(session, image, package, given, layers=False)
        assert [run.accelerator.name for run in session.npu_runs()] == [accelerator] * 3
    np.testing.assert_array_equal(measured.outputs[0][0], specified(graph, given[0])[0])


def test_counters_are_those_of_the_stream(kws: Graph, kws_image: tuple[Package, Image]) -> None:
    """In the session, and in the memory of the core, where hardware leaves them too."""
    _, image = kws_image
    with open_session(find_board(BOARD), image) as session:
        client = open_client(session, image)
        client.init(0)
        client.infer([vectors_for(kws, 1)[0][0].tobytes()])
        (run,) = session.npu_runs()
        record = session.npu_record()
    assert record is not None
    assert (record.active, record.idle, record.runs, record.result) == (run.counters.active, 0, 1, 0)
    assert (record.axi0_read, record.axi0_write) == (run.counters.beats(0, "read"), run.counters.beats(0, "write"))
    assert (record.axi1_read, record.axi1_write) == (run.counters.beats(1, "read"), 0)
    assert record.error() is None
    (node,) = kws.nodes
    attrs = node.attrs
    counters = Counters(attrs.accelerator, default_timing(attrs.accelerator))  # type: ignore[attr-defined]
    arena = np.zeros(dict(attrs.regions)[1], np.uint8)  # type: ignore[attr-defined]
    regions = {0: np.frombuffer(attrs.constants, np.uint8), 1: arena, 2: arena}  # type: ignore[attr-defined]
    Simulator(attrs.accelerator).run(attrs.words, regions, "here", counters.observe)  # type: ignore[attr-defined]
    assert counters.active == run.counters.active
    assert counters.by_kind() == run.counters.by_kind()


SET_PADDING = 0x0105


@pytest.mark.parametrize(
    ("changes", "told"), [({-1: SET_PADDING}, "without NPU_OP_STOP"), ({40: 0xFFFF_FFFF}, "word 40")]
)
def test_what_the_npu_cannot_carry_out_is_told_by_word_and_command(
    kws: Graph, kws_image: tuple[Package, Image], changes: dict[int, int], told: str, tmp_path: Path
) -> None:
    package, sound = kws_image
    image = with_words(kws, sound, changes, tmp_path / "damaged.elf")
    with open_session(find_board(BOARD), image) as session:
        with pytest.raises(CommandStreamError, match=told) as caught:
            measure(session, image, package, vectors_for(kws, 1), layers=False)
        record = session.npu_record()
    assert isinstance(caught.value.__cause__, DeviceRefusedError), "the firmware noticed it, too"
    assert record is not None
    assert record.result > 0
    assert "NPU" in str(record.error())


def test_a_board_with_another_npu_or_none(kws: Graph, kws_image: tuple[Package, Image]) -> None:
    _, image = kws_image
    board = find_board(BOARD)
    assert board.npu is not None
    for npu, told in ((replace(board.npu, accelerators=("ethos-u65-256",)), "has ethos-u65-256"), (None, "no NPU")):
        other = replace(board, npu=npu)
        with (
            QemuSession(Resolved(other, other, False, ""), image) as session,
            pytest.raises(UnsupportedModelError, match=told),
        ):
            client = open_client(session, image)
            client.init(0)
            client.infer([vectors_for(kws, 1)[0][0].tobytes()])


def test_memory_that_the_npu_does_not_reach(kws: Graph, kws_image: tuple[Package, Image]) -> None:
    _, image = kws_image
    board = find_board(BOARD)
    assert board.npu is not None
    near = replace(board, npu=replace(board.npu, memory=("ram",)))
    with (
        QemuSession(Resolved(near, near, False, ""), image) as session,
        pytest.raises(CommandStreamError, match="no memory that the NPU reaches at 0x0100"),
    ):
        client = open_client(session, image)
        client.init(0)
        client.infer([vectors_for(kws, 1)[0][0].tobytes()])


def test_memory_is_read_while_the_npu_runs(kws: Graph, kws_image: tuple[Package, Image]) -> None:
    package, image = kws_image
    read: list[bytes] = []
    with open_session(find_board(BOARD), image) as session:
        done = threading.Event()

        def reader() -> None:
            while not done.is_set():
                read.append(session.read_memory(0x2100_0000, 4096))

        thread = threading.Thread(target=reader)
        thread.start()
        try:
            measured = measure(session, image, package, vectors_for(kws, 2), layers=False)
        finally:
            done.set()
            thread.join()
    assert len(read) > 1
    np.testing.assert_array_equal(measured.outputs[0][0], specified(kws, vectors_for(kws, 2)[0])[0])


def test_it_is_there_again_after_a_reset(kws: Graph, kws_image: tuple[Package, Image]) -> None:
    package, image = kws_image
    given = vectors_for(kws, 1)
    with open_session(find_board(BOARD), image) as session:
        first = measure(session, image, package, given, layers=False)
        session.reset()
        assert session.npu_runs() == ()
        again = measure(session, image, package, given, layers=False)
        client = open_client(session, image)
        client.reset()  # of the firmware alone
        restarted = measure(session, image, package, given, layers=False)
    assert first.total == again.total == restarted.total
    np.testing.assert_array_equal(first.outputs[0][0], restarted.outputs[0][0])


def _threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if "npu" in thread.name}


def test_nothing_is_left_when_the_emulator_is_killed_or_the_session_ends(
    kws: Graph, kws_image: tuple[Package, Image]
) -> None:
    package, image = kws_image
    with pytest.raises(BoardLostError), open_session(find_board(BOARD), image) as session:
        client = open_client(session, image)
        client.init(0)
        kill(session.pid, signal.SIGKILL)  # type: ignore[attr-defined]
        client.infer([vectors_for(kws, 1)[0][0].tobytes()])
    assert _threads() == set()
    with pytest.raises(KeyboardInterrupt), open_session(find_board(BOARD), image) as session:
        open_client(session, image)
        raise KeyboardInterrupt
    assert _threads() == set()


def test_an_npu_that_breaks_ends_the_run(
    kws: Graph, kws_image: tuple[Package, Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No error of ours may leave the core at a breakpoint for ever."""

    def broken(*_: object) -> None:
        raise RuntimeError("a bug of ours")

    package, image = kws_image
    monkeypatch.setattr(Simulator, "run", broken)
    with ends(), pytest.raises(BoardError, match="a bug of ours"), open_session(find_board(BOARD), image) as session:
        measure(session, image, package, vectors_for(kws, 1), layers=False)


def test_a_time_limit_ends_a_run_on_an_npu_that_takes_long(
    kws: Graph, kws_image: tuple[Package, Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, image = kws_image
    monkeypatch.setattr(Simulator, "run", lambda *_: time.sleep(3))
    with pytest.raises(DeviceTimeoutError), open_session(find_board(BOARD), image) as session:
        client = open_client(session, image)
        client.init(0)
        client.infer([vectors_for(kws, 1)[0][0].tobytes()], limit_s=0.5)
    assert _threads() == set()


@pytest.mark.parametrize("name", [BOARD, "corstone-300"])
def test_commands_constants_and_arena_lie_where_the_npu_reaches(kws: Graph, name: str) -> None:
    board = find_board(name)
    assert board.npu is not None
    reached = [board.region(region) for region in board.npu.memory]
    _, image = npu_image(kws, board=name)
    attrs = kws.nodes[0].attrs
    assert isinstance(attrs, EthosUAttrs)
    places = {"arena": (symbol_address(image.elf, "hil_arena"), dict(attrs.regions)[1])}
    for segment in loadable_segments(image.elf):
        for what, content in (("commands", attrs.stream), ("constants", attrs.constants)):
            at = segment.data.find(content)
            if at >= 0:
                places[what] = segment.address + at, len(content)
    assert set(places) == {"arena", "commands", "constants"}
    for what, (address, size) in places.items():
        assert address is not None
        assert address % 16 == 0, what
        assert any(region is not None and region.contains(address, size) for region in reached), what


def test_an_npu_that_is_not_there_is_told_by_what_the_driver_kept(
    kws: Graph, kws_image: tuple[Package, Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on hardware, where nobody answers but the driver."""
    _, image = kws_image
    monkeypatch.setattr("harness.boards.backends.qemu.session.npu_hooks", lambda elf: None)
    with (
        open_session(find_board(BOARD), image) as session,
        pytest.raises(NpuFailedError, match="nothing answers at the address of its registers") as caught,
    ):
        client = open_client(session, image)
        client.init(0)
        client.infer([vectors_for(kws, 1)[0][0].tobytes()])
    assert "npu.base" in caught.value.hint


def test_images_without_a_driver_have_no_npu(monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.build import build_image

    package = tiny_package(core="cortex-m55")
    image = build_image([package], find_board(BOARD))
    assert npu_hooks(image.elf) is None
    monkeypatch.setattr("harness.boards.backends.qemu.session.Gdb", None)  # nobody calls it
    with open_session(find_board(BOARD), image) as session:
        assert session.npu_runs() == ()
        assert session.npu_record() is None
