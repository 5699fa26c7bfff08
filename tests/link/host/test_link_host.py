"""The host's side against devices that lie, babble, fall silent or vanish: always a clear error, within its time."""

import random
import time
import tracemalloc

import pytest

from harness.errors import (
    BoardLostError,
    DeviceFaultError,
    DeviceTimeoutError,
    GarbageError,
    LinkError,
    NoBytesError,
    ProtocolError,
    StackOverflowError,
    TinyhilError,
)
from harness.link.client import Client
from harness.link.framing import Frame, FrameDecoder, encode
from harness.link.wire import Kind
from tests.support.failures import fails
from tests.support.patience import ends
from tests.support.scale import scaled


class FakeDevice:
    """Answers frames by a function (request -> bytes to send), and sends `noise` bytes whenever it is read."""

    def __init__(self, answer=lambda request: b"", noise=lambda: b""):
        self._answer = answer
        self._noise = noise
        self._decoder = FrameDecoder()
        self._out = b""

    def write(self, data):
        for event in self._decoder.feed(data):
            if isinstance(event, Frame):
                self._out += self._answer(event)

    def read(self, timeout_s):
        data, self._out = self._out + self._noise(), b""
        if not data:
            time.sleep(min(timeout_s, 0.05))
        return data

    def close(self):
        pass


def hello_answer(request, models=1):
    text = b"\x04test\x04fake\x04none"
    body = b"\0" + (1).to_bytes(2, "little") + (2080).to_bytes(2, "little") + request.body[2:6] + bytes((1, 0, 0, 0))
    body += bytes(4 * 9) + models.to_bytes(2, "little") + (256).to_bytes(2, "little") + text
    return encode(Kind.HELLO | 0x80, request.sequence, body)


def refused(error, action, match=None):
    with fails(error, match=match) as caught:
        action()
    return caught.value


def test_silence():
    refused(NoBytesError, Client(FakeDevice(), timeout_s=0.5).hello)


def test_endless_garbage_is_told_in_time_and_bounded_memory():
    rng = random.Random(1)
    block = rng.randbytes(65_536)
    tracemalloc.start()
    refused(GarbageError, Client(FakeDevice(noise=lambda: block), timeout_s=0.5).hello)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000


def test_garbage_without_frame_ends():
    refused(GarbageError, Client(FakeDevice(noise=lambda: b"U" * 1000), timeout_s=0.5).hello)


def test_an_answer_and_then_silence():
    client = Client(FakeDevice(lambda r: hello_answer(r) if r.kind == Kind.HELLO else b""), timeout_s=0.5)
    assert client.hello().build_id == "test"
    refused(DeviceTimeoutError, lambda: client.model(0), "MODEL was not answered for 0.5 s")


def test_a_stream_that_ends():
    class Ended(FakeDevice):
        def read(self, timeout_s):
            raise BoardLostError("gone", hint="look")

    refused(BoardLostError, Client(Ended()).hello)


def test_an_answer_to_another_host_is_not_taken():
    def stale(request):
        other = Frame(request.kind, request.sequence, request.body[:2] + b"abcd")
        return hello_answer(other)

    with pytest.raises(TinyhilError):  # it goes on asking; nothing else would be right
        client = Client(FakeDevice(lambda r: stale(r) if next(count) < 3 else b""), timeout_s=0.3)
        count = iter(range(1000))
        client.hello()
    assert client.info is None


def test_a_device_that_only_answers_another_host_is_given_up():
    other = b"abcd"
    client = Client(FakeDevice(lambda r: hello_answer(Frame(r.kind, r.sequence, r.body[:2] + other))), timeout_s=0.3)
    refused(ProtocolError, client.hello, "another host")
    assert client.info is None


def test_another_protocol_version():
    def answer(request):
        return encode(Kind.HELLO | 0x80, request.sequence, b"\0\x02\x00" + bytes(80))

    refused(ProtocolError, Client(FakeDevice(answer)).hello, "version 2")


def test_a_model_with_more_tensors_than_it_names():
    def answer(request):
        if request.kind == Kind.HELLO:
            return hello_answer(request)
        facts = bytes(32) + b"".join(n.to_bytes(4, "little") for n in (16, 4, 2**32 - 1, 1, 1)) + b"\1m"
        return encode(Kind.MODEL | 0x80, request.sequence, b"\0" + (facts if request.body[2] == 0 else b""))

    client = Client(FakeDevice(answer))
    client.hello()
    refused(ProtocolError, lambda: client.model(0), "0 of 4294967295 tensors")


def fault_body(kind=3, pc=0x1234, stack=4):
    registers = b"".join((pc if i == 15 else i).to_bytes(4, "little") for i in range(17))
    body = bytes((kind, 4, 0, 0, 0)) + bytes(4) + b"\xff" * 4 + registers + (0x8200).to_bytes(4, "little") + bytes(8)
    return body + (0xB0000000).to_bytes(4, "little") + bytes((stack,)) + bytes(4 * stack)


def test_a_fault_frame_may_come_at_any_time():
    client = Client(FakeDevice(lambda r: hello_answer(r) + encode(Kind.FAULT, 0, fault_body())))
    client.hello()
    error = refused(DeviceFaultError, lambda: client.model(0), "bus fault on the device in the runtime at 0x00001234")
    assert "PRECISERR" in error.details and "bfar 0xb0000000" in error.details and "r12  0x0000000c" in error.details
    client = Client(FakeDevice(lambda r: encode(Kind.FAULT, 0, fault_body(5))))
    refused(StackOverflowError, client.hello)


def test_a_fault_frame_that_is_cut():
    for size in (0, 1, 10, 50, len(fault_body()) - 1):
        client = Client(FakeDevice(lambda r, size=size: encode(Kind.FAULT, 0, fault_body()[:size])))
        refused(ProtocolError, client.hello, "fault frame")


@pytest.mark.parametrize("seed", range(scaled(60, 2000)))
def test_valid_frames_with_any_content_give_an_error_of_ours(seed):
    """The device answers with random kinds, sequence numbers and bodies; nothing hangs, nothing else is raised."""
    rng = random.Random(seed)
    honest_hello = rng.random() < 0.7

    def answer(request):
        if request.kind == Kind.HELLO and honest_hello:
            return hello_answer(request, 2)
        sequence = request.sequence if rng.random() < 0.9 else rng.randrange(65536)
        kind = request.kind | 0x80 if rng.random() < 0.8 else rng.choice([*Kind, rng.randrange(256)])
        body = bytes((0 if rng.random() < 0.8 else rng.randrange(10),))
        if request.kind == Kind.MODEL and rng.random() < 0.6:
            small = b"".join(rng.randrange(4).to_bytes(4, "little") for _ in range(5))
            body += bytes(32) + small + b"\1m" if request.body[2] == 0 else b"\4\0\0\0" * rng.randrange(4)
        elif request.kind in (Kind.INVOKE, Kind.CONTINUE):
            body += request.body[:4] + bytes((rng.randrange(2),)) + bytes(4) + bytes(rng.choice((12, 16, 20)))
        else:
            body += rng.randbytes(rng.randrange(60))
        return encode(kind, sequence, body)

    client = Client(FakeDevice(answer), timeout_s=0.15)
    with ends(), pytest.raises(TinyhilError) as caught:
        client.hello()
        for _ in range(200):
            model = client.model(rng.randrange(2))
            client.init(model.index)
            client.infer([bytes(size) for size in model.inputs], layers=rng.random() < 0.5, limit_s=0.15)
            client.watermarks()
            client.read_arena(0, 10)
    assert isinstance(caught.value, (LinkError, DeviceFaultError, BoardLostError)), caught.value
