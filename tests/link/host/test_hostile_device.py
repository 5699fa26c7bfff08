"""Devices that claim what none has, or answer for ever: each ends in its own error, in time and within 100 MB."""

import itertools
import time

import pytest

from harness.errors import DeviceFaultError, LinkError, ProtocolError
from harness.link.client import Client
from harness.link.framing import Frame, encode
from harness.link.wire import ANSWER, Kind
from tests.link.host.test_link_host import FakeDevice, hello_answer, refused
from tests.support.patience import ends

MUCH = 0xFFFFFFFF


pytestmark = pytest.mark.usefixtures("bounded_memory")


def device(facts=(64, 16, 1, 1, 1), tables=lambda table, first: b"", hello=hello_answer):
    """A device with one model of these facts, whose tables are answered by a function."""

    def answer(request):
        if request.kind == Kind.HELLO:
            return hello(request)
        if request.kind != Kind.MODEL:
            return b""
        table, first = request.body[2], int.from_bytes(request.body[3:7], "little")
        told = b"".join(fact.to_bytes(4, "little") for fact in facts)
        body = bytes(32) + told + b"\x01m" if table == 0 else tables(table, first)
        return encode(request.kind | ANSWER, request.sequence, b"\0" + body)

    return FakeDevice(answer)


def greeted(*given, **named):
    client = Client(device(*given, **named), timeout_s=1.0)
    client.hello()
    return client


@pytest.mark.parametrize(
    ("place", "what"), [(0, "bytes of arena"), (2, "inputs"), (3, "outputs"), (4, "layers")], ids=lambda x: str(x)
)
def test_counts_that_no_model_has(place, what):
    facts = [64, 16, 1, 1, 1]
    facts[place] = MUCH
    client = greeted(facts, tables=lambda table, first: bytes(4 * 100) if table < 3 else b"\x01l\0\0" * 100)
    refused(ProtocolError, lambda: client.model(0), f"claims 4,294,967,295 {what}")


def test_sizes_that_no_model_has():
    huge = MUCH.to_bytes(4, "little")
    refused(ProtocolError, lambda: greeted(tables=lambda *_: huge).model(0), "bytes of tensors")
    layer = b"\x01l" + (1).to_bytes(2, "little") + huge
    client = greeted(tables=lambda table, _: layer if table == 3 else (4).to_bytes(4, "little"))
    refused(ProtocolError, lambda: client.model(0), "bytes of a layer's outputs")
    many = b"\x01l" + (0xFFFF).to_bytes(2, "little") + bytes(4)
    client = greeted(tables=lambda table, _: many if table == 3 else (4).to_bytes(4, "little"))
    refused(ProtocolError, lambda: client.model(0), "outputs of a layer")


@pytest.mark.parametrize("limit", [0, 1, 31, 32, 63])
def test_a_frame_limit_that_holds_nothing(limit):
    def hello(request):
        text = b"\x04test\x04fake\x04none"
        body = b"\0" + (1).to_bytes(2, "little") + limit.to_bytes(2, "little") + request.body[2:6] + bytes((1, 0, 0, 0))
        body += bytes(4 * 9) + (1).to_bytes(2, "little") + (256).to_bytes(2, "little") + text
        return encode(Kind.HELLO | ANSWER, request.sequence, body)

    refused(ProtocolError, Client(device(hello=hello), timeout_s=1.0).hello, f"frames of {limit} bytes")


def test_wrong_nonces_that_come_late_for_ever():
    def late(request):
        time.sleep(0.1)
        return hello_answer(Frame(request.kind, request.sequence, request.body[:2] + b"abcd"))

    refused(ProtocolError, Client(FakeDevice(late), timeout_s=0.5).hello, "to another host")


@pytest.mark.parametrize("kind", [*Kind, *(kind | ANSWER for kind in Kind if kind < 0x80), 0x55])
def test_floods_of_every_type_end(kind):
    count = itertools.count(1)

    def flood():
        return b"".join(encode(kind, next(count) & 0xFFFF, bytes(40)) for _ in range(50))

    client = Client(FakeDevice(noise=flood), timeout_s=0.3)
    with ends(), pytest.raises((LinkError, DeviceFaultError)):
        client.hello()


@pytest.mark.parametrize("kind", [Kind.HELLO, Kind.MODEL, Kind.LINE, Kind.WATERMARK])
@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 30, 60_000])
def test_answers_of_every_length_end(kind, size):
    def answer(request):
        if request.kind == Kind.HELLO and kind != Kind.HELLO:
            return hello_answer(request)
        return encode(request.kind | ANSWER, request.sequence, bytes(size))

    client = Client(FakeDevice(answer), timeout_s=0.5)
    asks = {Kind.MODEL: lambda: client.model(0), Kind.LINE: client.line, Kind.WATERMARK: client.watermarks}
    if kind == Kind.HELLO:
        with pytest.raises(LinkError):
            client.hello()
        return
    client.hello()
    with ends():
        try:
            asks[kind]()
        except LinkError:
            pass
