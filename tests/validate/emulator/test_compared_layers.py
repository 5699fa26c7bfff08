"""Layers that the device compares are found and shown as those that are fetched, to the bit; and who lies is told."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from harness import frontends
from harness.boards import find_board, open_session
from harness.boards.session import open_client
from harness.build import BuildOptions, build_image
from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import Package, emit
from harness.errors import ProtocolError
from harness.link.client import Client
from harness.link.framing import Frame, FrameDecoder, encode
from harness.link.wire import ANSWER, Kind
from harness.validate import vectors as vector_files
from harness.validate.card import RandomVectors, load_card
from harness.validate.differences import layer_diffs
from harness.validate.expected import expected_layers
from harness.validate.measurement import Measurement, measure
from harness.validate.options import Options
from harness.validate.workbench import Workbench
from tests.support.paths import FIXTURES
from tests.support.sabotage import Flip, right_tensors, with_flips
from tests.support.scale import scaled
from tests.support.tiny import TINY_VECTOR, tiny_package

VECTORS = 8
BOARDS = ["host", "mps2-an500", "mps3-an547"]


class Subject:
    """The digits fixture on a board."""

    def __init__(self, board: str) -> None:
        self.board = find_board(board)
        graph = frontends.load(FIXTURES / "digits.tflite")
        self.package = emit(compile_graph(graph, core=self.board.core, name="digits"))
        self.vectors = vector_files.load(RandomVectors(random=VECTORS, seed=3), graph, FIXTURES).inputs
        self.tensors = right_tensors(self.package.plan, self.vectors)
        expected = expected_layers(self.package.plan, self.tensors)
        assert expected is not None
        self.expected = expected

    def run(self, package: Package, *, compare: bool) -> Measurement:
        image = build_image([package], self.board, BuildOptions(link="fast"))
        with open_session(self.board, image) as session:
            expected = self.expected if compare else None
            return measure(session, image, package, self.vectors, layers=True, expected=expected, profile=False)

    def diffs(self, measured: Measurement):
        return layer_diffs(self.package.plan, self.tensors, measured.layer_outputs)


@pytest.fixture(scope="module", params=BOARDS[: scaled(2, 3)])
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    yield Subject(request.param)


def flips_everywhere(subject: Subject, seed: int) -> list[Flip]:
    """One bit in each layer, each in another vector; further bits of the first layer in all the others."""
    rng = random.Random(seed)
    rest = list(range(VECTORS))
    rng.shuffle(rest)
    flips = []
    for number, layer in enumerate(subject.package.plan.layers):
        tensor = subject.package.plan.graph.tensors[layer.outputs[0]]
        place = subject.package.plan.placement_of(layer.outputs[0]).offset + rng.randrange(tensor.bytes)
        flips.append(Flip(rest[number % VECTORS], layer.index, place, 1 << rng.randrange(8)))
    return flips


def test_a_sound_run_fetches_nothing(subject):
    measured = subject.run(subject.package, compare=True)
    fetched = subject.run(subject.package, compare=False)
    assert measured.fetched == 0 and fetched.fetched == VECTORS * len(subject.package.plan.layers)
    assert all(diff.diff.differing == 0 for diff in subject.diffs(measured)[0])
    assert (measured.arena_high, measured.arena_untouched) == (fetched.arena_high, fetched.arena_untouched)


@pytest.mark.parametrize("seed", range(scaled(2, 12)))
def test_every_flipped_bit_is_found_and_shown_as_if_all_had_been_fetched(subject, seed):
    flips = flips_everywhere(subject, seed)
    broken = with_flips(subject.package, flips)
    measured, fetched = (subject.run(broken, compare=compare) for compare in (True, False))
    assert subject.diffs(measured) == subject.diffs(fetched)
    differing = 0
    for number, (row, other) in enumerate(zip(measured.layer_outputs, fetched.layer_outputs, strict=True)):
        for layer, (made, also) in enumerate(zip(row, other, strict=True)):
            right = subject.expected[number][layer][0]
            assert right is None or made[0].tobytes() == also[0].tobytes()
            differing += right is not None and also[0].tobytes() != right
    assert measured.fetched == differing >= len(flips)
    for flip in flips:
        made = measured.layer_outputs[flip.run][flip.layer][0]
        assert made.tobytes() != subject.expected[flip.run][flip.layer][0]
    assert all(np.array_equal(a, b) for pair in zip(measured.outputs, fetched.outputs, strict=True) for a, b in [
        (pair[0][0], pair[1][0])
    ])


class _Flipping(Workbench):
    """Compiles models of which one bit flips, after one layer of one inference."""

    def __init__(self, run: int, layer: int) -> None:
        super().__init__()
        self._run_number, self._layer = run, layer

    def package(self, *arguments, **named):
        package = super().package(*arguments, **named)
        tensor = package.plan.layers[self._layer].outputs[0]
        place = package.plan.placement_of(tensor).offset + 5
        return with_flips(package, [Flip(self._run_number, self._layer, place, 4)])


@pytest.mark.parametrize(("board", "run", "layer"), [("host", 6, 0), ("mps2-an500", 0, 4), ("mps2-an500", 11, 8)])
def test_a_bit_that_flips_once_is_in_the_report(board, run, layer):
    card = load_card(FIXTURES / "digits.hil.yaml")
    outcome = _Flipping(run, layer).validate(card, board, Options(opinions=()))
    first = outcome.verdict.first_layer
    assert not outcome.passed and first is not None
    assert (first.layer, first.diff.max_lsb, first.diff.vectors_differing) == (layer, 4, 1)
    assert first.diff.first.vector == run and abs(first.diff.first.got - first.diff.first.expected) == 4
    assert first.diff.differing == 1
    assert outcome.measurement.fetched >= 1


def test_a_byte_written_into_a_gap_of_the_arena_is_counted():
    """The arena of the tiny model is made larger than it needs, and one byte of the rest written in one run."""
    board = find_board("host")
    package = tiny_package(core="host")
    old, new = "#define TINY_ARENA_SIZE 96", "#define TINY_ARENA_SIZE 160"
    header = package.files["tiny.h"]
    assert header.count(old) == 1
    wide = replace(
        package,
        plan=replace(package.plan, arena_size=160),
        files={**package.files, "tiny.h": header.replace(old, new)},
    )
    counted = []
    for made in (wide, with_flips(wide, [Flip(1, 1, 130, 255)])):  # run 0 is the vector's, 1 and 2 are measured
        image = build_image([made], board)
        with open_session(board, image) as session:
            measured = measure(session, image, made, [TINY_VECTOR], layers=False)
        counted.append((measured.arena_untouched, measured.arena_high))
    assert counted == [(64, 96), (63, 131)]


# --- a device that lies ----------------------------------------------------------------------------------------------


class Liar:
    """A line to an honest device whose answers to INVOKE and HELLO are changed on the way."""

    def __init__(self, inner, change):
        self._inner, self._change, self._decoder = inner, change, FrameDecoder()

    def write(self, data):
        self._inner.write(data)

    def read(self, timeout_s):
        out = b""
        for event in self._decoder.feed(self._inner.read(timeout_s)):
            assert isinstance(event, Frame)
            out += encode(event.kind, event.sequence, self._change(event))
        return out


def changed_digest(change):
    """Changes of the 16 bytes behind the run's state."""
    kept = {}

    def apply(frame):
        if frame.kind != Kind.INVOKE | ANSWER or len(frame.body) < 38 or frame.body[5]:
            return frame.body
        return frame.body[:22] + change(frame.body[22:38], kept) + frame.body[38:]

    return apply


def previous(digest, kept):
    before, kept["digest"] = kept.get("digest", digest), digest
    return before


LIES = {
    "zeros": lambda digest, kept: bytes(16),
    "a stuck answer": lambda digest, kept: kept.setdefault("digest", digest),
    "the answer of the run before": previous,
    "one bit": lambda digest, kept: digest[:9] + bytes((digest[9] ^ 16,)) + digest[10:],
    "the first word right": lambda digest, kept: digest[:4] + bytes(12),
}


@pytest.fixture(scope="module")
def host():
    subject = Subject("host")
    image = build_image([subject.package], subject.board)
    with open_session(subject.board, image) as session:
        yield subject, image, session


def lying(host, change):
    subject, image, session = host
    client = Client(Liar(session.stream(), change), timeout_s=2.0)
    client.hello(image.build_id)
    return subject, image, session, client


@pytest.mark.parametrize("lie", LIES)
def test_a_digest_of_other_data_never_passes(host, lie):
    subject, image, session, client = lying(host, changed_digest(LIES[lie]))
    same = [subject.vectors[0]] * 2
    with pytest.raises(ProtocolError, match="digest of what the layers of digits wrote"):
        measure(session, image, subject.package, same, layers=True, expected=[subject.expected[0]] * 2, client=client)


def test_expectations_of_another_vector_are_no_match(host):
    """Where the right bytes are not those of this input, every layer is fetched and shown."""
    subject, image, session = host
    others = [subject.expected[1]]
    measured = measure(session, image, subject.package, subject.vectors[:1], layers=True, expected=others)
    assert measured.fetched >= len(subject.package.plan.layers) - 1
    assert measured.layer_outputs[0][0][0].tobytes() == subject.expected[0][0][0]


def test_firmware_that_cannot_compare_is_asked_for_everything(host):
    def without_flag(frame):
        if frame.kind != Kind.HELLO | ANSWER:
            return frame.body
        return frame.body[:9] + bytes((frame.body[9] & ~4,)) + frame.body[10:]

    subject, image, session, client = lying(host, without_flag)
    assert client.info is not None and not client.info.compares
    given = (session, image, subject.package, subject.vectors)
    old = measure(*given, layers=True, expected=subject.expected, client=client)
    new = measure(*given, layers=True, expected=subject.expected, client=open_client(session, image))
    assert old.fetched == VECTORS * len(subject.package.plan.layers) and new.fetched == 0
    assert subject.diffs(old) == subject.diffs(new)
    assert (old.arena_high, old.arena_untouched) == (new.arena_high, new.arena_untouched)
