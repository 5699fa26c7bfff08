"""The step `project`: convolutions and fully connected layers through fewer channels, as their spectrum allows.

A layer y = Wx + b, with outputs that vary along few directions U (the leading eigenvectors of their covariance), is
replaced by two: z = U'Wx, and y = Uz + b + (1 - UU')(mean of Wx). Source: the projection of principal components, as
of Jolliffe 2002, section 2; the outputs are those of pictures, so that directions that never occur cost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from harness.errors import RecipeError
from harness.recipes.entries import ProjectEntry
from harness.recipes.held import held
from harness.recipes.measured import PICTURES, loss
from harness.recipes.surgery import replaced
from harness.recipes.workshop import Workshop
from harness.training.data import TrainingData
from harness.training.layers import SpecLayer
from harness.training.loop import to_torch
from harness.training.network import TorchNetwork, with_weights
from harness.training.plan import TrainingPlan
from harness.training.torch_extra import torch

PLAN = TrainingPlan(epochs=2, learning_rate=0.05)

_LEAST_DAMAGE = 1e-6


@dataclass(frozen=True)
class Projection:
    """A layer as two.

    Attributes:
        layer: its name.
        rank: channels between the two.
        energy: share of the outputs' variance that is kept.
        damage: how much the loss rises, before any fine-tuning.
        weights, cycles: that are saved.
    """

    layer: str
    rank: int
    energy: float
    damage: float
    weights: int
    cycles: int


def project(network: TorchNetwork, entry: ProjectEntry, shop: Workshop) -> TorchNetwork:
    """The network with large layers as two smaller ones each; a share of cycles is that of int8 with the weights that
    come out.

    Raises:
        RecipeError: the share cannot be reached.
    """

    def trained(name: str, share: ProjectEntry) -> TorchNetwork:
        return shop.trained(name, projected(network, share, shop), entry.train.plan(PLAN))

    def make() -> TorchNetwork:
        made = trained("projected", entry)
        if entry.cycles is None:
            return made

        def further(more: TorchNetwork, share: float, again: int) -> TorchNetwork:
            left = share * shop.cost(more).cycles / shop.cost(network).cycles
            return trained(f"projected-again-{again}", entry.model_copy(update={"cycles": left}))

        return held("project", made, entry.cycles * shop.measured_cycles(network)[0], shop, further)

    return shop.kept("projected", make)


def projected(network: TorchNetwork, entry: ProjectEntry, shop: Workshop) -> TorchNetwork:
    """The same without fine-tuning.

    Raises:
        RecipeError: the share cannot be reached.
    """
    spectra = {layer.name: Spectrum(network, layer, shop.data) for layer in large_layers(network, entry.large)}
    options = [one for name in spectra for one in _options(network, spectra[name], entry, shop)]
    chosen: dict[str, Projection] = {}
    while not _is_reached(network, chosen, spectra, entry, shop):
        saved = {name: _saved(one, entry) for name, one in chosen.items()}
        better = [one for one in options if _saved(one, entry) > saved.get(one.layer, 0)]
        if not better:
            raise RecipeError(
                "project: the share is not reached with the fewest channels that keep the energy",
                hint="a lower energy, more layers (large: 0), or a larger share",
            )
        best = max(better, key=lambda one: _worth(one, chosen.get(one.layer), entry))
        chosen[best.layer] = best
    for one in chosen.values():
        shop.said.append(f"{one.layer} through {one.rank} channels, {one.energy:.1%} of the variance")
    return _all(network, chosen, spectra)


def large_layers(network: TorchNetwork, share: float) -> list[SpecLayer]:
    """Layers that mix channels and have such a share of all weights."""
    weighted = [layer for layer in network.spec.layers if layer.kind in ("conv", "dense")]
    sizes = {layer.name: network.part(layer).weight.numel() for layer in weighted}
    return [layer for layer in weighted if layer.mixes and sizes[layer.name] >= share * sum(sizes.values())]


class Spectrum:
    """The directions along which a layer's outputs vary, the most first."""

    def __init__(self, network: TorchNetwork, layer: SpecLayer, data: TrainingData) -> None:
        self.layer = layer
        part = network.part(layer)
        rows = self._outputs(network, layer, data)
        self._bias = np.zeros(layer.outputs) if part.bias is None else part.bias.detach().numpy().astype(np.float64)
        self._mean = rows.mean(axis=0) - self._bias
        values, vectors = np.linalg.eigh(np.cov(rows, rowvar=False))
        self._values, self._vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]

    @staticmethod
    def _outputs(network: TorchNetwork, layer: SpecLayer, data: TrainingData) -> Any:
        """[values, channels] over some pictures."""
        seen: dict[str, Any] = {}

        def observe(name: str, values: Any) -> Any:
            if name == layer.name:
                seen[name] = values
            return values

        before, network.observe = network.observe, observe
        with torch.no_grad():
            network(to_torch(data.train_x[:PICTURES]))
        network.observe = before
        made = seen[layer.name]
        return made.movedim(1, -1).reshape(-1, made.shape[1]).numpy().astype(np.float64)

    def energy(self, rank: int) -> float:
        """Share of the variance along the first directions."""
        return float(self._values[:rank].sum() / max(self._values.sum(), 1e-30))

    def split(self, network: TorchNetwork, rank: int) -> tuple[tuple[SpecLayer, SpecLayer], dict[str, Any]]:
        """The two layers, and their weights by name."""
        layer, part = self.layer, network.part(self.layer)
        weights = part.weight.detach().numpy().astype(np.float64)
        directions = self._vectors[:, :rank]
        first = (directions.T @ weights.reshape(len(weights), -1)).reshape(rank, *weights.shape[1:])
        last = directions.reshape(*directions.shape, *[1] * (weights.ndim - 2))
        rest = self._mean - directions @ (directions.T @ self._mean) + self._bias
        names = f"{layer.name}_in", f"{layer.name}_out"
        one = replace(layer, name=names[0], outputs=rank, bias=False)
        other = replace(
            layer, name=names[1], kernel=(1, 1), stride=(1, 1), dilation=(1, 1), pads=(0, 0, 0, 0), bias=True
        )
        made = {f"{names[0]}.weight": first, f"{names[1]}.weight": last, f"{names[1]}.bias": rest}
        return (one, other), {key: torch.from_numpy(np.ascontiguousarray(v, np.float32)) for key, v in made.items()}


def _options(network: TorchNetwork, spectrum: Spectrum, entry: ProjectEntry, shop: Workshop) -> list[Projection]:
    """What a layer could be projected on, where that saves weights, or cycles where these count."""
    layer, found = spectrum.layer, []
    inputs = network.part(layer).weight[0].numel()
    before, cycles = loss(network, shop.data), shop.cost(network).cycles
    for rank in range(entry.multiple, layer.outputs, entry.multiple):
        energy = spectrum.energy(rank)
        saved = inputs * layer.outputs - rank * (inputs + layer.outputs)
        if saved <= 0 or energy < entry.energy:
            continue
        made = as_two(network, spectrum, rank)
        faster = cycles - shop.cost(made).cycles
        one = Projection(layer.name, rank, energy, max(loss(made, shop.data) - before, _LEAST_DAMAGE), saved, faster)
        if _saved(one, entry) > 0:
            found.append(one)
    return found


def _saved(one: Projection, entry: ProjectEntry) -> int:
    return one.weights if entry.weights is not None else one.cycles


def _worth(one: Projection, before: Projection | None, entry: ProjectEntry) -> float:
    """What more it saves for more damage than what was chosen before."""
    if before is None:
        return _saved(one, entry) / one.damage
    return (_saved(one, entry) - _saved(before, entry)) / max(one.damage - before.damage, _LEAST_DAMAGE)


def _is_reached(
    network: TorchNetwork,
    chosen: dict[str, Projection],
    spectra: dict[str, Spectrum],
    entry: ProjectEntry,
    shop: Workshop,
) -> bool:
    if entry.weights is not None:
        whole = sum(int(network.part(name).weight.numel()) for name in spectra)
        return whole - sum(one.weights for one in chosen.values()) <= entry.weights * whole
    assert entry.cycles is not None
    return shop.cost(_all(network, chosen, spectra)).cycles <= entry.cycles * shop.cost(network).cycles


def _all(network: TorchNetwork, chosen: dict[str, Projection], spectra: dict[str, Spectrum]) -> TorchNetwork:
    for name in chosen:
        network = as_two(network, spectra[name], chosen[name].rank)
    return network


def as_two(network: TorchNetwork, spectrum: Spectrum, rank: int) -> TorchNetwork:
    """The network with one layer as two."""
    layers, weights = spectrum.split(network, rank)
    names: Sequence[str] = [layer.name for layer in network.spec.layers]
    spec = replaced(network.spec, names.index(spectrum.layer.name), layers)
    state = {key: v for key, v in network.state_dict().items() if not key.startswith(f"parts.{spectrum.layer.name}.")}
    return with_weights(spec, state | {f"parts.{key}": v for key, v in weights.items()})
