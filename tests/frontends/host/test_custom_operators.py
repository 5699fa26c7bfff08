"""Custom operators of a .tflite: known by their names, with options in FlexBuffers that may be damaged."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from flatbuffers import flexbuffers

from harness.errors import TinyhilError
from harness.frontends.tflite import reader as tflite
from harness.frontends.tflite import serialize as writing
from harness.frontends.tflite.serialize import SubgraphDraft, TensorDraft, serialize
from harness.ir.operators.signal_fft import FftAttrs
from harness.ir.operators.signal_filter_bank import SubtractionAttrs
from harness.ir.operators.tflite import OperatorDraft
from harness.ir.verifier import verify
from tests.support.draft import Draft
from tests.support.generated import random_graph

OPTIONS = {"T": 7, "fft_length": 16}


def transform(options: Mapping[str, int | bool] | None = None, kind: str = "int16", op: str = "SignalRfft") -> bytes:
    main = SubgraphDraft("main", (0,), (1,), [TensorDraft("x", (9,), kind), TensorDraft("y", (18,), kind)])
    main.operators.append(OperatorDraft(op, (0,), (1,), custom=OPTIONS if options is None else options))
    return serialize([main])


def test_options_become_attributes() -> None:
    (node,) = tflite.load(transform()).nodes
    assert node.op == "SignalRfft" and node.attrs == FftAttrs(16)


def test_states_that_no_tensor_is_belong_to_the_operator() -> None:
    graph = random_graph(np.random.default_rng(1), "SignalFilterBankSpectralSubtraction")
    read = tflite.load(graph.model)
    node = read.nodes[-1]
    assert isinstance(node.attrs, SubtractionAttrs) and node.attrs == graph.nodes[-1].attrs
    assert [(s.initial.shape, s.dtype) for s in read.states] == [(s.initial.shape, s.dtype) for s in graph.states]
    assert len(node.states) == 1


def test_two_operators_of_one_kind_keep_states_apart() -> None:
    from tests.support.builders.signal import delay

    draft = Draft(np.random.default_rng(2))
    first = delay(draft)
    read = tflite.load(draft.finish("two", (delay(draft, first),)).model)
    assert sorted(i for node in read.nodes for i in node.states) == [0, 1]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (transform({"T": 7}), "options T, not T, fft_length"),
        (transform({**OPTIONS, "more": 1}), "options T, fft_length, more, not T, fft_length"),
        (transform({}), "options none, not T, fft_length"),
        (transform({**OPTIONS, "T": 0}), "type T 0 that is not its input's"),
        (transform({**OPTIONS, "fft_length": 20}), "length of 20, which is no power of two"),
        (transform({**OPTIONS, "fft_length": 8}), "transforms 9 numbers, more than its length of 8"),
        (transform(kind="int8"), "int8 activations"),
    ],
)
def test_what_is_not_compiled_is_refused_by_name(data: bytes, told: str) -> None:
    with pytest.raises(TinyhilError) as caught:
        tflite.load(data)
    assert told in caught.value.message and "SignalRfft" in caught.value.message + caught.value.hint


def test_an_unknown_custom_operator_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    known = transform()
    assert known.count(b"SignalRfft") == 1
    with pytest.raises(TinyhilError, match="custom operator 'SignalRff7'"):
        tflite.load(known.replace(b"SignalRfft", b"SignalRff7"))


def encoded(build: object) -> bytes:
    builder = flexbuffers.Builder()
    build(builder)  # type: ignore[operator]
    return bytes(builder.Finish())


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (encoded(lambda b: b.Int(5)), "options that are no map"),
        (encoded(lambda b: b.MapFromElements({"T": 7, "fft_length": 1.5})), "the option 'fft_length' that is no int"),
        (encoded(lambda b: b.MapFromElements({"T": 7, "fft_length": {"a": 1}})), "'fft_length' that is no number"),
        (encoded(lambda b: b.MapFromElements({"T": 7, "fft_length": [1, 2]})), "'fft_length' that is no number"),
        (b"\x00", "custom options that are no FlexBuffer"),
        (b"\xff" * 40, "custom options that are no FlexBuffer"),
        (b"\x00" * 5000, "5000 bytes of custom options"),
    ],
)
def test_options_of_another_form_are_told(options: bytes, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "flexible", lambda _: options)
    with pytest.raises(TinyhilError, match=told):
        tflite.load(transform())


def test_damaged_options_are_never_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every byte of the options, and every length, replaced."""
    whole = writing.flexible(OPTIONS)
    damaged = [whole[:n] for n in range(len(whole))]
    damaged += [whole[:i] + bytes([value]) + whole[i + 1 :] for i in range(len(whole)) for value in range(0, 256, 3)]
    refused = 0
    for options in damaged:
        monkeypatch.setattr(writing, "flexible", lambda _, options=options: options)
        try:
            verify(tflite.load(transform()))
        except TinyhilError:
            refused += 1
    assert refused > len(damaged) / 2
