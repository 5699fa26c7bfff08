"""The step `quantize`: fine-tunes a network whose weights and activations are rounded as int8 rounds them.

Batch norms are folded first. Weights have a scale a channel (of fully connected layers one), as harness.ptq finds it;
activations have the scales and zero points that harness.ptq finds for this network. Gradients go through the rounding
as if it were none, and not through what is cut off. Source: Jacob et al. 2018, section 3.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.recipes.entries import QuantizeEntry
from harness.recipes.workshop import Workshop
from harness.training.export import int8_model, norm_factors
from harness.training.layers import PICTURE, NetworkSpec, SpecLayer
from harness.training.network import TorchNetwork, with_weights
from harness.training.plan import TrainingPlan
from harness.training.torch_extra import nn, torch

PLAN = TrainingPlan(epochs=1, learning_rate=0.002, schedule="cosine", weight_decay=0.0)
NEAREST = "min-max"
"""The scheme that rounds as the fine-tuning does."""

_MOST = 127


def quantize(network: TorchNetwork, entry: QuantizeEntry, shop: Workshop) -> TorchNetwork:
    """The network without batch norms, fine-tuned for int8."""

    def make() -> TorchNetwork:
        made = folded(network)
        with Rounded(made, activation_steps(made, shop)):
            shop.trained("rounded", made, entry.train.plan(PLAN))
        made.eval()
        return made

    return shop.kept("rounded", make)


def activation_steps(network: TorchNetwork, shop: Workshop) -> dict[str, tuple[float, int]]:
    """(scale, zero point) of each layer's output that int8 holds, by its name; of the picture by ""."""
    graph = int8_model(network, shop.data, scheme=NEAREST).graph
    names = {layer.name for layer in network.spec.layers}
    found = {
        tensor.name: (tensor.q.scale, tensor.q.zero_point)
        for tensor in graph.tensors
        if tensor.data is None and tensor.quant is not None and tensor.name in names
    }
    picture = graph.tensors[graph.inputs[0]].q
    return {**found, "": (picture.scale, picture.zero_point)}


class Rounded:
    """In the block a network computes with weights and activations as int8 has them."""

    def __init__(self, network: TorchNetwork, steps: dict[str, tuple[float, int]]) -> None:
        self._network, self._steps = network, steps

    def __enter__(self) -> TorchNetwork:
        from torch.nn.utils import parametrize

        for layer, part in _weighted(self._network):
            parametrize.register_parametrization(part, "weight", _Weights(layer.kind == "dense"))
        self._network.observe = self._activation
        return self._network

    def __exit__(self, *_: object) -> None:
        from torch.nn.utils import parametrize

        for _layer, part in _weighted(self._network):
            parametrize.remove_parametrizations(part, "weight", leave_parametrized=False)
        self._network.observe = None

    def _activation(self, name: str, values: Any) -> Any:
        if name not in self._steps:
            return values
        scale, zero_point = self._steps[name]
        return torch.fake_quantize_per_tensor_affine(values, scale, zero_point, -128, 127)


class _Weights(nn.Module):  # type: ignore[misc]
    """Weights rounded to 8 bits."""

    def __init__(self, one_scale: bool) -> None:
        super().__init__()
        self._one_scale = one_scale

    def forward(self, weights: Any) -> Any:
        sizes = weights.detach().abs().flatten(1).amax(dim=1)
        if self._one_scale:
            sizes = sizes.max().expand(len(weights))
        scales = (sizes / _MOST).clamp_min(1e-12)
        zeros = torch.zeros(len(weights), dtype=torch.int32)
        return torch.fake_quantize_per_channel_affine(weights, scales, zeros, 0, -_MOST, _MOST)


def _weighted(network: TorchNetwork) -> list[tuple[SpecLayer, Any]]:
    return [(layer, network.part(layer)) for layer in network.spec.layers if layer.kind in ("conv", "dense")]


def folded(network: TorchNetwork) -> TorchNetwork:
    """The same network without batch norms: they are in the weights of the layers before them."""
    spec, state = network.spec, dict(network.state_dict())
    readers = spec.readers()
    moved: dict[int, int] = {PICTURE: PICTURE}
    layers: list[SpecLayer] = []
    for number, layer in enumerate(spec.layers):
        if layer.kind != "norm":
            layers.append(replace(layer, inputs=tuple(moved[i] for i in layer.inputs)))
            moved[number] = len(layers) - 1
            continue
        before = moved[number] = moved[layer.inputs[0]]
        assert len(readers[layer.inputs[0]]) == 1 and layers[before].kind in ("conv", "dense")
        layers[before] = replace(layers[before], bias=True)
        _fold(network, layers[before], layer, state)
    return with_weights(NetworkSpec(spec.shape, tuple(layers)), state)


def _fold(network: TorchNetwork, layer: SpecLayer, norm: SpecLayer, state: dict[str, Any]) -> None:
    """Puts a norm's factors into a layer's weights."""
    factor, summand = norm_factors(network.part(norm))
    part = network.part(layer)
    weights = part.weight.detach().numpy()
    bias = 0.0 if part.bias is None else part.bias.detach().numpy()
    shape = (-1, *[1] * (weights.ndim - 1))
    for key in [key for key in state if key.startswith(f"parts.{norm.name}.")]:
        del state[key]
    state[f"parts.{layer.name}.weight"] = torch.tensor(weights * factor.reshape(shape), dtype=torch.float32)
    state[f"parts.{layer.name}.bias"] = torch.tensor(bias * factor + summand, dtype=torch.float32)
