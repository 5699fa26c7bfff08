"""Quantizes a network by one scheme: layer after layer, each seeing what the quantized ones before it compute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

import numpy as np
import numpy.typing as npt

from harness.compression.rounding import ROWS, adaptive, most_of, nearest, scales_of
from harness.compression.stacks import (
    Floats,
    Stacks,
    activated,
    bias_of,
    columns,
    computed,
    factors,
    forward,
    in_sequence,
    is_matrix,
    linear,
    matrices,
)
from harness.errors import GraphError, VectorsError
from harness.frontends.tflite.origin import ORIGIN
from harness.frontends.tflite.reader import load
from harness.ir.graph import Graph, Node, State
from harness.ir.operators import has, operator_of
from harness.ir.operators.traits import Trait
from harness.ptq.equalise import equalised
from harness.ptq.features import UnlikeFeatures, standardised, unlike_features
from harness.ptq.kinds import AS_THE_SCHEME, Kinds, LayerPlan, floating, planned
from harness.ptq.network import FLOAT, has_form, keeps_state, prepared
from harness.ptq.ranges import rounded
from harness.ptq.rewrite import Constant, written
from harness.ptq.scales import ScalesError, scales, separated
from harness.ptq.scheme import Scheme
from harness.ptq.stateful import dequantized, quantized_layer
from harness.quantization.types import Array, DType, Quantization

_LIVE = 0.02
"""Least share of outputs of a channel that are not cut off by the activation, where its bias is corrected."""

_LARGEST_BIAS = {DType.INT8: 1 << 30, DType.INT16: 1 << 40}
"""By type of the activations: accumulators have 32 and 48 bits. Weights near 0 have no finer scale than that."""


@dataclass(frozen=True, eq=False)
class QuantizedModel:
    """A network that was quantized.

    Attributes:
        scheme: how.
        file: the .tflite file.
        graph: of that file.
        source: the float network that it computes, with the tensors' ids of `graph`'s file.
        plan: the layers that differ from the scheme.
        floats: operators that stay float32, with their numbers.
    """

    scheme: Scheme
    file: bytes
    graph: Graph
    source: Graph
    plan: LayerPlan = AS_THE_SCHEME
    floats: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Floating:
    """A float network with what its tensors become, and all its activations over the data."""

    graph: Graph
    kinds: Kinds
    values: Stacks


class Quantizer:
    """Quantizes one network by several schemes over the same data."""

    def __init__(self, graph: Graph, inputs: Sequence[Array], origin: str = "") -> None:
        """Of a float network and stacks of its inputs: [vectors, *shape]; `origin` says what these are.

        Raises:
            UnsupportedModelError: as of harness.ptq.network.prepared.
        """
        self._graph = graph
        self._inputs = inputs
        self._origin = origin
        self._known: dict[tuple[bool, bool, DType], Floating] = {}

    @cached_property
    def network(self) -> Graph:
        """The float network as it is quantized, whose tensors a LayerPlan names."""
        return prepared(self._graph)

    @cached_property
    def unlike(self) -> list[UnlikeFeatures]:
        """Layers of it whose inputs lose features in 8 bits."""
        return unlike_features(self.network, self._inputs)

    def floats(self, scheme: Scheme, plan: LayerPlan = AS_THE_SCHEME) -> Floating:
        """The float network as a scheme and a plan want it, and all its activations."""
        if plan.wide:  # every such plan has a network of its own, which is not asked for again
            return self._floating(scheme, plan)
        key = scheme.network
        if key not in self._known:
            self._known[key] = self._floating(scheme, plan)
        return self._known[key]

    def _floating(self, scheme: Scheme, plan: LayerPlan) -> Floating:
        network, alike = standardised(self.network, self.unlike if scheme.standardise else ())
        special = floating(network, scheme.activations) | dict.fromkeys(plan.wide, DType.INT16) | alike
        graph, kinds = separated(*planned(network, scheme.activations, special))
        graph = equalised(graph) if scheme.equalise else graph
        return Floating(graph, kinds, _finite(graph, forward(graph, self._inputs)))

    def quantize(self, scheme: Scheme, plan: LayerPlan = AS_THE_SCHEME) -> QuantizedModel:
        """The network by one scheme, but for the layers of a plan.

        Raises:
            UnsupportedModelError: as of harness.ptq.network.prepared.
            ScalesError: the scales that were found break a rule of an operator's integer form.
        """
        made = self.floats(scheme, plan)
        run = _LayerByLayer(made, scheme, plan.narrow)
        network = self.network
        left = Counter(node.op for node in network.nodes if not has_form(network, node, scheme.activations))
        mixed = f" ({len(plan.wide)} layers of 16 bits, {len(plan.narrow)} with weights of 4)" if plan else ""
        note = f"quantized by tinyhil, scheme {scheme.name}{mixed}{self._origin and ', ' + self._origin}"
        metadata = {ORIGIN: note.encode("utf-8", "replace")}
        file = written(made.graph, run.quants, run.constants(), made.kinds, run.states, metadata)
        try:
            graph = load(file, name=self._graph.name)
        except GraphError as error:
            raise ScalesError(
                f"scheme {scheme.name}: {error.message}",
                hint="values before and behind this operator differ too much in size for these integers: try another "
                "scheme, or leave the operator out of the network",
            ) from None
        return QuantizedModel(scheme, file, graph, made.graph, plan, left)


def _finite(graph: Graph, values: Stacks) -> Stacks:
    """The activations, all of which are finite numbers.

    Raises:
        VectorsError: one is not.
    """
    for node in graph.nodes:
        for t in node.outputs:
            if t in values and not np.isfinite(values[t]).all():
                raise VectorsError(
                    f"{node.op} into '{graph.tensors[t].name}' gives what is no finite number on this data",
                    hint="is the data scaled as the network was trained, for instance to 0 to 1?",
                )
    return values


class _LayerByLayer:
    """One network by one scheme."""

    def __init__(self, given: Floating, scheme: Scheme, narrow: frozenset[int]) -> None:
        self._graph, self._kinds, self._floats = given.graph, given.kinds, given.values
        self._scheme, self._narrow = scheme, narrow
        self._constants: dict[int, Constant] = {}
        self.states: dict[int, State] = {}
        self.quants = scales(self._graph, self._floats, scheme.ranges, self._kinds)

    def constants(self) -> dict[int, Constant]:
        """Weights and biases, found layer by layer."""
        values: Stacks = {t: self._rounded(t, self._floats[t]) for t in self._graph.inputs}
        for node in self._graph.nodes:
            if self._is_quantized(node):
                made = [self._layer(node, values)]
            elif keeps_state(node) and self._kinds.of(node.outputs[0]) is not FLOAT:
                made = self._stateful(node, values)
            else:
                made = computed(self._graph, node, values)
            for t, stack in zip(node.outputs, made, strict=True):
                values[t] = self._rounded(t, stack)
        return self._constants

    def _stateful(self, node: Node, values: Stacks) -> list[Array]:
        """The same of a layer that keeps a state."""
        activations = self._kinds.of(node.outputs[0])
        layer = quantized_layer(
            self._graph, node, self._floats, self.quants, activations, by_error=self._scheme.weights_by_error
        )
        self._constants |= layer.constants
        self.states |= layer.states
        return in_sequence(dequantized(self._graph, layer), node, values)

    def _is_quantized(self, node: Node) -> bool:
        """Whether a node has weights that become integers."""
        weighted = has(node, Trait.WEIGHTS) and self._graph.tensors[node.inputs[1]].dtype is FLOAT
        return weighted and self._kinds.of(node.outputs[0]) is not FLOAT

    def _rounded(self, tensor: int, stack: Array) -> Array:
        if tensor not in self.quants:
            return stack
        return rounded(cast(Floats, stack), self.quants[tensor], self._kinds.of(tensor))

    def _bits(self, node: Node) -> int:
        """Of a layer's weights."""
        if not is_matrix(self._graph, node):  # TFLM takes int4 weights of no other layers
            return 8
        return 4 if node.outputs[0] in self._narrow else self._scheme.weight_bits

    def _layer(self, node: Node, values: Stacks) -> Array:
        """Quantizes a layer's weights and bias; what it then computes, before that is quantized."""
        graph = self._graph
        weights = cast(Floats, graph.tensors[node.inputs[1]].data)
        axis = operator_of(node).channel_axis
        assert axis is not None
        x_scale = self.quants[node.inputs[0]].scale
        bias = bias_of(graph, node)
        rows = np.moveaxis(weights, axis, 0).reshape(weights.shape[axis], -1)
        channel_scales = self._weight_scales(node, rows, bias, x_scale)
        whole = self._whole(node, rows, channel_scales, values)
        shape = tuple(np.moveaxis(weights, axis, 0).shape)
        integers = np.moveaxis(whole.reshape(shape), 0, axis)
        real = (whole * channel_scales[:, None].astype(np.float64)).reshape(shape)
        dequantized = np.ascontiguousarray(np.moveaxis(real, 0, axis), np.float32)
        self._keep_weights(node, integers, channel_scales, axis)
        if not is_matrix(graph, node):
            if bias is not None:
                self._keep_bias(node, bias, channel_scales, x_scale)
            return computed(graph, node, values)[0]
        x = cast(Floats, values[node.inputs[0]])
        sums = linear(graph, node, x, dequantized)
        if bias is not None:
            if self._scheme.correct_bias:
                shift = self._mean_error(node, weights, sums)
                bias, sums = bias + shift, sums + shift
            kept = self._keep_bias(node, bias, channel_scales, x_scale)
            sums = sums + (kept - bias)
        return activated(graph, node, sums)

    def _weight_scales(self, node: Node, rows: Floats, bias: Floats | None, x_scale: float) -> Floats:
        """One scale a channel; all the same where the layer has one."""
        rows_alone = len(self._graph.tensors[node.inputs[1]].shape) == 2
        one = not self._scheme.fc_channels if rows_alone else self._scheme.per_tensor
        shaped, most = rows.reshape(1, -1) if one else rows, most_of(self._bits(node))
        found = scales_of(shaped, most, by_error=self._scheme.weights_by_error)
        found = np.repeat(found, len(rows)) if one else found
        if bias is not None:
            least = np.abs(bias) / (x_scale * _LARGEST_BIAS[self._kinds.of(node.inputs[0])])
            found = np.maximum(found, least.max() if one else least).astype(np.float32)
        return found

    def _whole(self, node: Node, rows: Floats, channel_scales: Floats, values: Stacks) -> npt.NDArray[np.float64]:
        """Weights as whole numbers, [channels, weights of a channel]."""
        graph, most = self._graph, most_of(self._bits(node))
        if not self._scheme.adaptive or not is_matrix(graph, node):
            return nearest(rows, channel_scales, most)
        x = cast(Floats, values[node.inputs[0]])
        y = graph.tensors[node.outputs[0]]
        few = max(ROWS // max(y.elements // y.shape[-1], 1), 1)
        if len(x) > few:
            x = x[np.sort(np.random.default_rng(0).choice(len(x), few, replace=False))]
        groups = matrices(graph, node, cast(Floats, graph.tensors[node.inputs[1]].data))
        seen = factors(graph, node, columns(graph, node, x))
        each = groups.shape[1]
        corrected = self._scheme.correct_bias and bias_of(graph, node) is not None
        made = [
            adaptive(matrix, channel_scales[g * each : (g + 1) * each], most, seen[g], centred=corrected)
            for g, matrix in enumerate(groups)
        ]
        return np.concatenate(made)

    def _mean_error(self, node: Node, weights: Floats, sums: Floats) -> Floats:
        """What the layer's outputs lack in the mean, by channel, where the activation does not cut them off.

        Source: Nagel et al. 2019, section 4.2, measured instead of derived.
        """
        wanted = linear(self._graph, node, cast(Floats, self._floats[node.inputs[0]]), weights)
        axes = tuple(range(wanted.ndim - 1))
        low, high = (np.float32(limit) for limit in node.attrs.clamp)  # type: ignore[attr-defined]
        live = ((wanted > low) & (wanted < high)) | ((sums > low) & (sums < high))
        missing = (activated(self._graph, node, wanted) - activated(self._graph, node, sums)) * live
        count = live.sum(axis=axes)
        mean = missing.sum(axis=axes, dtype=np.float64) / np.maximum(count, 1)
        return np.where(live.mean(axis=axes) > _LIVE, mean, 0).astype(np.float32)

    def _keep_weights(self, node: Node, integers: Array, channel_scales: Floats, axis: int) -> None:
        whole = np.ascontiguousarray(integers, np.int8)
        self._constants[node.inputs[1]] = Constant(whole, _of_channels(channel_scales, axis), self._bits(node))

    def _keep_bias(self, node: Node, bias: Floats, channel_scales: Floats, x_scale: float) -> Floats:
        """Keeps the bias as integers; returns what they stand for."""
        wide = self._kinds.of(node.inputs[0]) is DType.INT16
        real = channel_scales.astype(np.float64) * np.float64(np.float32(x_scale))
        whole = np.round(bias.astype(np.float64) / real)
        made = whole.astype(np.int64 if wide else np.int32)
        self._constants[node.inputs[2]] = Constant(made, _of_channels(real.astype(np.float32), 0))
        return (whole * real).astype(np.float32)


def _of_channels(channel_scales: Floats, axis: int) -> Quantization:
    """A scale for each slice along `axis`; one where all are the same."""
    one = len(set(channel_scales.tolist())) == 1
    kept = channel_scales[:1] if one else channel_scales
    return Quantization(tuple(float(s) for s in kept), (0,) * len(kept), None if one else axis)
