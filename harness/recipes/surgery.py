"""Takes channels out of a network: which layers share channels, and the same network without some of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from harness.training.layers import PICTURE, NetworkSpec, SpecLayer
from harness.training.network import TorchNetwork, with_weights
from harness.training.torch_extra import torch


@dataclass(frozen=True)
class ChannelGroup:
    """Channels that several layers share: taking one out of one takes it out of all.

    Attributes:
        size: number of channels.
        members: layers whose outputs have them.
        readers: layers that mix them, with the values that each channel has there (pixels of a flattened picture).
    """

    size: int
    members: tuple[int, ...]
    readers: tuple[tuple[int, int], ...]


def groups_of(spec: NetworkSpec) -> tuple[ChannelGroup, ...]:
    """The groups of channels that can be taken out: neither the picture's nor the outputs'."""
    shapes = spec.shapes()
    root = {PICTURE: PICTURE} | {i: i for i in range(len(spec.layers))}

    def first(i: int) -> int:
        while root[i] != i:
            i = root[i]
        return i

    for number, layer in enumerate(spec.layers):
        if not layer.mixes and layer.kind != "flatten":
            for i in layer.inputs:
                one, other = sorted((first(i), first(number)))
                root[other] = one
    spaces: dict[int, list[int]] = {}
    for number in range(len(spec.layers)):
        spaces.setdefault(first(number), []).append(number)
    fixed = {first(PICTURE), first(len(spec.layers) - 1)}
    found = []
    for space, members in spaces.items():
        if space in fixed or spec.layers[space].kind == "flatten":
            continue
        readers = _mixers(spec, members)
        if readers is not None:
            found.append(ChannelGroup(shapes[space][0], tuple(members), readers))
    return tuple(found)


def _mixers(spec: NetworkSpec, members: Sequence[int]) -> tuple[tuple[int, int], ...] | None:
    """Layers that mix the channels of some layers; None where a flattened one is not read by dense layers alone."""
    shapes, readers = spec.shapes(), spec.readers()
    found: list[tuple[int, int]] = []
    for member in members:
        for number in readers[member]:
            if spec.layers[number].mixes:
                found.append((number, 1))
            elif spec.layers[number].kind == "flatten":
                pixels = prod(shapes[member][1:])
                found += [(after, pixels) for after in readers[number]]
                if not all(spec.layers[after].kind == "dense" for after in readers[number]):
                    return None
    return tuple(dict.fromkeys(found))


def without(network: TorchNetwork, group: ChannelGroup, keep: Sequence[int]) -> TorchNetwork:
    """The network with only some channels of a group, in evaluation mode; the others' weights are gone."""
    spec, state = network.spec, dict(network.state_dict())
    kept = torch.tensor(sorted(keep))
    layers = list(spec.layers)
    for number in group.members:
        layer = layers[number]
        if layer.kind in ("conv", "dense"):
            groups = len(keep) if layer.is_depthwise else 1
            layers[number] = replace(layer, outputs=len(keep), groups=groups)
        for key in _parts(state, layer):
            if state[key].ndim:  # all but the count of batches
                state[key] = state[key][kept]
    for number, pixels in group.readers:
        key = f"parts.{layers[number].name}.weight"
        columns = (kept[:, None] * pixels + torch.arange(pixels)).reshape(-1)
        state[key] = state[key][:, columns]
    return with_weights(NetworkSpec(spec.shape, tuple(layers)), {k: v.clone() for k, v in state.items()})


def _parts(state: Mapping[str, Any], layer: SpecLayer) -> list[str]:
    start = f"parts.{layer.name}."
    return [key for key in state if key.startswith(start)]


def scaled(spec: NetworkSpec, width: float, multiple: int) -> NetworkSpec:
    """The same layers with so many times the channels, rounded to multiples; pictures and outputs stay."""
    layers = list(spec.layers)
    for group in groups_of(spec):
        size = max(round(group.size * width / multiple), 1) * multiple
        for number in group.members:
            layer = layers[number]
            if layer.kind in ("conv", "dense"):
                layers[number] = replace(layer, outputs=size, groups=size if layer.is_depthwise else 1)
    return NetworkSpec(spec.shape, tuple(layers))


def replaced(spec: NetworkSpec, number: int, layers: Sequence[SpecLayer]) -> NetworkSpec:
    """The spec with one layer replaced by a chain: the first reads what it read, the last is read in its place.

    Inputs of the chain's layers are set here.
    """
    more = len(layers) - 1
    moved = {i: i if i < number else i + more for i in range(PICTURE, len(spec.layers))}
    made = [replace(layer, inputs=tuple(moved[i] for i in layer.inputs)) for layer in spec.layers]
    chain = [
        replace(layer, inputs=made[number].inputs if place == 0 else (number + place - 1,))
        for place, layer in enumerate(layers)
    ]
    return NetworkSpec(spec.shape, (*made[:number], *chain, *made[number + 1 :]))
