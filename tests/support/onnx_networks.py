"""Random ONNX networks, whose operators meet: fused, in other orders of dimensions, read twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from harness.ir.graph import Graph
from harness.ir.interpreter import run
from harness.oracle import open_oracle


@dataclass
class Draft:
    """A network that grows by random operators; every tensor is float32."""

    rng: np.random.Generator
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def constant(self, *shape: int) -> str:
        """A random constant."""
        return self.given((self.rng.standard_normal(shape) * 0.5).astype(np.float32))

    def given(self, data: Any) -> str:
        """A constant."""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(data), name))
        return name

    def add(self, op: str, inputs: list[str], shape: tuple[int, ...], **attributes: Any) -> None:
        """An operator of one output."""
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], **attributes))
        self.shapes[name] = shape

    def pick(self, rank: int | None = None) -> str | None:
        """A tensor that is there, rather a late one."""
        able = [name for name, shape in self.shapes.items() if rank in (None, len(shape))]
        return able[-1 - int(self.rng.integers(min(3, len(able))))] if able else None


def _image(d: Draft) -> None:
    x = d.pick(4)
    if x is None:
        return
    n, c, h, w = d.shapes[x]
    kind = int(d.rng.integers(7))
    if kind == 0:
        out, k = int(d.rng.integers(1, 5)), int(d.rng.integers(1, 4))
        if h >= k and w >= k:
            s = int(d.rng.integers(1, 3))
            bias = [d.constant(out)] if d.rng.integers(2) else []
            shape = (n, out, (h + 1 - k + 1) // s + 1, (w + 0 - k) // s + 1)
            d.add("Conv", [x, d.constant(out, c, k, k), *bias], shape, pads=[1, 0, 1, 0], strides=[s, s])
    elif kind == 1:
        d.add("Conv", [x, d.constant(2 * c, 1, 3, 3)], (n, 2 * c, h, w), group=c, auto_pad="SAME_UPPER")
    elif kind == 2:
        scales = [d.given(np.abs(d.rng.standard_normal(c)).astype(np.float32) + 0.5) for _ in range(2)]
        d.add("BatchNormalization", [x, scales[0], d.constant(c), d.constant(c), scales[1]], (n, c, h, w))
    elif kind == 3 and min(h, w) >= 2:
        op = str(d.rng.choice(["MaxPool", "AveragePool"]))
        extra = {"count_include_pad": int(d.rng.integers(2))} if op == "AveragePool" else {}
        shape = (n, c, (h + 1 - 2) // 2 + 1, (w + 1 - 2) // 2 + 1)
        d.add(op, [x], shape, kernel_shape=[2, 2], strides=[2, 2], pads=[0, 1, 1, 0], **extra)
    elif kind == 4:
        d.add("Add" if d.rng.integers(2) else "Mul", [x, d.constant(c, 1, 1)], (n, c, h, w))
    elif kind == 5:
        axis = int(d.rng.integers(4))
        d.add("Softmax", [x], (n, c, h, w), axis=axis)
    else:
        d.add("GlobalAveragePool", [x], (n, c, 1, 1))


def _any(d: Draft) -> None:
    x = d.pick()
    assert x is not None
    shape = d.shapes[x]
    rank, kind = len(shape), int(d.rng.integers(10))
    axis = int(d.rng.integers(rank))
    if kind == 0:
        d.add(str(d.rng.choice(["Relu", "Sigmoid", "Tanh", "LeakyRelu", "Identity", "HardSwish"])), [x], shape)
    elif kind == 1:
        d.add("Clip", [x, d.given(np.float32(0)), d.given(np.float32(6))], shape)
    elif kind == 2:
        order = [int(i) for i in d.rng.permutation(rank)]
        d.add("Transpose", [x], tuple(shape[i] for i in order), perm=order)
    elif kind == 3:
        same = [name for name, other in d.shapes.items() if other == shape]
        d.add("Add", [x, str(d.rng.choice(same))], shape)
    elif kind == 4:
        same = [name for name, other in d.shapes.items() if other == shape]
        joined = list(shape)
        joined[axis] *= 2
        if joined[axis] <= 24:
            d.add("Concat", [x, str(d.rng.choice(same))], tuple(joined), axis=axis)
    elif kind == 5:
        keep = int(d.rng.integers(2)) if rank > 1 else 1
        left = tuple(1 if i == axis else n for i, n in enumerate(shape) if keep or i != axis)
        d.add("ReduceMax" if d.rng.integers(2) else "ReduceMean", [x], left, axes=[axis], keepdims=keep)
    elif kind == 6:
        size = int(np.prod(shape[1:]))
        d.add("Flatten", [x], (shape[0], size))
    elif kind == 7 and rank == 2 and shape[1] <= 512:
        out = int(d.rng.integers(1, 6))
        d.add("Gemm", [x, d.constant(out, shape[1]), d.constant(out)], (shape[0], out), transB=1)
    elif kind == 8 and shape[axis] > 1:
        bounds = [d.given(np.array([v], np.int64)) for v in (1, 1 << 30, axis)]
        left = tuple(n - 1 if i == axis else n for i, n in enumerate(shape))
        d.add("Slice", [x, *bounds], left)
    elif kind == 9 and rank <= 4:
        out = int(d.rng.integers(1, 6))
        d.add("MatMul", [x, d.constant(shape[-1], out)], (*shape[:-1], out))


def network(seed: int, operators: int = 12) -> bytes:
    """An ONNX model of about so many operators; its outputs are all tensors that none reads, and one that one reads."""
    d = Draft(np.random.default_rng(seed))
    c, h, w = (int(n) for n in d.rng.integers(1, 7, 3))
    d.shapes["x"] = (1, c, h, w)
    while len(d.nodes) < operators:
        (_image if d.rng.integers(2) else _any)(d)
    read = {name for node in d.nodes for name in node.input}
    ends = [name for name in d.shapes if name not in read]
    inner = [node.output[0] for node in d.nodes if node.output[0] in read]
    outputs = [*ends, *(inner[-1:] if d.rng.integers(2) else [])]
    graph = helper.make_graph(
        d.nodes,
        "random",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, d.shapes["x"])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        d.constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(onnx.shape_inference.infer_shapes(model).SerializeToString())

def model_of(nodes: Any, inputs: Any, outputs: Any, constants: Any = (), opset: int = 17) -> bytes:
    """An ONNX file. inputs, outputs: (name, element type, shape); constants: (name, data)."""
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs],
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in outputs],
        [numpy_helper.from_array(np.asarray(data), name) for name, data in constants],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    return bytes(model.SerializeToString())


def unary(op: str, shape: Any = (1, 4), kind: int = TensorProto.FLOAT, **attributes: Any) -> bytes:
    """One operator of one input."""
    node = helper.make_node(op, ["x"], ["y"], **attributes)
    return model_of([node], [("x", kind, shape)], [("y", kind, None)])


def values_of(graph: Graph, seed: int = 0) -> list[Any]:
    """Random inputs."""
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(graph.tensors[t].shape).astype(np.float32) for t in graph.inputs]


def both(graph: Graph, inputs: Any) -> tuple[Any, Any]:
    """(our outputs, ONNX Runtime's)."""
    with open_oracle("onnxruntime", graph) as runtime:
        return run(graph, inputs).outputs, runtime.invoke(inputs).outputs


def small_network() -> bytes:
    """A network of convolutions and a fully connected layer."""
    rng = np.random.default_rng(2)
    shapes = {"w1": (8, 3, 3, 3), "b1": (8,), "w2": (8, 1, 3, 3), "w3": (8, 8, 1, 1), "w4": (5, 8 * 16), "b4": (5,)}
    constants = [(name, (rng.standard_normal(shape) * 0.3).astype(np.float32)) for name, shape in shapes.items()]
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], pads=[1, 1, 1, 1], group=8),
        helper.make_node("Conv", ["c2", "w3"], ["c3"]),
        helper.make_node("Add", ["c3", "r1"], ["a"]),
        helper.make_node("MaxPool", ["a"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "w4", "b4"], ["y"], transB=1),
    ]
    return model_of(nodes, [("x", 1, (1, 3, 16, 16))], [("y", 1, (1, 5))], constants)
