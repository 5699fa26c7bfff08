"""Reading what a model in the image is: its facts, and tables of tensors and layers that come a frame at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from harness.errors import ProtocolError
from harness.link.claims import ModelClaims
from harness.link.limits import MOST_BYTES, MOST_LAYERS, MOST_TENSORS, check_claim
from harness.link.records import Fields, LayerInfo, ModelInfo
from harness.link.wire import ModelTable

Ask: TypeAlias = Callable[[bytes], bytes]
"""Sends the body of a MODEL request and returns what it answers."""

_WHAT = "the answer to MODEL"


def read_model(ask: Ask, index: int, expected: ModelClaims | None = None) -> ModelInfo:
    """All that the device tells of model `index`; it is asked no further where that is not what is expected.

    Raises:
        DeviceRefusedError: there is no such model.
        ProtocolError: the tables end before they are whole, or claim more than any model has.
        WrongImageError: they tell of another model than the one expected.
    """
    fields = _table(ask, index, ModelTable.FACTS, 0)
    sha256 = fields.take(32).hex()
    arena_size, arena_align, inputs, outputs, layers = (fields.number(4) for _ in range(5))
    check_claim(arena_size, MOST_BYTES, "bytes of arena")
    name = fields.text()
    if expected is not None:
        expected.check_facts(index, name, sha256, arena_size, (inputs, outputs, layers))
    model = ModelInfo(
        index=index,
        name=name,
        sha256=sha256,
        arena_size=arena_size,
        arena_align=arena_align,
        inputs=_sizes(ask, index, ModelTable.INPUTS, inputs),
        outputs=_sizes(ask, index, ModelTable.OUTPUTS, outputs),
        layers=_layers(ask, index, layers),
    )
    if expected is not None:
        expected.check_sizes(model)
    return model


def _table(ask: Ask, index: int, table: int, first: int) -> Fields:
    return Fields(ask(index.to_bytes(2, "little") + bytes((table,)) + first.to_bytes(4, "little")), _WHAT)


def _sizes(ask: Ask, index: int, table: int, count: int) -> tuple[int, ...]:
    sizes: list[int] = []
    while len(sizes) < count:
        fields = _table(ask, index, table, len(sizes))
        _some(fields, len(sizes), count, "tensors")
        check_claim(count, MOST_TENSORS, "inputs" if table == ModelTable.INPUTS else "outputs")
        while fields.left:
            sizes.append(fields.number(4))
    check_claim(sum(sizes), MOST_BYTES, "bytes of tensors")
    return tuple(sizes[:count])


def _layers(ask: Ask, index: int, count: int) -> tuple[LayerInfo, ...]:
    layers: list[LayerInfo] = []
    while len(layers) < count:
        fields = _table(ask, index, ModelTable.LAYERS, len(layers))
        _some(fields, len(layers), count, "layers")
        check_claim(count, MOST_LAYERS, "layers")
        while fields.left:
            name = fields.text()
            written = fields.number(2)
            check_claim(written, MOST_TENSORS, "outputs of a layer")
            layer = LayerInfo(name, tuple(fields.number(4) for _ in range(written)))
            check_claim(sum(layer.outputs), MOST_BYTES, "bytes of a layer's outputs")
            layers.append(layer)
    return tuple(layers[:count])


def _some(fields: Fields, got: int, count: int, what: str) -> None:
    if fields.left == 0:
        raise ProtocolError(f"the device names {got} of {count} {what}", hint="build the firmware anew")
