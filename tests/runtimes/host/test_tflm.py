"""Arm's program of TFLM without it: how it is found, refused and patched, how counts are read, whose fault what is."""

from __future__ import annotations

import errno
import hashlib
import socket
import struct
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.boards import find_board
from harness.boards.backends.qemu.gdb import PC, Gdb
from harness.elf.segments import read_segments
from harness.errors import BoardError, BoardLostError, BuildError, CardError, ImageFileError, OptionError, TinyhilError
from harness.ir.graph import ABSENT
from harness.ir.window import ConvAttrs, Pads
from harness.runtimes import BOTH, DEFAULT_RUNTIME, RUNTIMES, TFLM, ProgramRuntime, SourceRuntime, making_sources
from harness.runtimes.tflm import runner, runtime
from harness.runtimes.tflm.builds import U55, U65, GraphLoop, Patch
from harness.runtimes.tflm.execution import RunnerRefusedError, TflmExecution, execute, read_counts
from harness.runtimes.tflm.runner import RunnerMissingError, find_runner, patched
from harness.validate.card import load_card
from harness.validate.differences import output_diffs
from harness.validate.options import Options, apply_options, runtime_choices
from harness.validate.tflm_faults import known_fault, whose_fault
from tests.support.graphs import FULL, Builder
from tests.support.paths import FIXTURES

LOOP = GraphLoop(0x1000, (0x1100, 0x1200), 0x1050)
INVOKE, DONE, BEGIN, END, NODE = U65.invoke_call, U65.invoke_return, LOOP.begin, LOOP.ends[0], LOOP.node


@pytest.fixture
def nothing_installed(monkeypatch):
    monkeypatch.delenv(runner.VARIABLE, raising=False)
    monkeypatch.setattr(runner, "PACKAGE", "no-such-package-of-arm")


def small_elf(data: bytes, address: int) -> bytes:
    """A 32-bit ELF file with one segment."""
    ident = b"\x7fELF\x01\x01\x01" + bytes(9)
    header = struct.pack("<HHIIIIIHHHHHH", 2, 40, 1, address, 52, 0, 0x0500_0000, 52, 32, 1, 40, 0, 0)
    segment = struct.pack("<IIIIIIII", 1, 84, address, address, len(data), len(data), 5, 4)
    return ident + header + segment + data


# --- finding it ------------------------------------------------------------------------------------------------------


def test_where_it_is_not_installed_one_line_says_how_to_get_it(nothing_installed):
    with pytest.raises(RunnerMissingError, match="which is not installed") as caught:
        find_runner()
    assert "pip install --no-deps mlia-ethos-u" in caught.value.hint and "\n" not in caught.value.hint
    assert caught.value.category.value == 3


def no_file(folder: Path) -> Path:
    return folder / "none.axf"


def another_file(folder: Path) -> Path:
    path = folder / "other.axf"
    path.write_bytes(b"\x7fELF" + bytes(100))
    return path


def a_folder(folder: Path) -> Path:
    return folder


def a_name_with_nul(folder: Path) -> Path:
    return folder / "a\0b"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (no_file, "No such file"),
        (another_file, "not a file that is known"),
        (a_folder, "directory"),
        (a_name_with_nul, "null"),
    ],
)
@pytest.mark.parametrize("by_variable", [False, True])
def test_a_named_file_that_is_not_it_is_refused_by_name(make, said, by_variable, tmp_path, monkeypatch):
    path = make(tmp_path)
    if by_variable:
        if "\0" in str(path):
            pytest.skip("no variable can hold a NUL")
        monkeypatch.setenv(runner.VARIABLE, str(path))
    with pytest.raises(OptionError, match=said) as caught:
        find_runner(None if by_variable else path)
    assert caught.value.message.startswith(str(path)) and caught.value.hint


def test_the_unoptimized_build_is_refused_by_what_it_is(tmp_path, monkeypatch):
    path = another_file(tmp_path)
    build = replace(U55, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    monkeypatch.setattr(runner, "BUILDS", {build.sha256: build})
    with pytest.raises(OptionError, match="for the Ethos-U55: it is built without optimization"):
        find_runner(path)
    assert find_runner(path, product=0).build is build, "a model for that NPU runs there"


def test_a_runner_for_another_npu_than_the_models_is_refused(tmp_path, monkeypatch):
    path = another_file(tmp_path)
    build = replace(U65, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    monkeypatch.setattr(runner, "BUILDS", {build.sha256: build})
    with pytest.raises(OptionError, match=r"runner for the Ethos-U65, and the model is compiled for the Ethos-U55"):
        find_runner(path, product=0)
    assert find_runner(path).build is build is find_runner(path, product=1).build


def test_it_is_known_by_its_hash_and_runs_as_a_copy(tmp_path, monkeypatch):
    path = tmp_path / "program.axf"
    path.write_bytes(small_elf(bytes(range(64)), 0x2000_0000))
    before = path.read_bytes()
    build = replace(
        U65, sha256=hashlib.sha256(before).hexdigest(), patches=(Patch("begin", 0x2000_0008, b"\xaa\xbb"),)
    )
    monkeypatch.setattr(runner, "BUILDS", {build.sha256: build})
    found = find_runner(path)
    image = found.image(tmp_path / "cache")
    assert path.read_bytes() == before
    assert read_segments(image)[0].data == bytes(range(8)) + b"\xaa\xbb" + bytes(range(10, 64))
    assert found.image(tmp_path / "cache") == image, "the second time it comes from the cache"
    with pytest.raises(ImageFileError, match="has no code at 0x30000000, gone"):
        patched(path, replace(build, patches=(Patch("gone", 0x3000_0000, b"\0"),)))


# --- the runtime -----------------------------------------------------------------------------------------------------


def test_it_is_a_runtime_like_the_others_that_says_where_it_runs():
    tflm = RUNTIMES.get(TFLM)
    assert isinstance(tflm, ProgramRuntime) and not isinstance(tflm, SourceRuntime)
    assert isinstance(RUNTIMES.get(DEFAULT_RUNTIME), SourceRuntime)
    assert tflm.refusal(find_board("mps3-an547")) == ""
    for board in ("mps2-an386", "corstone-300", "host"):
        assert "mps3-an547 only" in tflm.refusal(find_board(board))
    assert set(runtime_choices()) >= {DEFAULT_RUNTIME, TFLM, BOTH}
    assert not tflm.measures.layer_outputs and tflm.measures.arena and not tflm.measures.arena_bytes
    with pytest.raises(OptionError, match="runtime tflm makes no sources"):
        making_sources(TFLM)


@pytest.mark.parametrize(("runtime", "known"), [("tflm", True), ("both", True), ("tfml", False), ("[tflm]", False)])
def test_a_card_names_one_that_there_is(runtime, known, tmp_path):
    card = tmp_path / "digits.hil.yaml"
    card.write_text(f"model: {FIXTURES / 'digits.tflite'}\nruntime: {runtime}\n")
    if known:
        assert load_card(card).runtime == runtime
        return
    with pytest.raises(CardError, match=r"digits\.hil\.yaml.*runtime"):
        load_card(card)


def test_budgets_and_layers_are_for_the_generated_code():
    card = load_card(FIXTURES / "digits.hil.yaml")
    assert card.budgets and card.checks.layers is not None
    for name in ("tinyhil", BOTH):
        judged = apply_options(card, Options(runtime=name))
        assert judged.budgets == card.budgets and judged.checks == card.checks
    judged = apply_options(card, Options(runtime=TFLM))
    assert not judged.budgets and judged.checks.layers is None and judged.checks.outputs == card.checks.outputs


@pytest.mark.parametrize(("model", "inputs", "outputs"), [(1 << 26, 1, 1), (1, 1 << 25, 1), (1, 1, 1 << 25)])
def test_what_its_memory_has_no_room_for_is_refused(model, inputs, outputs, tmp_path):
    with pytest.raises(RunnerRefusedError, match="has .* B for the"):
        execute(tmp_path / "none", U65, bytes(model), [bytes(inputs)], outputs, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_one_error(tmp_path, monkeypatch):
    def full(*_given, **_named):
        raise OSError(errno.ENOSPC, "No space left on device")

    program = tmp_path / "program.axf"
    program.write_bytes(small_elf(bytes(64), 0))
    build = replace(U65, sha256=hashlib.sha256(program.read_bytes()).hexdigest(), patches=())
    monkeypatch.setattr(runner, "BUILDS", {build.sha256: build})
    monkeypatch.setattr(runtime, "execute", full)
    graph = flat((1, 2))
    given = [[np.zeros((1, 1, 9, 4), np.int8)]]
    board = find_board("mps3-an547")
    with pytest.raises(BuildError, match="cannot be used: No space left") as caught:
        RUNTIMES.get(TFLM).run(graph, board, given, program=program, cache_dir=tmp_path / "cache")
    assert "free disk space" in caught.value.hint


def test_an_execution_is_the_same_after_the_cache():
    execution = TflmExecution((b"\x00\xff", b"ab"), 17, (4, 13), 100, 8)
    assert TflmExecution.from_dict(execution.as_dict()) == execution


# --- counts ----------------------------------------------------------------------------------------------------------


def lines(*marks: tuple[int, int]) -> str:
    return "".join(f"{place:x} {count}\n" for place, count in marks)


def test_operators_add_up_to_the_inference():
    text = lines((INVOKE, 99), (BEGIN, 110), (NODE, 120), (NODE, 150), (NODE, 151), (END, 190), (DONE, 200))
    assert read_counts(text, U65, LOOP) == (100, (50, 1, 49))


def test_the_operators_of_inner_graphs_are_their_operators_own():
    inner = [(BEGIN, 130), (NODE, 135), (NODE, 136), (END, 140)]
    text = lines((INVOKE, 99), (BEGIN, 110), (NODE, 120), *inner, *inner, (NODE, 150), (END, 190), (DONE, 200))
    assert read_counts(text, U65, LOOP) == (100, (50, 50))


def test_what_ran_before_and_later_inferences_do_not_count():
    first = [(INVOKE, 99), (BEGIN, 110), (NODE, 120), (END, 190), (DONE, 200)]
    text = lines((BEGIN, 5), (NODE, 6), (END, 7), *first, *((place, count + 500) for place, count in first))
    assert read_counts(text, U65, LOOP) == (100, (100,))


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=30), st.integers(0, 1 << 60))
def test_any_sequence_of_operators_adds_up(costs, start):
    marks, now = [(INVOKE, start), (BEGIN, start + 3)], start + 5
    for cost in costs:
        marks.append((NODE, now))
        now += cost
    total, operators = read_counts(lines(*marks, (END, now), (DONE, now + 4)), U65, LOOP)
    assert sum(operators) == total == now + 4 - start - 1 and len(operators) == len(costs)
    assert operators[1:-1] == tuple(costs[1:-1])


CUT = [lines((INVOKE, 5), (DONE, 9))[:-length] for length in (4, 8)]


@pytest.mark.parametrize("text", ["", lines((INVOKE, 5)), lines((NODE, 5), (DONE, 9)), *CUT])
def test_counts_without_a_whole_inference_are_an_error(text):
    with pytest.raises(BoardError, match="no whole inference"):
        read_counts(text, U65, LOOP)


# --- the gdb stub ----------------------------------------------------------------------------------------------------


class Stub:
    """A gdb stub with memory and registers, which answers `replies` first."""

    def __init__(self, **replies: bytes) -> None:
        ours, self.theirs = socket.socketpair()
        self.client, self.replies = ours, replies
        self.memory, self.stops, self.asked = bytearray(4096), [0x100], []
        self.registers = list(range(16))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        buffer = b""
        while data := self.theirs.recv(4096):
            buffer += data
            while b"#" in buffer and len(buffer) >= buffer.index(b"#") + 3:
                end = buffer.index(b"#")
                command, buffer = buffer[buffer.index(b"$") + 1 : end].decode(), buffer[end + 3 :]
                self.asked.append(command)
                answer = self.replies.get(command[0], None) if command[0] != "q" else b"PacketSize=1000"
                answer = self._answer(command) if answer is None else answer
                if answer == b"gone":
                    self.theirs.close()
                    return
                if answer:
                    self.theirs.sendall(b"+$" + answer + b"#%02x" % (sum(answer) & 0xFF))

    def _answer(self, command: str) -> bytes:
        kind, rest = command[0], command[1:]
        if kind in "mM":
            where, _, data = rest.partition(":")
            address, size = (int(part, 16) for part in where.split(","))
            if kind == "m":
                return bytes(self.memory[address : address + size]).hex().encode()
            self.memory[address : address + size] = bytes.fromhex(data)
        elif kind == "P":
            number, _, value = rest.partition("=")
            self.registers[int(number, 16)] = int.from_bytes(bytes.fromhex(value), "little")
        elif kind == "g":
            return b"".join(value.to_bytes(4, "little").hex().encode() for value in self.registers)
        elif kind == "c":
            self.registers[PC] = self.stops.pop(0)
            return b"T05thread:01;"
        elif kind == "s":
            return b"T05thread:01;"
        return b"OK"


def test_it_runs_to_a_breakpoint_and_moves_memory():
    stub = Stub()
    gdb = Gdb(stub.client)
    gdb.set_breakpoint(0x100)
    assert gdb.run(5) == 0x100
    data = bytes(range(256)) * 10
    gdb.write_memory(16, data)
    assert gdb.read_memory(16, len(data)) == data == bytes(stub.memory[16 : 16 + len(data)])
    gdb.set_register(0, 0xDEAD_BEEF)
    assert gdb.registers()[0] == 0xDEAD_BEEF
    assert max(map(len, stub.asked)) < 4096, "QEMU takes no longer packets"
    gdb.remove_breakpoint(0x100)
    assert {"Z0,100,2", "z0,100,2"} <= set(stub.asked)
    gdb.close()


@pytest.mark.parametrize(
    ("replies", "do", "error", "said"),
    [
        ({"Z": b"E22"}, lambda gdb: gdb.set_breakpoint(0), BoardError, "refused Z0,0,2"),
        ({"m": b"E14"}, lambda gdb: gdb.read_memory(64, 8), BoardError, "no memory at 0x00000040"),
        ({"m": b"00"}, lambda gdb: gdb.read_memory(64, 8), BoardError, "no memory at"),
        ({"g": b"00"}, lambda gdb: gdb.registers(), BoardError, "1 bytes of registers"),
        ({"c": b"W00"}, lambda gdb: gdb.run(5), BoardError, "stopped with b'W00'"),
        ({"c": b""}, lambda gdb: gdb.run(0.1), BoardError, "did not answer 'c' in 0 s"),
        ({"c": b"gone"}, lambda gdb: gdb.run(5), BoardLostError, "went away"),
    ],
)
def test_what_a_stub_does_wrong_is_one_error(replies, do, error, said):
    gdb = Gdb(Stub(**replies).client)
    with pytest.raises(error) as caught:
        do(gdb)
    assert said in caught.value.message and isinstance(caught.value, TinyhilError)


# --- whose fault -----------------------------------------------------------------------------------------------------


def flat(stride: tuple[int, int], rows: int = 1):
    b = Builder()
    x = b.input(1, rows, 9, 4)
    weights = b.tensor(2, 1, 3, 4, scale=0.01, data=np.ones((2, 1, 3, 4), np.int8))
    y = b.tensor(1, rows, 7 // stride[1], 2)
    b.node("CONV_2D", (x, weights, ABSENT), y, ConvAttrs(stride, (1, 1), Pads(), FULL))
    return b.graph(y)


@pytest.mark.parametrize(("graph", "known"), [(flat((1, 2)), True), (flat((1, 1)), False), (flat((1, 2), 5), False)])
def test_what_is_known_to_be_wrong_is_named(graph, known):
    assert ("arm_convolve_1_x_n_s8" in known_fault(graph)) is known


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        (0, 0, None),
        (3, 0, None),  # ours alone is wrong: the checks say so, not a note on TFLM
        (0, 7, "tinyhil equals it: the fault is TFLM's, whose convolutions"),
        (3, 7, "and so does tinyhil: two differences, each its own fault"),
    ],
)
def test_a_difference_of_tflm_is_a_note_that_says_whose_fault_it_is(ours, theirs, said):
    graph = flat((1, 2))
    right = [(np.zeros((1, 1, 3, 2), np.int8),)]

    def off(by: int):
        return output_diffs(graph, right, [(np.full((1, 1, 3, 2), by, np.int8),)])

    notes = whose_fault(graph, off(ours), off(theirs))
    assert (not notes) if said is None else (said in notes[0] and "6 of 6 output elements, by up to 7 LSB" in notes[0])
