"""MLPerf Tiny's serial language on emulated boards and on this machine."""

import json
import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from harness import frontends
from harness.boards import find_board, load_boards, open_session
from harness.boards.backends.qemu.session import ICOUNT_SHIFT
from harness.build import build_image
from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import emit
from harness.errors import DeviceRefusedError, OptionError
from harness.ir.interpreter import run as run_specification
from harness.ir.operators.binary import BinaryAttrs
from harness.mlperf.client import MlperfClient
from harness.mlperf.firmware import Interface, language
from harness.oracle import open_oracle
from harness.quantization.types import DType
from harness.validate import vectors
from harness.validate.card import FileVectors, RandomVectors
from harness.validate.measurement import measure
from tests.support.graphs import FULL, Builder
from tests.support.mlperf import build, talking
from tests.support.paths import FIXTURES
from tests.support.scale import scaled
from tests.support.tiny import tiny_graph, tiny_vectors

BOARDS = [board.name for board in load_boards().values() if board.backend in ("qemu", "host")]
INTEGERS = Interface(results="tensor")


def digits():
    return frontends.load(FIXTURES / "digits.tflite")


def tiny_input(seed=0):
    return tiny_vectors(1, seed)[0][0]


def autoencoder(name="coder"):
    """As many elements out as in, like the benchmark's anomaly detection."""
    b = Builder()
    x = b.input(1, 4, 4, 2, scale=0.05, zero=-3)
    return b.graph(b.conv(x, 2, size=1), name=name)


def two_by_two():
    """Two inputs, two outputs."""
    b = Builder()
    x, y = b.input(1, 4, 4, 2), b.input(1, 4, 4, 2, zero=7)
    z = b.node("ADD", (x, y), b.like(x), BinaryAttrs(FULL))
    return b.graph(b.conv(z, 3, size=1), z, name="pair")


# --- results ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("board", BOARDS)
def test_every_board_speaks_it_and_computes_what_the_specification_says(board):
    _, image = build(tiny_graph(), board, Interface("kws01", results="tensor"))
    assert image.language == "mlperf"
    with talking(image, board) as (client, _):
        assert (client.name(), client.model_id()) == (f"tinyhil {board}", "kws01")
        for seed in range(3):
            client.load(tiny_input(seed).tobytes())
            expected = run_specification(tiny_graph(), [tiny_input(seed)], None).outputs[0]
            assert client.infer(2, 1).results == tuple(map(float, expected.reshape(-1)))


@pytest.mark.parametrize("board", [board.name for board in load_boards().values() if board.name not in BOARDS])
def test_it_links_for_every_board_there_is(board):
    _, image = build(tiny_graph(), board)
    assert (image.board, image.language) == (board, "mlperf")


@pytest.mark.parametrize("name", ["digits", "kws"])
def test_results_equal_tflms_and_accuracy_mode_counts_the_right_ones(name, kws):
    if name == "digits":
        graph = digits()
        given = vectors.load(FileVectors(file="digits_vectors.npz"), graph, FIXTURES)
        count, labels = scaled(30, 150), [int(label) for label in given.labels]
    else:
        graph = frontends.load(kws)
        given = vectors.load(RandomVectors(random=4, seed=1), graph, FIXTURES)
        count, labels = 4, [0] * 4
    with open_oracle("tflm", graph) as oracle:
        wanted = [oracle.invoke(vector).outputs[0].reshape(-1) for vector in given.inputs[:count]]
    inputs = [vector[0].tobytes() for vector in given.inputs[:count]]
    right = sum(int(np.argmax(w)) == label for w, label in zip(wanted, labels[:count], strict=True)) / count

    _, integers = build(graph, "mps2-an500", INTEGERS)
    with talking(integers) as (client, _):
        accuracy, results = client.accuracy(inputs, labels[:count])
    assert [tuple(map(float, w)) for w in wanted] == results and accuracy == right
    if name == "digits":
        assert accuracy > 0.9

    quant = graph.tensors[graph.outputs[0]].quant
    _, reals = build(graph, "mps2-an500")
    with talking(reals) as (client, _):
        accuracy, results = client.accuracy(inputs[:5], labels[:5])
    for told, w in zip(results, wanted[:5], strict=True):
        np.testing.assert_allclose(told, quant.scale * (w.astype(float) - quant.zero_points[0]), rtol=0, atol=5.1e-7)


def test_uint8_and_float32_are_converted_as_the_tensor_wants_them():
    graph = tiny_graph()
    quant = graph.tensors[graph.inputs[0]].quant
    data = tiny_input(3)
    expected = tuple(map(float, run_specification(graph, [data], None).outputs[0].reshape(-1)))
    real = ((data.astype(np.float64) - quant.zero_points[0]) * quant.scale).astype("<f4")
    pixels = (data.astype(np.int16) + 128).astype(np.uint8)
    for load, sent in (("uint8", pixels.tobytes()), ("float32", real.tobytes())):
        _, image = build(graph, "host", Interface(load=load, results="tensor"), sanitize=True)
        with talking(image, "host") as (client, _):
            client.load(sent)
            assert client.infer().results == expected, load


def test_floats_that_no_int8_holds_are_clamped():
    b = Builder()
    x = b.input(1, 1, 1, 8, scale=0.5, zero=2)
    graph = b.graph(b.node("ADD", (x, x), b.tensor(1, 1, 1, 8, scale=1.0, zero=2), BinaryAttrs(FULL)), name="echo")
    given = np.array([np.inf, -np.inf, np.nan, 1e30, -1e30, 0.25, -0.25, 3.0], "<f4")
    quantized = np.array([127, -128, -128, 127, -128, 3, 1, 8], np.int8)  # half away from zero
    _, image = build(graph, "host", Interface(load="float32", results="tensor"), sanitize=True)
    with talking(image, "host") as (client, _):
        client.load(given.tobytes())
        expected = run_specification(graph, [quantized.reshape(1, 1, 1, 8)], None).outputs[0]
        assert client.infer().results == tuple(map(float, expected.reshape(-1)))


@pytest.mark.parametrize("load", ["tensor", "float32"])
def test_an_autoencoder_tells_its_mean_squared_error(load):
    graph = autoencoder()
    source, out = (graph.tensors[t] for t in (graph.inputs[0], graph.outputs[0]))
    real = np.random.default_rng(2).normal(0, 2, (1, 4, 4, 2)).astype("<f4")
    scaled_input = real.astype(np.float64) / source.quant.scale
    data = np.clip(np.sign(scaled_input) * np.floor(np.abs(scaled_input) + 0.5) - 3, -128, 127).astype(np.int8)
    output = run_specification(graph, [data], None).outputs[0]
    told = real if load == "float32" else (data.astype(np.float64) + 3) * source.quant.scale
    expected = np.mean(((output.astype(np.float64) - out.quant.zero_points[0]) * out.quant.scale - told) ** 2)
    _, image = build(graph, "mps2-an386", Interface("ad01", load, "error"))
    with talking(image, "mps2-an386") as (client, _):
        client.load(real.tobytes() if load == "float32" else data.tobytes())
        (result,) = client.infer(3).results
    assert result == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_inputs_and_outputs_follow_one_another():
    graph = two_by_two()
    given = [tiny_input(1), tiny_input(2)]
    expected = run_specification(graph, given, None).outputs
    _, image = build(graph, "mps2-an500", INTEGERS)
    with talking(image) as (client, _):
        client.load(b"".join(array.tobytes() for array in given))
        assert client.infer().results == tuple(float(v) for array in expected for v in array.reshape(-1))


def test_a_model_with_state_begins_anew_at_every_infer():
    graph = frontends.load(FIXTURES / "stream.tflite")
    given = vectors.load(RandomVectors(random=1, seed=0), graph, FIXTURES).inputs[0]
    states, expected = None, []
    for _ in range(4):
        ran = run_specification(graph, given, states)
        states = ran.states
        expected.append(tuple(float(v) for v in ran.outputs[0].reshape(-1)))
    assert expected[0] != expected[3], "the states matter here"
    _, image = build(graph, "mps2-an500", INTEGERS)
    with talking(image) as (client, _):
        client.load(b"".join(array.tobytes() for array in given))
        assert client.infer(1, 0).results == client.infer(1, 0).results == expected[0]
        assert client.infer(2, 2).results == expected[3]


# --- time ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["digits", "kws"])
def test_latency_in_performance_mode_is_the_instruction_count(name, kws):
    graph = digits() if name == "digits" else frontends.load(kws)
    package, image = build(graph)
    frames = build_image([package], find_board("mps2-an500"))
    assert frames.build_id != image.build_id and frames.language == "frames"
    given = vectors.load(RandomVectors(random=1, seed=0), graph, FIXTURES).inputs
    with open_session(find_board("mps2-an500"), frames) as session:
        instructions = measure(session, frames, package, given, layers=False).total
    with talking(image) as (client, _):
        performance = client.performance(given[0][0].tobytes(), least_seconds=0.3, runs=3, warmups=1)
    assert len(performance.runs) == 3
    assert all(run.microseconds >= 300_000 for run in performance.runs)
    counted = Fraction(performance.runs[0].microseconds * 1000, performance.runs[0].inferences << ICOUNT_SHIFT)
    # Besides the inference there are the loop and the copying of the input, of a few instructions a byte.
    copied = given[0][0].nbytes
    assert instructions - 10 <= counted <= instructions + 100 + 4 * copied
    assert performance.throughput == pytest.approx(1e6 / performance.latency_us)


def test_a_real_boards_image_tells_the_same_on_the_virtual_board():
    """Microseconds are the cycle counter's there, which counts instructions."""
    from harness.boards import Resolved
    from harness.boards.backends.virtual.session import VirtualSession

    board = find_board("nucleo-h743")
    _, image = build(digits(), board, INTEGERS)
    _, emulated = build(digits(), "mps2-an500", INTEGERS)
    data = vectors.load(RandomVectors(random=1, seed=0), digits(), FIXTURES).inputs[0][0].tobytes()
    with talking(emulated) as (client, _):
        client.load(data)
        expected = client.infer(20)
    with VirtualSession(Resolved(board, board, True, ""), image) as session:
        client = MlperfClient(session.stream())
        client.wait_ready()
        assert client.name() == "tinyhil nucleo-h743"
        client.load(data)
        laps = client.infer(20)
    assert laps.results == expected.results
    instructions = laps.latency_us * board.clock_hz / 1e6
    assert instructions == pytest.approx(expected.latency_us * 1000 / (1 << ICOUNT_SHIFT), rel=1e-3)


def test_timestamps_go_on_and_are_virtual_time():
    _, image = build(tiny_graph())
    with talking(image) as (client, _):
        first = client.timestamp()
        client.load(tiny_input().tobytes())
        laps = client.infer(1000)
        assert client.timestamp() > first + laps.microseconds > first


# --- commands --------------------------------------------------------------------------------------------------------

REFUSED = [
    ("nonsense", "e-[Unknown command: nonsense]"),
    ("infer 0", "e-[Inference iterations must be >0 and at most 1000000]"),
    ("infer -1", "e-[Inference iterations must be >0 and at most 1000000]"),
    ("infer 4294967297", "e-[Inference iterations must be >0 and at most 1000000]"),
    ("infer 99999999999999999999999999", "e-[Inference iterations must be >0 and at most 1000000]"),
    ("infer 1 x", "e-[Inference warmup must be >=0 and at most 1000000]"),
    ("infer 1", "e-[This model's input is 32 bytes: load them first]"),
    ("results", "e-[No inference has been made]"),
    ("db", "e-[Command 'db' requires a subcommand]"),
    ("db 00", "e-[db load comes first]"),
    ("db load", "e-[db load takes 1 to 32 bytes; this model's input is the most]"),
    ("db load 0", "e-[db load takes 1 to 32 bytes; this model's input is the most]"),
    ("db load 33", "e-[db load takes 1 to 32 bytes; this model's input is the most]"),
    ("db load 4294967296", "e-[db load takes 1 to 32 bytes; this model's input is the most]"),
    ("db load -3", "e-[db load takes 1 to 32 bytes; this model's input is the most]"),
    ("db print x", "e-[db print takes a number of bytes and an offset]"),
    ("db print 1 2 3 4 5", "e-[Command of too many words or characters]"),
    ("x" * 256, "e-[Command of too many words or characters]"),
    ("x" * 5000, "e-[Command of too many words or characters]"),
]


@pytest.fixture(scope="module")
def on_host():
    _, image = build(tiny_graph(), "host", sanitize=True)
    with talking(image, "host") as (client, _):
        yield client


@pytest.mark.parametrize(("command", "answer"), REFUSED)
def test_a_wrong_command_is_refused_by_name_and_the_next_one_works(on_host, command, answer):
    on_host.command("setup")
    assert on_host.command(command, refuse=False) == [answer]
    with pytest.raises(DeviceRefusedError, match=re.escape(answer)):
        on_host.command(command)
    assert on_host.model_id() == "tiny"


def test_bytes_are_taken_whole_or_not_at_all(on_host):
    on_host.command("setup")
    assert on_host.command("db load 4") == ["m-[Expecting 4 bytes]"]
    assert on_host.command("db 0aFf") == []
    for wrong, answer in (
        ("0", "e-[Insufficient number of hex digits]"),
        ("11g1", "e-[Invalid hex digit: g1]"),
        ("11\x0111", "e-[Invalid hex digit: ?11]"),
        ("112233", "e-[More bytes than db load announced]"),
    ):
        assert on_host.command(f"db {wrong}", refuse=False) == [answer]
    assert on_host.command("db print") == ["m-buffer-0a-ff"]
    assert on_host.command("db 1122") == ["m-load-done"]
    assert on_host.command("db print 2 1") == ["m-buffer-ff-11"]
    assert on_host.command("db print 99 99") == []
    assert on_host.command("infer", refuse=False) == ["e-[This model's input is 32 bytes: load them first]"]
    assert on_host.command("db free") == []
    assert on_host.command("db print") == []
    on_host.load(bytes(range(32)))
    assert on_host.command("db print 20 8") == [
        "m-buffer-08-09-0a-0b-0c-0d-0e-0f",
        "m-buffer-10-11-12-13-14-15-16-17",
        "m-buffer-18-19-1a-1b",
    ]


def test_an_inference_is_told_line_by_line(on_host):
    on_host.command("setup")
    on_host.load(bytes(32))
    lines = on_host.command("infer 3 2")
    patterns = (
        r"m-warmup-start-2", r"m-warmup-done", r"m-infer-start-3", r"m-lap-us-\d+", r"m-lap-us-\d+", r"m-infer-done",
        r"m-results-\[-?\d+\.\d{6}(,-?\d+\.\d{6}){47}\]",
    )  # fmt: skip
    assert len(lines) == len(patterns)
    for line, pattern in zip(lines, patterns, strict=True):
        assert re.fullmatch(pattern, line)
    assert on_host.command("results") == lines[-1:]
    assert on_host.command("infer")[0] == "m-warmup-start-10"
    assert on_host.command("profile") == ["m-profile-[ULPMark for tinyML Firmware V0.0.1]", "m-model-[tiny]"]
    assert any("db load N" in line for line in on_host.command("help"))
    assert on_host.command(" \r\n name \t") == on_host.command("name")
    assert on_host.command("") == []


@pytest.mark.parametrize("board", ["host", "mps2-an500"])
def test_garbage_neither_hangs_nor_harms_it(board):
    rng = np.random.default_rng(5)
    _, image = build(tiny_graph(), board, INTEGERS, sanitize=board == "host")
    expected = tuple(map(float, run_specification(tiny_graph(), [tiny_input()], None).outputs[0].reshape(-1)))
    with talking(image, board) as (client, session):
        for _ in range(scaled(10, 200)):
            noise = rng.integers(0, 256, rng.integers(1, 600)).astype(np.uint8).tobytes()
            # not by chance a command that computes for hours, or starts the device anew
            session.stream().write(re.sub(rb"infer|reset", b"", noise))
            client.wait_ready()
            while session.stream().read(0.05):
                pass
            client.load(tiny_input().tobytes())
            assert client.infer().results == expected


@pytest.mark.parametrize("board", ["host", "mps2-an500", "mps3-an547"])
def test_reset_and_setup_begin_anew(board):
    _, image = build(tiny_graph(), board)
    with talking(image, board) as (client, _):
        for command, told in (("reset", ["m-init-done"]), ("setup", ["m-setup-done"])):
            client.load(tiny_input().tobytes())
            client.infer()
            assert client.command(command) == told
            assert client.command("results", refuse=False) == ["e-[No inference has been made]"]
            assert "load them first" in client.command("infer", refuse=False)[0]


@pytest.mark.parametrize("board", ["mps2-an500", "mps2-an505"])
def test_a_fault_is_told_until_reset(board):
    """On a stack that is enough for commands and too small for the model; which one that is, the compiler decides."""
    for stack in range(352, 128, -32):
        target = replace(find_board(board), stack_size=stack)
        _, image = build(digits(), target)
        with talking(image, target) as (client, _):
            client.load(bytes(64))
            lines = client.command("infer 1 0", refuse=False)
            if any(line.startswith("m-results") for line in lines):
                continue
            for told in (lines, client.command("name", refuse=False)):
                assert re.fullmatch(r"e-\[Fault 5 at 0x[0-9a-f]{8}, .*the stack overflowed\]", told[-1])
            assert client.command("reset") == ["m-init-done"]
            assert client.model_id() == "digits"
            return
    raise AssertionError("no stack was too small")


# --- building --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("graph", "interface", "message"),
    [
        (tiny_graph, Interface("kws 01"), "cannot be a model id"),
        (tiny_graph, Interface(load="int8"), "no load is named 'int8'"),
        (tiny_graph, Interface(results="float"), "no results is named 'float'"),
        (tiny_graph, Interface(results="error"), "no one output as large as its one input"),
        (two_by_two, Interface(results="error"), "no one output as large as its one input"),
    ],
)
def test_what_cannot_be_spoken_of_is_refused_before_anything_is_built(graph, interface, message):
    package = emit(compile_graph(graph(), core="host", name="m"))
    with pytest.raises(OptionError, match=message) as caught:
        language(package, interface)
    assert caught.value.hint


def test_float32_inputs_are_loaded_as_they_are():
    b = Builder()
    x = b.tensor(1, 8, dtype=DType.FLOAT32)
    b.tensors[x] = replace(b.tensors[x], quant=None)
    b.inputs.append(x)
    q = b.tensor(1, 8, scale=0.25, zero=5)
    graph = b.graph(b.node("QUANTIZE", (x,), q), name="quantizer")
    package = emit(compile_graph(graph, core="host", name="quantizer"))
    for load in ("uint8", "float32"):
        with pytest.raises(OptionError, match="has an input that is not"):
            language(package, Interface(load=load))
    given = np.linspace(-3, 3, 8, dtype="<f4").reshape(1, 8)
    _, image = build(graph, "host", INTEGERS, sanitize=True)
    with talking(image, "host") as (client, _):
        client.load(given.tobytes())
        expected = run_specification(graph, [given], None).outputs[0]
        assert client.infer().results == tuple(map(float, expected.reshape(-1)))


def test_the_command_builds_an_image_that_speaks(tmp_path, capsys, monkeypatch):
    from harness.cli import app as cli

    out = tmp_path / "new" / "kws.elf"
    arguments = ["mlperf", str(FIXTURES / "digits.tflite"), "-o", str(out), "-b", "mps2-an386", "--model-id", "kws01"]
    with pytest.raises(SystemExit) as ended:
        monkeypatch.setattr("sys.argv", ["tinyhil", *arguments, "--results", "tensor", "--json"])
        cli.main()
    assert not ended.value.code
    told = json.loads(capsys.readouterr().out)
    assert (told["kind"], told["board"], told["elf"]) == ("mlperf", "mps2-an386", str(out))
    assert list(out.parent.iterdir()) == [out]
    _, image = build(digits(), "mps2-an386", Interface("kws01", results="tensor"))
    assert image.elf.read_bytes() == out.read_bytes() and image.build_id == told["build_id"]
    with talking(replace(image, elf=out), "mps2-an386") as (client, _):
        assert client.model_id() == "kws01"


def test_frames_are_refused_by_this_firmware_and_the_other_way_round():
    """Neither language takes the other for a device of its own, or hangs."""
    from harness.errors import DeviceTimeoutError, GarbageError, LinkError
    from harness.link.client import Client as FrameClient

    package, image = build(tiny_graph(), "host")
    with open_session(find_board("host"), image) as session, pytest.raises((GarbageError, LinkError)):
        FrameClient(session.stream(), timeout_s=0.5).hello()
    frames = build_image([package], find_board("host"))
    with open_session(find_board("host"), frames) as session, pytest.raises(DeviceTimeoutError, match="not answered"):
        MlperfClient(session.stream(), timeout_s=0.5).wait_ready()
