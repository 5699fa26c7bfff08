"""A network in training as a list of layers, without its weights: what steps rewrite, and what is written as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias, get_args

from harness.errors import GraphError

Kind: TypeAlias = Literal[
    "conv", "norm", "relu", "relu6", "dense", "max_pool", "avg_pool", "global_pool", "flatten", "add"
]
KINDS: tuple[Kind, ...] = get_args(Kind)
Shape: TypeAlias = tuple[int, ...]
"""(channels, height, width), or (features,)."""

PICTURE = -1
"""Number of the layer that is the network's input."""


@dataclass(frozen=True)
class SpecLayer:
    """One layer.

    Attributes:
        name: unique within its network; its weights are `name.weight` ...
        kind: what it computes.
        inputs: numbers of the layers that it reads, or PICTURE.
        outputs: channels that a conv or dense makes.
        kernel, stride, dilation: (rows, columns) of a conv or pooling.
        pads: (top, bottom, left, right) of a conv or pooling.
        groups: of a conv: 1, or as many as it has inputs and outputs (depthwise).
        bias: whether a conv or dense has one.
    """

    name: str
    kind: Kind
    inputs: tuple[int, ...]
    outputs: int = 0
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    groups: int = 1
    bias: bool = True

    @property
    def is_depthwise(self) -> bool:
        """Whether every channel is computed from the one of its number."""
        return self.kind == "conv" and self.groups > 1

    @property
    def mixes(self) -> bool:
        """Whether it makes channels of its own, from all that it reads."""
        return self.kind == "dense" or (self.kind == "conv" and self.groups == 1)


@dataclass(frozen=True)
class NetworkSpec:
    """Layers in the order in which they run; the last one's output is the network's.

    Attributes:
        shape: (height, width, channels) of a picture.
        layers: each reads earlier ones.
    """

    shape: tuple[int, int, int]
    layers: tuple[SpecLayer, ...]

    def shapes(self) -> tuple[Shape, ...]:
        """Of each layer's output.

        Raises:
            GraphError: a layer does not fit what it reads.
        """
        height, width, channels = self.shape
        found: list[Shape] = []
        for number, layer in enumerate(self.layers):
            if not all(PICTURE <= i < number for i in layer.inputs) or not layer.inputs:
                raise _misfit(layer, "reads no earlier layer")
            read = [(channels, height, width) if i == PICTURE else found[i] for i in layer.inputs]
            found.append(_shape(layer, read))
        return tuple(found)

    def readers(self) -> Mapping[int, tuple[int, ...]]:
        """Numbers of the layers that read each layer, and the picture."""
        found: dict[int, tuple[int, ...]] = {i: () for i in range(PICTURE, len(self.layers))}
        for number, layer in enumerate(self.layers):
            for i in dict.fromkeys(layer.inputs):
                found[i] += (number,)
        return found

    def channels_into(self, layer: SpecLayer) -> int:
        """Channels, or features, that a layer reads."""
        first = layer.inputs[0]
        return self.shape[2] if first == PICTURE else self.shapes()[first][0]

    def document(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {"shape": list(self.shape), "layers": [asdict(layer) for layer in self.layers]}


def spec_from(document: Mapping[str, Any]) -> NetworkSpec:
    """The inverse of NetworkSpec.document."""

    def layer(row: Mapping[str, Any]) -> SpecLayer:
        given: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
        return SpecLayer(**given)

    height, width, channels = document["shape"]
    return NetworkSpec((height, width, channels), tuple(layer(row) for row in document["layers"]))


def _shape(layer: SpecLayer, read: Sequence[Shape]) -> Shape:
    first = read[0]
    if layer.kind == "add":
        if any(shape != first for shape in read):
            raise _misfit(layer, f"adds {' and '.join(str(shape) for shape in read)}")
        return first
    if layer.kind in ("relu", "relu6", "norm"):
        return first
    if layer.kind == "dense":
        if len(first) != 1:
            raise _misfit(layer, f"reads {first}, which is not flat")
        return (layer.outputs,)
    if layer.kind == "flatten":
        return (first[0] * first[1] * first[2],) if len(first) == 3 else first
    if len(first) != 3:
        raise _misfit(layer, f"reads {first}, no picture")
    if layer.kind == "global_pool":
        return first[:1]
    if layer.groups > 1 and not layer.groups == first[0] == layer.outputs:
        raise _misfit(layer, f"has {layer.groups} groups of {first[0]} channels into {layer.outputs}")
    rows, columns = (_windows(layer, axis, first[1 + axis]) for axis in (0, 1))
    return (layer.outputs if layer.kind == "conv" else first[0], rows, columns)


def _windows(layer: SpecLayer, axis: int, size: int) -> int:
    reach = (layer.kernel[axis] - 1) * layer.dilation[axis] + 1
    room = size + layer.pads[2 * axis] + layer.pads[2 * axis + 1] - reach
    if room < 0:
        raise _misfit(layer, f"has a window of {reach}, larger than its picture of {size}")
    return room // layer.stride[axis] + 1


def _misfit(layer: SpecLayer, what: str) -> GraphError:
    return GraphError(f"layer '{layer.name}' ({layer.kind}) {what}", hint="check what the layer reads, and its sizes")
