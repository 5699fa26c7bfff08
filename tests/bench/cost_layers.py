"""Generated layers of the sizes that networks have, to profile a kernel on.

    graph = layers_for([ConvS8LineDsp()], Target("cortex-m4"), 16, np.random.default_rng(0))

A graph holds many layers side by side, each with inputs and outputs of its own: one run profiles them all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import TypeAlias

import numpy as np

from harness.compiler.choice import applicable
from harness.errors import GraphError
from harness.hardware.target import Target
from harness.ir.activations import activation_clamp
from harness.ir.graph import Graph, NoAttrs, State
from harness.ir.operators import OPERATORS
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.detection import DetectionAttrs
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.operators.mean import MeanAttrs
from harness.ir.operators.traits import Trait
from harness.ir.verifier import verify
from harness.ir.window import ConvAttrs, Pads, PoolAttrs, same_pads
from harness.kernels.base import Kernel
from harness.kernels.context import Context
from harness.quantization.types import DType, Quantization, Rounding
from tests.support.builders import BUILDERS
from tests.support.builders.lstm import lstm
from tests.support.builders.svdf import svdf
from tests.support.draft import Draft, Few, Rng, chance, pick
from tests.support.few_values import few_values

Pair: TypeAlias = tuple[int, int]

LARGEST = 9000
"""Bytes of a tensor."""
MOST_MACS, FEWEST_MACS = 200_000, 500
TRIES = 60
"""Layers drawn for each that is wanted, before a kernel is taken to have no more."""
EACH = 6
"""Layers that every loop is seen in, where there are as many."""
AT_ONCE = 72
"""Layers of a graph."""


def layers_for(
    kernels: Sequence[Kernel],
    target: Target,
    count: int,
    rng: Rng,
    rounding: Rounding | None = None,
    at_once: int = AT_ONCE,
) -> list[Graph]:
    """Graphs of `count` layers for each of some kernels, in turn, or of as many as were found.

    rounding: of the layers; None for TFLM's, or that of a kernel that has it not.
    at_once: layers of a graph.

    More for a kernel with many loops, so that each can be told from the others.

    In turn, as in networks: caches of code are cold where a kernel begins.
    """
    found = [_layers(kernel, target, count, rng, rounding) for kernel in kernels]
    in_turn = [layer for layers in zip_longest(*found) for layer in layers if layer is not None]
    name = "_".join(type(kernel).__name__.lower() for kernel in kernels)
    graphs = []
    for first in range(0, len(in_turn), at_once):
        whole = Draft(rng)
        outputs = [t for layer in in_turn[first : first + at_once] for t in _add(whole, layer)]
        graphs.append(whole.finish(name, tuple(outputs)))
    return graphs


def _layers(kernel: Kernel, target: Target, count: int, rng: Rng, rounding: Rounding | None) -> list[Graph]:
    ops, found = sorted(kernel.ops), []
    if rounding is None:
        rounding = Rounding.TFLM if Rounding.TFLM in kernel.roundings else Rounding.ONNX
    seen: Counter[str] = Counter()
    idle = 0
    for number in range(TRIES * count):
        op = ops[number % len(ops)]
        types = _types(kernel, op)
        graph = _rounded(_layer(op, rng, types[number // len(ops) % len(types)], _few(kernel, number)), rounding)
        context = None if graph is None else Context(graph, graph.nodes[0], target)
        idle += 1
        if graph is not None and context is not None and kernel in applicable(context):
            loops = {loop for loop, times in kernel.work(context).loops.items() if times}
            # Beyond the layers that are enough, those with loops that were seldom seen.
            enough = len(found) >= max(count, 2 * len(kernel.work(context).loops))
            if not enough or any(seen[loop] < EACH for loop in loops):
                seen.update(loops)
                found.append(graph)
                idle = 0
        if len(found) >= count and idle > 16 * len(ops) * len(types):
            break
    return found


def _rounded(graph: Graph | None, rounding: Rounding) -> Graph | None:
    """The graph of one node with that rounding; None where it cannot have it."""
    if graph is None or rounding is Rounding.TFLM:
        return graph
    (node,) = graph.nodes
    able = rounding in OPERATORS[node.op].roundings and graph.tensors[node.outputs[0]].dtype is DType.INT8
    return replace(graph, nodes=(replace(node, rounding=rounding),)) if able else None


def _few(kernel: Kernel, number: int) -> Few | None:
    """Which few values the weights must have that a kernel's name tells of."""
    name = type(kernel).__name__
    if "Int4" in name:
        return "narrow int4"
    if "Lut16" in name:
        return pick(np.random.default_rng(number), "shared", "shared", "shared by channel")
    return None


def _types(kernel: Kernel, op: str) -> list[DType | None]:
    """Element types to draw an operator's layers of in turn, bytes most often; None: as property tests have them."""
    taken = (types.x for types in OPERATORS[op].types if types in kernel.types)
    found = [dtype for dtype in dict.fromkeys(taken) if dtype is not None]
    usual = [dtype for dtype in found if dtype is DType.INT8] or found[:1]
    return [*found, *usual, *usual, None]


def _layer(op: str, rng: Rng, dtype: DType | None, few: Few | None = None) -> Graph | None:
    """A graph of one node, or None where it came out too large or small.

    dtype: of the sizes that networks have; without it as property tests have it, of any type.
    """
    draft = Draft(rng, zeros=0.0, few=few)
    try:
        if dtype is not None or op == "TFLite_Detection_PostProcess":
            weighted = dtype is DType.INT16 and OPERATORS[op].has(Trait.WEIGHTS)
            usual = dtype in (DType.INT8, DType.FLOAT32, None) or weighted
            chosen = _REALISTIC.get(op) if usual and op in _REALISTIC else _larger(op, dtype or DType.INT8)
            chosen(draft)
        else:
            BUILDERS[op](draft, None)
    except (KeyError, GraphError):
        return None
    if len(draft.nodes) > 1 and draft.nodes[-1].op == op:
        _alone(draft)
    if len(draft.nodes) != 1:
        return None
    if dtype is DType.INT16 and op in _REALISTIC and OPERATORS[op].has(Trait.WEIGHTS):
        _widen(draft)
    if dtype is DType.FLOAT32 and op in _REALISTIC:
        _float(draft)
    if any(t.bytes > LARGEST for t in draft.tensors if t.data is None):
        return None
    tensors, states = tuple(draft.tensors), tuple(draft.states)
    graph = Graph(op.lower(), tensors, tuple(draft.nodes), tuple(draft.inputs), draft.nodes[0].outputs, states)
    try:
        verify(graph)
    except GraphError:  # of a shape that the operator does not take
        return None
    return graph


def _widen(draft: Draft) -> None:
    """Makes int8 activations of a layer with weights int16, of the same range, and its bias int64."""
    (node,) = draft.nodes
    for t in (node.inputs[0], node.outputs[0]):
        quant = Quantization((float(np.float32(draft.quant(t).scale / 256)),), (0,))
        draft.tensors[t] = replace(draft.tensors[t], dtype=DType.INT16, quant=quant)
    bias = draft.tensors[node.inputs[2]]
    assert bias.data is not None
    products = replace(bias.q, scales=tuple(float(np.float32(s / 256)) for s in bias.q.scales))
    data = bias.data.astype(np.int64) * 256
    draft.tensors[node.inputs[2]] = replace(bias, dtype=DType.INT64, quant=products, data=data)
    clamp = activation_clamp(pick(draft.rng, "RELU", "NONE"), draft.tensors[node.outputs[0]])
    assert isinstance(node.attrs, ConvAttrs | FullyConnectedAttrs)
    draft.nodes[0] = replace(node, attrs=replace(node.attrs, clamp=clamp))


def _float(draft: Draft) -> None:
    """Makes a layer of int8 one of float32."""
    for i, tensor in enumerate(draft.tensors):
        data = None if tensor.data is None else (tensor.data * np.float32(1 / 64)).astype(np.float32)
        draft.tensors[i] = replace(tensor, dtype=DType.FLOAT32, quant=None, data=data)
    (node,) = draft.nodes
    if isinstance(node.attrs, ConvAttrs | FullyConnectedAttrs | PoolAttrs | BinaryAttrs):
        clamp = activation_clamp(pick(draft.rng, "RELU", "NONE"), draft.tensors[node.outputs[0]])
        draft.nodes[0] = replace(node, attrs=replace(node.attrs, clamp=clamp))


def _alone(draft: Draft) -> None:
    """Leaves the last layer; what others before it made is an input."""
    made = {t for node in draft.nodes[:-1] for t in node.outputs}
    draft.nodes[:] = draft.nodes[-1:]
    used = [t for t in dict.fromkeys(draft.nodes[0].inputs) if t >= 0 and draft.tensors[t].data is None]
    draft.inputs[:] = [t for t in used if t in made or t in draft.inputs]


def _add(whole: Draft, graph: Graph) -> tuple[int, ...]:
    """Adds a graph of one node; returns its outputs."""
    at = len(whole.tensors)
    for tensor in graph.tensors:
        number = len(whole.tensors)
        whole.tensors.append(replace(tensor, name=f"t{number}", source=number))
    whole.inputs += [at + t for t in graph.inputs]
    node = graph.nodes[0]
    node = replace(node, states=tuple(len(whole.states) + i for i in node.states))
    for state in graph.states:
        whole.states.append(replace(state, name=f"s{len(whole.states)}"))
    shifted = tuple(at + t for t in node.outputs)
    whole.nodes.append(replace(node, inputs=tuple(at + t if t >= 0 else t for t in node.inputs), outputs=shifted))
    return shifted


def _size(rng: Rng, low: int, high: int) -> int:
    """low..high, uniform in its logarithm."""
    return int(round(float(np.exp(rng.uniform(np.log(low), np.log(high))))))


def _channels(rng: Rng, low: int, high: int) -> int:
    """Mostly a multiple of eight or four, as networks have them."""
    some = _size(rng, low, high)
    step = pick(rng, 8, 8, 4, 1)
    return min(high, max(low, -(-some // step) * step))


def usual_input(draft: Draft, shape: tuple[int, ...]) -> int:
    return draft.input(shape, Quantization((1 / 64,), (pick(draft.rng, -128, 0, 17),)))


def usual_output(draft: Draft, shape: tuple[int, ...], spread: float) -> tuple[int, tuple[int, int]]:
    """(output, clamp): values of `spread` fill its range, of which a clamp may leave a part."""
    kind = pick(draft.rng, "RELU", "RELU", "RELU", "RELU6", "RELU6", "NONE")
    inner = kind == "NONE" or chance(draft.rng, 0.2)
    zero = pick(draft.rng, 0, -20, 5) if inner else -128
    scale = spread / 40 if kind != "RELU6" else 6 / 255
    y = draft.tensor(shape, Quantization((float(np.float32(scale)),), (zero,)))
    return y, activation_clamp(kind, draft.tensors[y])


def usual_weights(draft: Draft, shape: tuple[int, ...], axis: int, taps: int) -> tuple[int, int, float]:
    """(weights, bias, spread of the sums in the input's units)."""
    rng = draft.rng
    rough = chance(rng, 0.15)
    data = np.clip(np.round(rng.normal(0, 35, shape)), -128 if rough else -127, 127).astype(np.int8)
    if rough:
        data.reshape(-1)[rng.integers(0, data.size, 1 + data.size // 16)] = -128
    if draft.few is not None:
        data = few_values(rng, data, axis, draft.few)
    channels = shape[axis]
    scales = tuple(float(np.float32(s)) for s in rng.uniform(0.5, 2, channels) / 256)
    w = draft.constant(data, Quantization(scales, (0,) * channels, axis))
    products = tuple(float(np.float32(np.float32(1 / 64) * np.float32(s))) for s in scales)
    spread = 35 * 60 * taps**0.5
    b = draft.constant(
        np.round(rng.normal(0, spread / 2, channels)).astype(np.int32), Quantization(products, (0,) * channels, 0)
    )
    return w, b, spread * float(np.mean(products))


def _window(
    rng: Rng, size: Pair, kernel: Pair, stride: Pair, dilation: Pair = (1, 1)
) -> tuple[Pads, Pair]:
    """(pads, output size)."""
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    if all(k <= n for k, n in zip(reach, size, strict=True)) and chance(rng, 0.3):
        sizes = [(n - k) // s + 1 for n, k, s in zip(size, reach, stride, strict=True)]
        return Pads(), (sizes[0], sizes[1])
    sizes = [-(-n // s) for n, s in zip(size, stride, strict=True)]
    return same_pads(size, kernel, stride, dilation), (sizes[0], sizes[1])


def _conv(draft: Draft) -> None:
    rng = draft.rng
    first, kernel, stride = False, (1, 1), (1, 1)
    groups, dilation = pick(rng, 1, 1, 1, 1, 2, 4), (1, pick(rng, 1, 1, 1, 1, 1, 2, 3))
    kind = rng.random()
    if kind < 0.35:
        stride = pick(rng, (1, 1), (1, 1), (1, 1), (2, 2))
    elif kind < 0.65:
        kernel, stride = (3, 3), pick(rng, (1, 1), (1, 1), (2, 2))
    elif kind < 0.85:
        first, kernel, stride = True, pick(rng, (3, 3), (3, 3), (5, 5), (10, 4)), pick(rng, (2, 2), (2, 2), (1, 1))
    else:
        kernel, stride = pick(rng, (1, 3), (3, 1), (2, 2), (5, 5), (1, 7), (5, 1)), pick(rng, (1, 1), (1, 1), (1, 2))
    depth = pick(rng, 1, 3, 3) if first else _channels(rng, 4, 128)
    channels = _channels(rng, 4, 32) if first else _channels(rng, 4, 128)
    if chance(rng, 0.25):
        channels = pick(rng, 1, 2, 2, 3, 5, 6, 7)
        depth = depth if first else _channels(rng, 4, 256)
    if groups > 1:
        depth, channels = groups * max(depth // groups, 1), groups * max(channels // groups, 1)
    if kernel[1] == 1:
        dilation = (1, 1)
    wide = int((LARGEST / depth) ** 0.5)
    h, w = _size(rng, 1, min(wide, 48)), _size(rng, 1, min(wide, 48))
    if first:
        h, w = max(h, min(wide, 12)), max(w, min(wide, 12))
    pads, size = _window(rng, (h, w), kernel, stride, dilation)
    taps = kernel[0] * kernel[1] * depth // groups
    if not FEWEST_MACS <= size[0] * size[1] * channels * taps <= MOST_MACS:
        raise KeyError("macs")
    x = usual_input(draft, (1, h, w, depth))
    filters, bias, spread = usual_weights(draft, (channels, *kernel, depth // groups), 0, taps)
    y, clamp = usual_output(draft, (1, *size, channels), spread)
    draft.node("CONV_2D", (x, filters, bias), (y,), ConvAttrs(stride, dilation, pads, clamp))


def _depthwise(draft: Draft) -> None:
    rng = draft.rng
    kernel = pick(rng, (3, 3), (3, 3), (3, 3), (5, 5), (4, 4), (1, 3), (5, 1), (9, 1), (2, 2))
    stride = pick(rng, (1, 1), (1, 1), (2, 2), (2, 2), (1, 2))
    depth = _channels(rng, 1 if chance(rng, 0.1) else 4, 128)
    channels = depth * (pick(rng, 2, 4) if chance(rng, 0.1) else 1)
    wide = int((LARGEST / depth) ** 0.5)
    h, w = _size(rng, 2, min(wide, 48)), _size(rng, 2, min(wide, 48))
    if min(kernel) == 1:
        h, w = (h, 1) if kernel[1] == 1 else (1, w)
    pads, size = _window(rng, (h, w), kernel, stride)
    taps = kernel[0] * kernel[1]
    if not FEWEST_MACS <= size[0] * size[1] * channels * taps <= MOST_MACS:
        raise KeyError("macs")
    x = usual_input(draft, (1, h, w, depth))
    filters, bias, spread = usual_weights(draft, (1, *kernel, channels), 3, taps)
    y, clamp = usual_output(draft, (1, *size, channels), spread)
    draft.node("DEPTHWISE_CONV_2D", (x, filters, bias), (y,), ConvAttrs(stride, (1, 1), pads, clamp))


def _fully_connected(draft: Draft) -> None:
    rng = draft.rng
    rows, depth, channels = pick(rng, 1, 1, 1, _size(rng, 2, 8)), _channels(rng, 8, 640), _channels(rng, 2, 256)
    if not 100 <= rows * depth * channels <= MOST_MACS:
        raise KeyError("macs")
    x = usual_input(draft, (rows, depth))
    filters, bias, spread = usual_weights(draft, (channels, depth), 0, depth)
    y, clamp = usual_output(draft, (rows, channels), spread)
    draft.node("FULLY_CONNECTED", (x, filters, bias), (y,), FullyConnectedAttrs(clamp))


def _pool(op: str) -> Callable[[Draft], None]:
    def build(draft: Draft) -> None:
        rng = draft.rng
        depth = _channels(rng, 1 if chance(rng, 0.1) else 4, 128)
        wide = int((LARGEST / depth) ** 0.5)
        h, w = _size(rng, 2, min(wide, 32)), _size(rng, 2, min(wide, 32))
        kernel = pick(rng, (2, 2), (3, 3), (h, w), (h, w))
        stride = pick(rng, kernel, kernel, (1, 1), (2, 2))
        pads, size = _window(rng, (h, w), kernel, stride)
        x = usual_input(draft, (1, h, w, depth))
        y = draft.tensor((1, *size, depth), draft.quant(x))
        clamp = activation_clamp(pick(rng, "NONE", "NONE", "NONE", "RELU"), draft.tensors[y])
        draft.node(op, (x,), (y,), PoolAttrs(kernel, stride, pads, clamp))

    return build


def _mean(draft: Draft) -> None:
    rng = draft.rng
    depth = _channels(rng, 4, 128)
    wide = int((LARGEST / depth) ** 0.5)
    x = usual_input(draft, (1, _size(rng, 2, min(wide, 32)), _size(rng, 2, min(wide, 32)), depth))
    axes = pick(rng, (1, 2), (1, 2), (1, 2), (1,), (2,), (3,))
    shape = tuple(1 if a in axes else n for a, n in enumerate(draft.shape(x)))
    quant = draft.quant(x) if chance(rng, 0.4) else Quantization((1 / 90,), (3,))
    draft.node("MEAN", (x,), (draft.tensor(shape, quant),), MeanAttrs(axes, True))


def _binary(op: str) -> Callable[[Draft], None]:
    def build(draft: Draft) -> None:
        rng = draft.rng
        shape = (1, _size(rng, 1, 24), _size(rng, 1, 24), _channels(rng, 1, 64))
        small = pick(rng, (1, 1, 1, shape[3]), (1, 1, 1, shape[3]), (1, 1, 1, 1), (1, *shape[1:3], 1))
        other = shape if chance(rng, 0.55) else small
        a = usual_input(draft, shape)
        b = draft.input(other, Quantization((float(np.float32(rng.uniform(0.3, 2) / 64)),), (pick(rng, -128, 3, 0),)))
        scale = 1 / 30 if op == "ADD" else 1 / 60
        y = draft.tensor(shape, Quantization((float(np.float32(scale)),), (pick(rng, -128, -128, 4),)))
        clamp = activation_clamp(pick(rng, "NONE", "RELU"), draft.tensors[y])
        draft.node(op, (a, b), (y,), BinaryAttrs(clamp))

    return build


def _assign(draft: Draft) -> None:
    x = usual_input(draft, (1, _size(draft.rng, 1, 40), 1, _size(draft.rng, 1, 128)))
    initial = np.zeros(draft.shape(x), np.int8)
    draft.states.append(State("s0", DType.INT8, initial, draft.quant(x)))
    draft.node("ASSIGN_VARIABLE", (x,), (), NoAttrs(), (0,))


def _svdf(draft: Draft) -> None:
    rng = draft.rng
    dtype = DType.FLOAT32 if chance(rng, 0.2) else DType.INT8
    x = draft.input((1, _channels(rng, 8, 256)), dtype=dtype)
    svdf(draft, x, units=_channels(rng, 8, 128), memory=pick(rng, 2, 4, 8, 10, 16, 32))


def _lstm(draft: Draft) -> None:
    rng = draft.rng
    dtype = pick(rng, DType.INT8, DType.INT16)
    x = draft.input((1, _size(rng, 1, 16), _channels(rng, 8, 128)), dtype=dtype)
    lstm(draft, x, units=_channels(rng, 8, 64))


def _detection(draft: Draft) -> None:
    rng = draft.rng
    boxes, classes, most = _size(rng, 20, 300), _size(rng, 1, 4), _size(rng, 3, 20)
    encodings = draft.input((1, boxes, 4), dtype=DType.FLOAT32)
    scores = draft.input((1, boxes, classes), dtype=DType.FLOAT32)
    anchors = draft.constant(rng.uniform(0.1, 1, (boxes, 4)).astype(np.float32), None)
    shapes = ((1, most, 4), (1, most), (1, most), (1,))
    outputs = tuple(draft.tensor(shape, None, DType.FLOAT32) for shape in shapes)
    attrs = DetectionAttrs(classes, most, pick(rng, 0, 0, 10), 0.0, 0.5, (10.0, 10.0, 5.0, 5.0))
    draft.node("TFLite_Detection_PostProcess", (encodings, scores, anchors), outputs, attrs)


def _larger(op: str, dtype: DType = DType.INT8) -> Callable[[Draft], None]:
    """The builder of the property tests on an input of more elements."""

    def build(draft: Draft) -> None:
        rng = draft.rng
        build_one = BUILDERS[op]
        if op == "DEQUANTIZE" or (op == "QUANTIZE" and chance(rng, 0.3)):
            x = draft.input((1, _size(rng, 4, 800)), dtype=pick(rng, DType.INT8, DType.INT16))
        elif op == "QUANTIZE" and chance(rng, 0.4):
            x = draft.input((1, _size(rng, 4, 800)), dtype=DType.FLOAT32)
            y = draft.tensor(draft.shape(x), Quantization((1 / 32,), (3,)), pick(rng, DType.INT8, DType.INT16))
            draft.node("QUANTIZE", (x,), (y,), NoAttrs())
            return
        elif op == "SOFTMAX":
            quant = Quantization((1 / 12,), (4,)) if dtype is DType.INT8 else Quantization((1 / 3072,), (0,))
            x = draft.input((pick(rng, 1, 1, _size(rng, 1, 8)), _size(rng, 2, 200)), quant, dtype)
        elif op in ("SQUEEZE",):
            build_one(draft, None)
            return
        else:
            x = draft.input((1, _size(rng, 1, 24), _size(rng, 1, 24), _size(rng, 1, 48)), dtype=dtype)
        build_one(draft, x)

    return build


_REALISTIC: Mapping[str, Callable[[Draft], None]] = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
    "AVERAGE_POOL_2D": _pool("AVERAGE_POOL_2D"),
    "MAX_POOL_2D": _pool("MAX_POOL_2D"),
    "MEAN": _mean,
    "ADD": _binary("ADD"),
    "MUL": _binary("MUL"),
    "ASSIGN_VARIABLE": _assign,
    "SVDF": _svdf,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
    "TFLite_Detection_PostProcess": _detection,
}
