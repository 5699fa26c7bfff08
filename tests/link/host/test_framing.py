"""Frames survive any content, and the decoder any bytes."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.link.framing import FRAME_LIMIT, Damage, Frame, FrameDecoder, cobs_decode, cobs_encode, encode, kind_name
from harness.link.wire import Kind


@given(st.binary(max_size=800))
def test_cobs_is_undone_and_has_no_zero(data):
    coded = cobs_encode(data)
    assert 0 not in coded
    assert cobs_decode(coded) == data


@pytest.mark.parametrize("size", [253, 254, 255, 507, 508, 509, 762])
@pytest.mark.parametrize("tail", [b"", b"\0", b"\0\0", b"a\0"])
def test_cobs_at_block_ends(size, tail):
    data = b"x" * size + tail
    assert cobs_decode(cobs_encode(data)) == data
    assert len(cobs_encode(data)) <= len(data) + 1 + len(data) // 254


def test_cobs_refuses_a_block_that_is_cut():
    assert cobs_decode(b"\x05ab") is None


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 65535), st.binary(max_size=300)), max_size=5), st.data())
def test_frames_come_through_in_any_pieces(frames, data):
    line = b"".join(encode(*frame) for frame in frames)
    decoder = FrameDecoder()
    got = []
    while line:
        size = data.draw(st.integers(1, len(line)))
        got += decoder.feed(line[:size])
        line = line[size:]
    assert got == [Frame(*frame) for frame in frames]


@given(st.binary(min_size=1, max_size=200), st.integers(0, 10_000), st.integers(0, 7))
def test_a_flipped_bit_never_gives_another_frame(body, where, bit):
    line = bytearray(encode(Kind.READ, 7, body))
    line[where % len(line)] ^= 1 << bit
    events = list(FrameDecoder().feed(bytes(line) + b"\0"))
    assert events
    for event in events:
        assert isinstance(event, Damage) or event == Frame(Kind.READ, 7, body)


def test_a_frame_behind_garbage_is_found():
    rng = random.Random(1)
    decoder = FrameDecoder()
    events = list(decoder.feed(rng.randbytes(100_000)))
    assert events and all(isinstance(event, Damage) for event in events)
    assert [e for e in decoder.feed(encode(Kind.HELLO, 1, b"abc")) if isinstance(e, Frame)] == [Frame(1, 1, b"abc")]


def test_a_frame_without_end_takes_bounded_memory():
    decoder = FrameDecoder()
    for _ in range(50):
        assert not list(decoder.feed(b"\x11" * 50_000))
    assert 0 < decoder.held <= FRAME_LIMIT
    assert list(decoder.feed(b"\0")) == [Damage(2_500_000)]
    assert list(decoder.feed(encode(Kind.HELLO, 1))) == [Frame(1, 1, b"")]


def test_answers_have_names_and_collide_with_no_other_frame():
    kinds = list(Kind)
    answers = {kind | 0x80 for kind in kinds if kind < 0x80}
    assert not answers & set(kinds)
    assert kind_name(0x87) == "READ answer"
    assert kind_name(0x55) == "type 0x55"
