"""The device's side under ASan and UBSan: no bytes can crash or hang it, and noise on the line costs only time."""

import random
import time

import pytest

from harness.errors import BoardLostError, DeviceRefusedError, DeviceTimeoutError, VectorsError, WrongImageError
from harness.link.client import Client
from harness.link.framing import Frame, FrameDecoder, encode
from harness.link.paint import INVERSE, pattern, touched
from harness.link.runs import Runs
from harness.link.transfer import Transfer
from harness.link.wire import Kind, Mode
from tests.support.firmware import BUILD_ID, build, running
from tests.support.noise import NoisyTransport
from tests.support.patience import ends
from tests.support.scale import scaled

PLUS, COUNTER, TIMED, FAULTY = range(4)
SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")


@pytest.fixture(scope="module")
def elf(tmp_path_factory):
    return build("host", tmp_path_factory.mktemp("link") / "image", flags=SANITIZE, test_faults=False)


@pytest.fixture
def line(elf):
    with running(elf, "host", "pipe") as transport:
        yield transport


def plus(data):
    return bytes((byte + 2) & 255 for byte in data)


def check(client):
    """The device works: a stateless inference, and a sequence with state."""
    rng = random.Random(0)
    client.hello()
    client.init(PLUS, 5)
    data = rng.randbytes(490)
    assert client.infer([data]).outputs == (plus(data),)
    client.init(COUNTER)
    assert [count(client, step, rng.randbytes(3000)) for step in (1, 2, 3)] == [1, 3, 6]


def count(client, step, data):
    first, second = client.infer([step.to_bytes(4, "little"), data]).outputs
    state = int.from_bytes(first, "little")
    assert second == bytes((byte - state) & 255 for byte in data)
    return state


def test_an_image_tells_what_it_is(line):
    client = Client(line)
    info = client.hello(BUILD_ID, "host")
    assert (info.build_id, info.board, info.core, info.model_count) == (BUILD_ID, "host", "host", 4)
    assert (info.tick_unit, info.ticks_run, info.stack_size, info.arena_size) == ("host-ns", True, 0, 6144)
    models = client.models()
    assert [model.name for model in models] == ["plus", "counter", "timed", "faulty"]
    assert models[COUNTER].inputs == (4, 3000) and models[COUNTER].outputs == (4, 3000)
    assert models[COUNTER].layers[0].outputs == (4, 3000)
    assert models[COUNTER].sha256.startswith("040506") and models[COUNTER].arena_size == 6064
    assert [layer.name for layer in models[PLUS].layers] == ["add_00", "add_01"]


def test_a_line_without_a_rate_says_so_and_keeps_it(line):
    client = Client(line)
    client.hello()
    assert client.line() is None
    asked = []
    assert client.raise_baud(921_600, 115_200, asked.append) is False and not asked
    check(client)


def test_a_wrong_image_is_refused_by_name(line):
    client = Client(line)
    with pytest.raises(WrongImageError, match=BUILD_ID):
        client.hello("ffffffffffffffff")
    with pytest.raises(WrongImageError, match="mps2-an500"):
        client.hello(BUILD_ID, "mps2-an500")


def test_layers_are_what_each_layer_wrote(line):
    client = Client(line)
    client.hello()
    client.init(PLUS)
    data = bytes(range(245)) * 2
    run = client.infer([data], layers=True, profile=True)
    middle = bytes((byte + 1) & 255 for byte in data)
    assert run.layer_outputs == ((middle,), (plus(data),))
    assert run.outputs == (plus(data),) and run.total_ticks is None
    assert run.layer_ticks is not None and len(run.layer_ticks) == 2


def test_a_host_that_leaves_in_the_middle_of_a_run_disturbs_no_later_one(line):
    first = Client(line)
    first.hello()
    first.init(COUNTER)
    runs = Runs(Transfer(first.exchange))
    runs.start(first.model(COUNTER), [bytes(4), bytes(3000)], Mode.STEP, 10.0)  # stopped after the first layer
    second = Client(line)
    assert second.hello().stopped
    with pytest.raises(DeviceRefusedError):
        Transfer(second.exchange).ask(Kind.CONTINUE, bytes(8))
    check(second)


def test_the_host_can_ask_for_every_run_with_its_state(line):
    client = Client(line)
    client.hello()
    client.init(COUNTER)
    assert [count(client, 5, bytes(3000)) for _ in range(3)] == [5, 10, 15]
    client.init(COUNTER)
    assert count(client, 5, bytes(3000)) == 5


def test_what_a_model_returns_is_told(line):
    client = Client(line)
    client.hello()
    client.init(COUNTER)
    with pytest.raises(DeviceRefusedError, match="invoke of model counter returned status 7"):
        client.infer([b"\xee\0\0\0", bytes(3000)])
    with pytest.raises(DeviceRefusedError, match="no such model"):
        client.init(9)
    with pytest.raises(VectorsError, match="plus"):
        client.init(PLUS)
        client.infer([bytes(489)])
    check(client)


def test_the_bytes_that_a_model_wrote_are_known_exactly(line):
    client = Client(line)
    client.hello()
    wrote = None
    for seed in (77, 77 ^ INVERSE):
        client.init(COUNTER, seed)
        fresh = client.read_arena()
        assert (touched(fresh, seed)[4:] == 0).all() and fresh[:4] == bytes(4)
        client.infer([bytes(4), bytes(3000)])
        marks = client.watermarks()
        mask = touched(client.read_arena(), seed)
        assert marks.arena_untouched == (~mask).sum() and marks.arena_high == mask.nonzero()[0][-1] + 1
        assert (marks.arena_overrun, marks.runs, marks.stack_high) == (0, 1, None)
        wrote = mask if wrote is None else wrote | mask
    expected = {*range(0, 4), *range(16, 20), *range(32, 3032), *range(3040, 3044), *range(3056, 6056)}
    assert wrote is not None and set(wrote.nonzero()[0].tolist()) == expected


def test_paints_of_inverse_seeds_differ_everywhere():
    assert (pattern(3, 1001) != pattern(3 ^ INVERSE, 1001)).all()
    assert (pattern(3, 1001) != pattern(4, 1001)).mean() > 0.9


@pytest.mark.parametrize("seed", range(scaled(2, 20)))
def test_200_inferences_through_noise_are_right_and_none_runs_twice(line, seed):
    rng = random.Random(seed)
    noisy = NoisyTransport(line, seed)
    client = Client(noisy)
    client.hello()
    client.init(PLUS, seed)
    for _ in range(120):
        data = rng.randbytes(490)
        assert client.infer([data]).outputs == (plus(data),)
    for _ in range(20):
        data = rng.randbytes(490)
        assert client.infer([data], layers=True).layer_outputs[1] == (plus(data),)
    client.init(COUNTER, seed)
    total = 0
    for _ in range(60):
        step = rng.choice([n for n in range(1, 1000) if n & 0xFF != 0xEE])  # on which the model fails by design
        total += step
        assert count(client, step, rng.randbytes(3000)) == total
    assert client.watermarks().runs == 60
    assert noisy.harmed > 100 and client.retries > 0


@pytest.mark.parametrize("seed", range(scaled(2, 20)))
def test_layers_are_compared_through_noise(line, seed):
    """Every third inference one bit of what is expected is wrong: that layer alone is fetched, and shown as it is."""
    rng = random.Random(seed)
    noisy = NoisyTransport(line, seed)
    client = Client(noisy)
    client.hello()
    client.init(PLUS, seed)
    for number in range(60):
        data = rng.randbytes(490)
        right = [[bytes((byte + 1) & 255 for byte in data)], [plus(data)]]
        expected = [list(layer) for layer in right]
        if number % 3 == 0:
            layer, place = rng.randrange(2), rng.randrange(490)
            wrong = bytearray(right[layer][0])
            wrong[place] ^= 1 << rng.randrange(8)
            expected[layer] = [bytes(wrong)]
        if number % 3 == 1:
            expected[rng.randrange(2)] = [None]
        run = client.infer([data], layers=True, expected=expected)
        assert run.outputs == (plus(data),) and run.fetched == (number % 3 == 0)
        for made, wanted, known in zip(run.layer_outputs, right, expected, strict=True):
            assert list(made) == (known if known == [None] else wanted)
    client.init(COUNTER, seed)
    for total in range(1, 10):  # two inputs that do not fit into a frame, and a layer with two outputs
        data = rng.randbytes(3000)
        made = [total.to_bytes(4, "little"), bytes((byte - total) & 255 for byte in data)]
        run = client.infer([(1).to_bytes(4, "little"), data], layers=True, expected=[made])
        assert (run.fetched, list(run.outputs), list(run.layer_outputs[0])) == (0, made, made)
    assert client.watermarks().runs == 9
    assert noisy.harmed > 30 and client.retries > 0


def test_the_device_tells_what_it_wrote_as_its_memory_shows(line):
    client = Client(line)
    client.hello()
    for model in (PLUS, COUNTER):
        for seed in (7, 7 ^ INVERSE):
            client.init(model, seed)
            if model == COUNTER:
                client.infer([bytes(4), bytes(range(250)) * 12])
            assert (client.touched(seed) == touched(client.read_arena(), seed)).all()
    # the gaps between the state, the inputs and the outputs
    gaps = [*range(4, 16), *range(20, 32), *range(3032, 3040), *range(6056, 6064)]
    assert not client.touched(7 ^ INVERSE)[gaps].any()


def test_a_megabyte_of_garbage_leaves_the_device_working(line):
    rng = random.Random(2)
    for _ in range(64):
        line.write(rng.randbytes(16_384))
    check(Client(line))


def test_garbage_full_of_frame_ends_leaves_the_device_working(line):
    rng = random.Random(3)
    for _ in range(16):
        line.write(bytes(rng.choice((0, 0, 1, 2, 255, rng.randrange(256))) for _ in range(16_384)))
    check(Client(line))


def test_over_long_frames_are_dropped(line):
    for size in (2073, 2074, 5000, 1_000_000):
        line.write(encode(Kind.WRITE, 1, bytes(size)))
    line.write(b"\0" + b"\xff" * 100_000)
    check(Client(line))


def test_any_valid_frame_is_answered_or_ignored(line):
    """Whole frames with right sums and wrong contents: every length and every number is checked."""
    rng = random.Random(4)
    patience = 60.0  # a frame may start the model `timed`, which then loops up to 2**32 times
    kinds = [kind for kind in range(256) if kind != Kind.RESET]
    for number in range(scaled(4000, 100_000)):
        if number % 500 == 0:
            # An answer on its way to a HELLO of ours that is wrong may have the client's sequence number.
            while line.read(0.1):
                pass
            Client(line, timeout_s=patience).hello()
            line.write(encode(Kind.INIT, rng.randrange(0x10000), bytes((rng.choice((PLUS, COUNTER)), 0, 1, 2, 3, 4))))
        kind = rng.choice(kinds) if rng.random() < 0.3 else rng.randrange(1, 14)
        if kind == Kind.RESET:
            continue
        values = (0, 1, 2, 3, 4, 7, 255, 256, 490, 3000, 6143, 6144, 65535, 2**31 - 1, 2**31, 2**32 - 1)
        width = rng.choice((1, 2, 4))
        body = b"".join((rng.choice(values) % 256**width).to_bytes(width, "little") for _ in range(rng.randrange(8)))
        if rng.random() < 0.2:
            body = rng.randbytes(rng.randrange(600))
        if kind in (Kind.INVOKE, Kind.CONTINUE) and rng.random() < 0.5:
            body = bytes(4) + bytes((rng.choice((0, 1, 2, 8, 16, 24)),))
            body += bytes(2) + bytes(rng.choice((0, 490, 491, 3004, 514, 3028)))
        line.write(encode(kind, rng.randrange(0x10000), body))
    check(Client(line, timeout_s=patience))


def test_a_lost_answer_is_repeated_and_the_request_is_not(line):
    client = Client(line)
    client.hello()
    client.init(COUNTER)
    transfer = Transfer(client.exchange)
    transfer.write(0, (1).to_bytes(4, "little"))
    transfer.write(1, bytes(3000))
    frame, sequence = client.exchange.make(Kind.INVOKE, bytes((1, 0, 0, 0, 0, 0, 2)))
    line.write(frame * 3 + encode(Kind.REPEAT, sequence))
    answers = [f for f in collect(line, 0.5) if f.kind == Kind.INVOKE | 0x80]
    assert len(answers) == 4 and len(set(answers)) == 1
    assert count(client, 1, bytes(3000)) == 2


def collect(line, seconds):
    decoder = FrameDecoder()
    frames = []
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        frames += [event for event in decoder.feed(line.read(left)) if isinstance(event, Frame)]
    return frames


def test_a_model_that_hangs_is_told_within_the_limit(line):
    client = Client(line)
    client.hello()
    client.init(FAULTY)
    with ends(), pytest.raises(DeviceTimeoutError, match="inference 1 of model faulty did not end within 0.5 s"):
        client.infer([b"\x04\0\0\0"], limit_s=0.5)


def test_reset_starts_anew(line):
    client = Client(line)
    client.hello()
    client.init(COUNTER)
    client.reset()
    check(client)


def test_a_restart_in_the_middle_of_a_session_is_told(line):
    client = Client(line)
    client.hello()
    client.init(PLUS)
    line.write(client.exchange.make(Kind.RESET)[0])
    time.sleep(0.3)
    with pytest.raises(BoardLostError, match="started anew"):
        client.infer([bytes(490)])
    check(Client(line))


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_the_runtime_compiles_without_a_warning(tmp_path, compiler):
    build("host", tmp_path / "image", compiler=compiler)
