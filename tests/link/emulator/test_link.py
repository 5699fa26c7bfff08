"""The runtime on every emulated board: instruction counts, memory marks, faults, and noise on the emulated UART."""

import os
import random
import subprocess

import pytest

from harness.elf.symbols import Symbols, read_symbols
from harness.errors import DeviceFaultError, DeviceTimeoutError, StackOverflowError
from harness.link.client import Client
from harness.link.framing import Kind, encode
from tests.support.firmware import BUILD_ID, build, running
from tests.support.noise import NoisyTransport
from tests.support.paths import FIRMWARE
from tests.support.patience import ends
from tests.support.scale import scaled

BOARDS = ["mps2-an385", "mps2-an386", "mps2-an500", "mps2-an505", "mps3-an547"]
PLUS, COUNTER, TIMED, FAULTY = range(4)
SHIFT = 8


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("link")
    built = {}

    def image(board, link="uart"):
        if (board, link) not in built:
            built[board, link] = build(board, folder / f"{board}-{link}.elf", link=link)
        return built[board, link]

    return image


def test_a_program_whose_output_nobody_takes_ends_with_its_input(images):
    source, sink = os.pipe()
    command = ["qemu-system-arm", "-M", "mps2-an386", "-display", "none", "-monitor", "none", "-serial", "null"]
    command += ["-semihosting-config", "enable=on,target=native", "-kernel", str(images("mps2-an386", "semihost"))]
    program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=sink)
    try:
        os.close(sink)
        assert os.read(source, 1)
        os.close(source)
        program.stdin.write(encode(Kind.HELLO, 1, b"\x01\x00" + bytes(4)))
        program.stdin.close()
        assert program.wait(10.0) == 0
    finally:
        program.kill()
        program.wait()


def plus(data):
    return bytes((byte + 2) & 255 for byte in data)


def instructions(info, ticks):
    return ticks / (info.tick_hz * 2**SHIFT * 1e-9)


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("link", ["uart", "semihost"])
def test_a_board_computes_and_counts(images, board, link):
    elf = images(board, link)
    with running(elf, board, link, shift=SHIFT) as line:
        client = Client(line, elf=elf)
        info = client.hello(BUILD_ID, board)
        assert (info.tick_unit, info.ticks_run) == ("emulated", True)
        assert info.guard == ("limit" if board in ("mps2-an505", "mps3-an547") else "mpu")
        # the loop at boot, and the reads around it
        assert 0 <= instructions(info, info.loop_ticks) - info.loop_instructions < 20

        client.init(PLUS, 1)
        data = random.Random(1).randbytes(490)
        run = client.infer([data])
        assert run.outputs == (plus(data),)
        marks = client.watermarks()
        # the model keeps 1000 bytes on the stack, besides a few frames
        assert 1000 <= marks.stack_high <= 1200 and marks.stack_high <= marks.stack_ever < marks.stack_size
        assert info.stack_size - 64 <= marks.stack_size <= 8192
        stepped = client.infer([data], layers=True, profile=True, layer_stack=True)
        assert stepped.outputs == (plus(data),) and stepped.layer_outputs[1] == (plus(data),)
        assert all(1000 <= used <= 1200 for used in stepped.layer_stack)

        client.init(TIMED)
        for length in (4000, 40_000, 400_000):
            vector = [length.to_bytes(4, "little")]
            plain = client.infer(vector)
            observed = client.infer(vector, profile=True)
            first, second = (instructions(info, ticks) for ticks in observed.layer_ticks)
            # a call, its argument and the loop's set-up come on top, alike in both layers
            assert 0 <= first - 4000 <= 12
            assert abs((second - length) - (first - 4000)) <= 1
            total, seen = instructions(info, plain.total_ticks), instructions(info, observed.total_ticks)
            assert abs(total - seen) <= 16  # the estimate: within some instructions a layer
            assert abs(total - first - second) <= max(20, total / 1000)
            assert client.infer(vector, profile=True).layer_ticks == pytest.approx(observed.layer_ticks, abs=1)


def test_ticks_count_on_where_the_counter_wraps(images):
    """32 bits at 25 MHz last 172 s of the board's time, and 1 s here: an instruction takes 1024 ns."""
    elf = images("mps2-an500", "semihost")
    length = 600_000_000
    with running(elf, "mps2-an500", "semihost", shift=10) as line:
        client = Client(line)
        info = client.hello()
        client.init(TIMED)
        expected = (length + 4000) * 1.024e-6 * info.tick_hz
        assert expected > 3 * 2**32
        run = client.infer([length.to_bytes(4, "little")])
        assert abs(run.total_ticks - expected) < 1000
        run = client.infer([length.to_bytes(4, "little")], profile=True)
        assert abs(sum(run.layer_ticks) - expected) < 1000


@pytest.mark.parametrize("board", BOARDS)
def test_faults_are_told_with_place_and_registers(images, board):
    elf = images(board)
    with running(elf, board, "uart") as line:
        client = Client(line, elf=elf)
        client.hello()
        for what, error, words in (
            (1, StackOverflowError, ("faulty_recursion",)),
            (2, DeviceFaultError, ("hil_port_bad_access", "board.c", "bus fault", "0xf0000000")),
            (3, DeviceFaultError, ("hil_port_bad_instruction", "usage fault", "UNDEFINSTR", "boot.c")),
        ):
            client.init(FAULTY)
            assert client.infer([b"\0\0\0\0"]).outputs == (b"\0\0\0\0",)
            with ends():
                with pytest.raises(DeviceFaultError, match="model faulty, layer faulty_00") as caught:
                    client.infer([bytes((what, 0, 0, 0))], profile=True)
                assert type(caught.value) is error
            text = f"{caught.value.message}\n{caught.value.details}"
            assert all(word in text for word in words), text
            with pytest.raises(error):  # it goes on telling
                client.watermarks()
            client.reset()
            client.hello(BUILD_ID)


def test_without_mpu_a_canary_tells_of_the_overflow(tmp_path):
    """The model needs some bytes more than the stack has: they fall into the canary, and no access faults."""
    elf = build("mps2-an385", tmp_path / "image.elf", link="semihost", stack_size=1152)
    without = ["-global", "driver=cortex-m3-arm-cpu,property=has-mpu,value=false"]
    with running(elf, "mps2-an385", "semihost", options=without) as line:
        client = Client(line, elf=elf)
        assert client.hello().guard == "canary"
        client.init(FAULTY)
        assert client.infer([b"\0\0\0\0"]).outputs == (b"\0\0\0\0",)
        client.init(PLUS)
        with pytest.raises(StackOverflowError, match="layer add_00"):
            client.infer([bytes(490)])


def test_a_hang_is_told_within_its_limit(images):
    elf = images("mps2-an500")
    with running(elf, "mps2-an500", "uart") as line:
        client = Client(line)
        client.hello()
        client.init(FAULTY)
        with ends(), pytest.raises(DeviceTimeoutError, match="in layer faulty_00, did not end within 0.5 s"):
            client.infer([b"\x04\0\0\0"], layers=True, limit_s=0.5)


@pytest.mark.parametrize("link", ["uart", "semihost"])
def test_inferences_through_noise_are_right(images, link):
    rng = random.Random(8)
    elf = images("mps2-an386", link)
    with running(elf, "mps2-an386", link) as line:
        noisy = NoisyTransport(line, 8)
        client = Client(noisy)
        client.hello()
        client.init(PLUS)
        for _ in range(scaled(60, 200)):
            data = rng.randbytes(490)
            assert client.infer([data]).outputs == (plus(data),)
        client.init(COUNTER)
        for number in range(1, scaled(5, 50)):
            outputs = client.infer([(1).to_bytes(4, "little"), bytes(3000)]).outputs
            assert outputs == (number.to_bytes(4, "little"), bytes((256 - number,)) * 3000)
        assert noisy.harmed > 50


@pytest.mark.parametrize("link", ["uart", "semihost"])
def test_garbage_leaves_the_board_working(images, link):
    elf = images("mps2-an385", link)
    rng = random.Random(9)
    size = 1_000_000 if link == "semihost" else scaled(50_000, 1_000_000)
    with running(elf, "mps2-an385", link) as line:
        for _ in range(size // 10_000):
            line.write(rng.randbytes(10_000))
        # The emulated UART takes some 20 kB a second, far less on a machine that has other work.
        client = Client(line, timeout_s=60 + size / 5000)
        client.hello()
        client.init(PLUS)
        assert client.infer([bytes(490)]).outputs == (b"\x02" * 490,)


def test_addresses_have_functions_and_lines(images):
    elf = images("mps2-an500")
    symbols = Symbols(elf)
    functions = {symbol.name: symbol for symbol in read_symbols(elf) if symbol.kind == "function"}
    start = functions["hil_send"].address
    place = symbols.at(start + 5)
    assert place is not None and (place.function, place.offset, place.file) == ("hil_send", 4, "hil_frame.c")
    # a function's first row is its brace or the line above
    line = symbols.at(start).line
    assert "hil_send" in "".join((FIRMWARE / "runtime" / place.file).read_text().splitlines()[line - 2 : line])
    # hil_main begins with a call or two; no call ends in the first instructions of hil_send
    main, size = functions["hil_main"].address, functions["hil_main"].size
    calls = [symbols.called_from(address | 1) for address in range(main, main + size, 2)]
    assert {call.function for call in calls if call is not None} == {"hil_main"}
    assert symbols.called_from(start + 5) is None
    assert symbols.at(0x2000_0000) is None and symbols.at(0xFFFF_FFFF) is None
