"""Every type of message, spoiled in every way: each ends in an error of its own, within 5 s and 100 MB."""

import itertools
import os
import time
from dataclasses import replace

import pytest

from harness.errors import (
    BoardLostError,
    DeviceFaultError,
    DeviceRefusedError,
    DeviceRestartedError,
    DeviceTimeoutError,
    FloodError,
    GarbageError,
    LinkError,
    NoBytesError,
    ProtocolError,
    TinyhilError,
    WrongImageError,
)
from harness.link import client as client_module
from harness.link import limits, waiting
from harness.link.claims import DeviceClaims
from harness.link.client import Client
from harness.link.framing import encode
from harness.link.wire import ANSWER, Kind
from tests.support.device import CLAIMS, INPUT, LAYERS, OUTPUT, HonestDevice, u
from tests.support.patience import ends

REQUESTS = tuple(kind for kind in Kind if kind < 0x70)
BEGUN = (Kind.INIT, Kind.INVOKE, Kind.CONTINUE, Kind.INSTALL, Kind.TEST)
"""Requests whose answers are asked for again by REPEAT."""


pytestmark = pytest.mark.usefixtures("bounded_memory")


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(client_module, "RESTART_S", 0.05)
    monkeypatch.setattr(client_module, "FIRST_LIMIT_S", 0.5)
    monkeypatch.setattr(client_module, "BAUD_TRIAL_S", 0.05)
    monkeypatch.setattr(client_module, "BAUD_BACK_S", 0.01)


class Session:
    """A client of a device that was honest so far, with a model initialised; from now on it waits only so long."""

    def __init__(self, kind, timeout_s=0.04):
        self.device = HonestDevice()
        self.client = Client(self.device, timeout_s=10.0)
        self.limit_s = timeout_s
        if kind is not Kind.HELLO:
            self.client.hello()
        if kind not in (Kind.HELLO, Kind.MODEL):
            self.client.init(0)
        if kind is Kind.REPEAT:  # only asked for where an answer was lost
            self.device.instead[Kind.INVOKE] = lambda device, request: encode(Kind.ACCEPTED, request.sequence)
        self.client.exchange.timeout_s = timeout_s

    def answers(self, kind, answer):
        """From now on the device answers so; also where the same answer is asked for again."""
        self.device.instead[kind] = answer
        if kind in BEGUN:
            self.device.instead[Kind.REPEAT] = lambda device, request: b""

    def ask(self, kind):
        """Makes the client send such a request; returns what comes of it."""
        client, inputs = self.client, [bytes(INPUT)]
        asks = {
            Kind.HELLO: client.hello,
            Kind.MODEL: lambda: client.model(0),
            Kind.INIT: lambda: client.init(0),
            Kind.WRITE: lambda: client.infer(inputs, limit_s=self.limit_s),
            Kind.INVOKE: lambda: client.infer(inputs, limit_s=self.limit_s),
            Kind.CONTINUE: lambda: client.infer(inputs, limit_s=self.limit_s, layers=True),
            Kind.READ: client.read_arena,
            Kind.WATERMARK: client.watermarks,
            Kind.GAPS: lambda: client.touched(0),
            Kind.RESET: client.reset,
            Kind.REPEAT: lambda: client.infer(inputs, limit_s=self.limit_s),
            Kind.BAUD: lambda: client.raise_baud(2_000_000, 115_200, lambda baud: None),
            Kind.LINE: client.line,
            Kind.SLOT: client.slot,
            Kind.PUT: lambda: client.install(bytes(300)),
            Kind.INSTALL: lambda: client.install(bytes(300)),
            Kind.TEST: lambda: client.provoke(1),
        }
        return asks[kind]()


def ended(session, kind, errors):
    """The error in which the request ends, after checking its kind, its texts and its time."""
    with ends(), pytest.raises(errors) as caught:
        session.ask(kind)
    assert isinstance(caught.value, TinyhilError) and caught.value.hint and caught.value.message
    return caught.value


def framed(kind, sequence, body):
    return encode(kind | ANSWER, sequence, body)


def test_an_honest_device_is_believed():
    for kind in REQUESTS:
        if kind is not Kind.REPEAT:
            Session(kind, timeout_s=2.0).ask(kind)
    session = Session(Kind.INVOKE, timeout_s=2.0)
    run = session.client.infer([bytes(INPUT)], layers=True)
    assert [[len(part) for part in layer] for layer in run.layer_outputs] == [[8], [4, 4], [OUTPUT]]


SPOILED = {
    "nothing": (lambda d, r: b"", (DeviceTimeoutError, NoBytesError)),
    "another sequence": (
        lambda d, r: framed(r.kind, (r.sequence + 7) & 0xFFFF, b"\0" * 20),
        (DeviceTimeoutError, FloodError),
    ),
    "another type": (lambda d, r: framed(0x0C if r.kind != 0x0C else 0x08, r.sequence, b"\0" * 40), DeviceTimeoutError),
    "a type that none is": (lambda d, r: encode(0x55, r.sequence, b"\0" * 40), DeviceTimeoutError),
    "a request as answer": (lambda d, r: encode(r.kind, r.sequence, r.body), DeviceTimeoutError),
    "cut before its end": (lambda d, r: framed(r.kind, r.sequence, b"\0" * 40)[:-6], (LinkError,)),
    "cut and ended": (lambda d, r: framed(r.kind, r.sequence, b"\0" * 40)[:-6] + b"\0", (LinkError,)),
    "a wrong sum": (lambda d, r: framed(r.kind, r.sequence, b"\1" * 40).replace(b"\1", b"\2"), (LinkError,)),
    "no status": (lambda d, r: framed(r.kind, r.sequence, b""), (ProtocolError, DeviceTimeoutError)),
    "larger than a frame": (lambda d, r: framed(r.kind, r.sequence, b"\0" + b"\1" * 70_000), (LinkError,)),
    "ACCEPTED alone": (lambda d, r: encode(Kind.ACCEPTED, r.sequence), DeviceTimeoutError),
    "a fault": (lambda d, r: encode(Kind.FAULT, r.sequence, bytes((3, 4)) + bytes(200)), (DeviceFaultError, LinkError)),
    "a fault of huge registers": (lambda d, r: encode(Kind.FAULT, 0, bytes((3, 255)) + bytes(6000)), LinkError),
    "half a fault": (lambda d, r: encode(Kind.FAULT, r.sequence, bytes((3, 4))), LinkError),
}


@pytest.mark.parametrize("spoiled", SPOILED)
@pytest.mark.parametrize("kind", REQUESTS, ids=lambda kind: kind.name)
def test_an_answer_that_is_spoiled(kind, spoiled):
    answer, errors = SPOILED[spoiled]
    session = Session(kind)
    session.answers(kind, answer)
    if kind is Kind.REPEAT and spoiled == "no status":
        errors = (LinkError,)
    ended(session, kind, errors)


@pytest.mark.parametrize("status", [1, 2, 3, 4, 5, 6, 7, 8, 9, 255])
@pytest.mark.parametrize("kind", REQUESTS, ids=lambda kind: kind.name)
def test_every_status_that_is_not_0(kind, status):
    session = Session(kind, timeout_s=0.3 if kind is Kind.REPEAT else 2.0)
    session.device.instead[kind] = lambda d, r: framed(r.kind, r.sequence, bytes((status,)) + bytes(40))
    if kind is Kind.BAUD and status != 8:
        assert session.ask(kind) is False, "it cannot, and the old rate stays"
        return
    error = ended(session, kind, (DeviceRefusedError, DeviceRestartedError, DeviceTimeoutError))
    if kind is Kind.REPEAT:  # says that the request was lost, until that is not believed
        assert isinstance(error, DeviceRestartedError if status == 8 else DeviceTimeoutError)
    elif kind is not Kind.HELLO:
        assert isinstance(error, DeviceRestartedError if status == 8 else DeviceRefusedError)


LENGTHS = (0, 1, 2, 3, 7, 16, 20, 30, 100, 2000, 60_000)
FREE = {Kind.INIT, Kind.WRITE, Kind.RESET, Kind.PUT, Kind.INSTALL, Kind.TEST, Kind.BAUD}
"""Requests whose answers have no body that is looked at."""
LONG_ENOUGH = {(kind, size) for kind, least in ((Kind.LINE, 16), (Kind.SLOT, 9)) for size in LENGTHS if size >= least}


@pytest.mark.parametrize("size", LENGTHS)
@pytest.mark.parametrize("kind", REQUESTS, ids=lambda kind: kind.name)
def test_bodies_of_every_length(kind, size):
    """Zeros: an error, or what the zeros mean."""
    session = Session(kind)
    session.device.instead[kind] = lambda d, r: framed(r.kind, r.sequence, bytes(1 + size))
    with ends():
        try:
            session.ask(kind)
            assert kind in FREE or (kind, size) in LONG_ENOUGH or kind is Kind.MODEL
        except LinkError as error:
            assert error.hint


def endless(make):
    """A flood: 200 frames or 16 kB whenever it is read."""
    count = itertools.count(1)
    return lambda: b"".join(make(next(count)) for _ in range(200))


MEGABYTES = b"xy\0" * 1_000_000

FLOODS = {
    **{
        f"{kind.name} unasked": (endless(lambda n, kind=kind: encode(kind, n & 0xFFFF, bytes(20))), FloodError)
        for kind in (Kind.ACCEPTED, Kind.DAMAGED, Kind.READY)
    },
    "answers of others": (endless(lambda n: encode(Kind.READ | ANSWER, n & 0xFFFF, bytes(20))), FloodError),
    "types that none is": (endless(lambda n: encode(0xE0 + n % 8, n & 0xFFFF, bytes(20))), FloodError),
    "damaged frames": (endless(lambda n: b"\0\x05abcdefgh\0" * 8), GarbageError),
    "bytes without an end": (lambda: b"U" * 60_000, GarbageError),
    "zeros": (lambda: bytes(30_000), GarbageError),
    "megabytes at once": (lambda: MEGABYTES, GarbageError),
}


@pytest.mark.parametrize("flood", FLOODS)
@pytest.mark.parametrize("kind", REQUESTS, ids=lambda kind: kind.name)
def test_a_flood_in_the_place_of_an_answer(kind, flood):
    noise, errors = FLOODS[flood]
    session = Session(kind, timeout_s=2.0)

    def begin(device, request):
        device.noise = noise
        return b""

    session.answers(kind, begin)
    if kind is Kind.REPEAT:  # frames came before
        errors = FloodError
    error = ended(session, kind, errors)
    assert "end" in error.message or "no valid frame" in error.message


@pytest.mark.parametrize("kind", REQUESTS, ids=lambda kind: kind.name)
def test_accepted_for_ever_at_a_slow_rate(kind):
    """Too slow for a flood: the time limit ends it."""

    def begin(device, request):
        def noise():
            time.sleep(0.01)
            return encode(Kind.ACCEPTED, request.sequence)

        device.noise = noise
        return b""

    session = Session(kind, timeout_s=0.1)
    session.answers(kind, begin)
    error = ended(session, kind, DeviceTimeoutError)
    assert "ACCEPTED" in error.details


DRIPPED = (Kind.MODEL, Kind.WRITE, Kind.CONTINUE, Kind.READ)


@pytest.mark.parametrize("kind", DRIPPED, ids=lambda kind: kind.name)
def test_right_answers_that_come_ever_so_late(kind, monkeypatch):
    """Each within its own limit, so that all together would take hours: 10,000 layers, 60 MB of arena."""
    monkeypatch.setattr(limits, "LEAST_RATE", 5_000)
    monkeypatch.setattr("harness.link.runs.STOP_S", 0.01)
    monkeypatch.setattr("harness.link.runs.LEAST_STEP_S", 0.01)
    session = Session(kind, timeout_s=0.3)
    session.device.facts["layers"] = 10_000
    session.device.instead[Kind.MODEL] = late = lambda d, r: (time.sleep(0.2), d.answer(r))[1]
    session.device.instead[kind] = late
    if kind is Kind.MODEL:
        monkeypatch.setattr("tests.support.device.LAYERS", (*LAYERS, *[("x", (4,))] * 10_000))
    error = ended(session, kind, DeviceTimeoutError)
    assert "bytes a second" in error.message or "did not end" in error.message or "not answered" in error.message


def test_a_line_that_takes_bytes_one_by_one(monkeypatch):
    monkeypatch.setattr(waiting, "WRITE_TIMEOUT_S", 0.2)
    monkeypatch.setattr(waiting, "LEAST_RATE", 10_000)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    sent = []

    def one(data):
        time.sleep(0.05)
        sent.append(1)
        return 1

    with ends(), pytest.raises(BoardLostError, match="took no bytes"):
        waiting.write_all(bytes(1000), reader, writer, one, lambda: None)
    assert len(sent) < 20
    os.close(reader)
    os.close(writer)


# --- READY -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind for kind in REQUESTS if kind is not Kind.REPEAT], ids=lambda kind: kind.name)
def test_a_replayed_ready_is_no_restart(kind):
    """What a port held back from the last start, or another sends: the device still knows the session."""
    session = Session(kind, timeout_s=2.0)
    session.device.instead[kind] = lambda d, r: encode(Kind.READY, 0) + d.answer(r)
    session.ask(kind)
    session.device.instead[kind] = None
    session.client.hello()
    session.client.init(0)
    assert session.client.infer([bytes(INPUT)]).outputs == (bytes(OUTPUT),)


@pytest.mark.parametrize("told", [True, False], ids=["READY comes", "READY is lost"])
@pytest.mark.parametrize(
    "kind", [kind for kind in REQUESTS if kind not in (Kind.HELLO, Kind.REPEAT)], ids=lambda kind: kind.name
)
def test_a_real_restart_is_one(kind, told):
    session = Session(kind, timeout_s=2.0)

    def restart(device, request):
        device.greeted = False
        device.instead.clear()
        device.stored.clear()
        return encode(Kind.READY, 0) if told else b""

    session.device.instead[kind] = restart
    error = ended(session, kind, DeviceRestartedError)
    assert "started anew" in error.message


# --- claims ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fact", "told", "figures"),
    [
        ("arena", 901, "arena size in bytes is 901 .* 900"),
        ("inputs", 2**32 - 1, "number of inputs is 4,294,967,295 .* 1 "),
        ("outputs", 0, "number of outputs is 0 .* 1 "),
        ("layers", 2**32 - 1, "number of layers is 4,294,967,295 .* 3 "),
        ("layers", 9_999, "number of layers is 9,999 .* 3 "),
    ],
)
def test_a_model_that_is_not_the_images(monkeypatch, fact, told, figures):
    session = Session(Kind.MODEL, timeout_s=2.0)
    session.device.facts[fact] = told
    asked, write = [], session.device.write
    monkeypatch.setattr(session.device, "write", lambda data: asked.append(data) or write(data))
    with ends(), pytest.raises(WrongImageError, match=figures):
        session.client.model(0, CLAIMS)
    assert len(asked) == 1, "the tables are not even asked for"


@pytest.mark.parametrize(
    ("known", "figures"),
    [
        (replace(CLAIMS, inputs=(301,)), "input 0 is 300 .* 301 "),
        (replace(CLAIMS, outputs=(1,)), "output 0 is 700 .* 1 "),
        (replace(CLAIMS, layers=((8,), (4,), (OUTPUT,))), r"outputs of layer 1 \(b\) is 2 .* 1 "),
        (replace(CLAIMS, layers=((8,), (4, 5), (OUTPUT,))), r"layer 1 \(b\), output 1 is 4 .* 5 "),
        (replace(CLAIMS, name="n"), "is m .*, not n "),
        (replace(CLAIMS, sha256="11" * 32), r"\(000000000000\), not m \(111111111111\)"),
    ],
)
def test_sizes_that_are_not_the_images(known, figures):
    with pytest.raises(WrongImageError, match=figures):
        Session(Kind.MODEL, timeout_s=2.0).client.model(0, known)


@pytest.mark.parametrize(
    ("claims", "figures"),
    [
        (DeviceClaims(models=2), "number of models is 1 .* 2 "),
        (DeviceClaims(tick_unit="emulated"), "unit of ticks is cycles .* emulated "),
        (DeviceClaims(most_stack=999), "stack size in bytes is 1,000 .* 999 "),
        (DeviceClaims(core="cortex-m7"), "core is cortex-m4 .* cortex-m7 "),
    ],
)
def test_a_device_that_is_not_the_images(claims, figures):
    with pytest.raises(WrongImageError, match=figures):
        Session(Kind.HELLO, timeout_s=2.0).client.hello(claims=claims)


@pytest.mark.parametrize(
    ("place", "value", "figures"),
    [
        (3, 2**32 - 2, "4,294,967,294 bytes; m's has 900"),
        (4, 901, "901 bytes of arena used, of 900"),
        (1, 1001, "1,001 bytes of stack used by a run, of 1,000"),
    ],
)
def test_memory_use_that_cannot_be(place, value, figures):
    session = Session(Kind.WATERMARK, timeout_s=2.0)
    numbers = [1000, 100, 200, 900, 900, 0, 0, 1]
    numbers[place] = value
    body = b"\0" + b"".join(u(n) for n in numbers)
    session.device.instead[Kind.WATERMARK] = lambda d, r: framed(r.kind, r.sequence, body)
    with pytest.raises(ProtocolError, match=figures):
        session.client.watermarks()
