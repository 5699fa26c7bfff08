"""Devices that compare and lie: wrong lengths, counts and places in their answers end in an error, in time."""


import numpy as np
import pytest

from harness.errors import LinkError, ProtocolError
from harness.link.client import Client
from harness.link.framing import encode
from harness.link.wire import ANSWER, HelloFlag, Kind, Mode
from tests.link.host.test_link_host import FakeDevice, refused
from tests.support.patience import ends

LAYERS, SIZE, ARENA = 3, 8, 64


pytestmark = pytest.mark.usefixtures("bounded_memory")


def u32(*numbers):
    return b"".join(number.to_bytes(4, "little") for number in numbers)


def hello(request, flags, layer_limit):
    body = b"\0" + (1).to_bytes(2, "little") + (2080).to_bytes(2, "little") + request.body[2:6]
    body += bytes((flags, 0, 0, 0)) + bytes(4 * 9) + (1).to_bytes(2, "little") + layer_limit.to_bytes(2, "little")
    body += b"\x01b\x01f\x01n"
    return encode(Kind.HELLO | ANSWER, request.sequence, body)


def model(table, layers, arena):
    if table == 0:
        return bytes(32) + u32(arena, 16, 1, 1, layers) + b"\1m"
    return u32(4) if table < 3 else (b"\1l" + (1).to_bytes(2, "little") + u32(SIZE)) * layers


def device(answers, *, flags=HelloFlag.COMPARES, layers=LAYERS, layer_limit=256, arena=ARENA):
    """A device with a model of `layers` layers; `answers` maps a request's kind to a function of the request's body."""

    def answer(request):
        if request.kind == Kind.HELLO:
            return hello(request, flags, layer_limit)
        body = b""
        if request.kind == Kind.MODEL:
            body = model(request.body[2], layers, arena)
        elif request.kind == Kind.INIT:
            body = bytes(4)
        elif request.kind in answers:
            body = answers[request.kind](request.body)
        elif request.kind == Kind.READ:
            body = bytes(int.from_bytes(request.body[9:11], "little"))
        return encode(request.kind | ANSWER, request.sequence, b"\0" + body)

    client = Client(FakeDevice(answer), timeout_s=1.0)
    client.hello()
    client.init(0)
    return client


def stopped(run, layer, rest=b""):
    return run[:4] + b"\1" + u32(layer, 0) + bytes(8) + rest


def ended(run, rest):
    return run[:4] + b"\0" + u32(0xFFFFFFFF, 0) + bytes(8) + rest


def infer(client, layers=LAYERS):
    return client.infer([bytes(4)], layers=True, expected=[[bytes(SIZE)]] * layers, limit_s=1.0)


@pytest.mark.parametrize("size", [0, 1, 15, 17, 19, 21, 1000])
def test_digests_of_every_length(size):
    refused(ProtocolError, lambda: infer(device({Kind.INVOKE: lambda body: ended(body, bytes(size))})))


def test_a_digest_that_is_made_up():
    client = device({Kind.INVOKE: lambda body: ended(body, bytes(20))})
    refused(ProtocolError, lambda: infer(client), "is not that of the bytes")


@pytest.mark.parametrize("first", [3, 4, 0xFFFFFFFF])
def test_stops_at_layers_that_there_are_not(first):
    client = device({Kind.INVOKE: lambda body: stopped(body, first)})
    refused(ProtocolError, lambda: infer(client), "stopped at layer")


@pytest.mark.parametrize("then", [0, 1])
def test_stops_that_go_back_or_never_end(then):
    answers = {Kind.INVOKE: lambda body: stopped(body, 1), Kind.CONTINUE: lambda body: stopped(body, then)}
    refused(ProtocolError, lambda: infer(device(answers)), f"stopped at layer {then}")


@pytest.mark.parametrize("size", [1, 7, 9, 2000])
def test_stops_with_another_size_of_outputs(size):
    client = device({Kind.INVOKE: lambda body: stopped(body, 0, bytes(size))})
    refused(ProtocolError, lambda: infer(client), "bytes of tensors")


@pytest.mark.parametrize(("layers", "limit"), [(300, 256), (3, 2), (3, 0)])
def test_what_has_no_room_on_the_device_is_not_compared(layers, limit):
    modes = []

    def invoke(body):
        modes.append(body[4])
        return stopped(body, 7)

    client = device({Kind.INVOKE: invoke}, layers=layers, layer_limit=limit)
    refused(ProtocolError, lambda: infer(client, layers))
    assert modes == [Mode.STEP | Mode.INLINE]


def test_expectations_of_another_model_are_a_mistake():
    client = device({})
    for wrong in ([[bytes(SIZE)]] * 2, [[bytes(SIZE + 1)]] * LAYERS, [[bytes(SIZE)] * 2] * LAYERS):
        with pytest.raises(ValueError, match=r"layers|expected"):
            client.infer([bytes(4)], layers=True, expected=wrong)


# --- stretches of paint ----------------------------------------------------------------------------------------------


def pairs(end, *stretches):
    return u32(end) + b"".join(number.to_bytes(2, "little") for number in stretches)


def test_stretches_are_read():
    mask = device({Kind.GAPS: lambda body: pairs(ARENA, 4, 12, 40, 8)}).touched(0)
    assert np.flatnonzero(~mask).tolist() == [*range(4, 16), *range(56, 64)]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        bytes(3),
        pairs(ARENA),
        pairs(ARENA, 4),
        pairs(ARENA, 60, 5),
        pairs(ARENA, 0xFFFF, 0xFFFF),
        pairs(ARENA, 10, 10),
        pairs(20, 10, 10),
        pairs(0xFFFFFFFF, 10, 10),
        pairs(0, *[0, 0] * 511),
        pairs(1022, *[1, 1] * 511),
        pairs(ARENA, *[0, 1] * 1000),
    ],
    ids=lambda answer: f"{len(answer)}-{answer[:8].hex()}",
)
def test_stretches_that_cannot_be(answer):
    refused(ProtocolError, lambda: device({Kind.GAPS: lambda body: answer}).touched(0))


def test_stretches_of_the_largest_arena_that_creep():
    """An answer that is not full cannot be the one of many; one byte a pair ends as well."""

    def creep(body):
        at, room = int.from_bytes(body[:4], "little"), int.from_bytes(body[4:6], "little")
        count = (room - 4) // 4
        return pairs(at + count, *[0, 1] * count)

    client = device({Kind.GAPS: creep}, arena=20_000)
    with ends(), pytest.raises(LinkError):
        client.touched(0)
