"""Operators as older opsets have them, and attributes that no case of ONNX combines: against ONNX Runtime."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from harness.errors import UnsupportedModelError
from harness.frontends.onnx.reader import read
from harness.ir.interpreter import run
from harness.oracle import open_oracle

RNG = np.random.default_rng(0)


def f(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def i(*values):
    return np.array(values, np.int64)


def one(value):
    return np.float32(value)


def model(op, opset, shape, constants, outputs, attributes) -> bytes:
    names = ["" if data is None else f"c{k}" for k, data in enumerate(constants)]
    ends = [f"y{k}" for k in range(outputs)]
    graph = helper.make_graph(
        [helper.make_node(op, ["x", *names], ends, **attributes)],
        "one",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [onnx.ValueInfoProto(name=name) for name in ends],
        [numpy_helper.from_array(np.asarray(d), name) for name, d in zip(names, constants, strict=True) if name],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=7)
    return bytes(onnx.shape_inference.infer_shapes(made).SerializeToString())


SIX = (1, 4, 9, 9)
STATISTICS = (f(3), f(3), f(3), np.abs(f(3)) + one(0.1))

CASES = [
    *(("Softmax", 11, (2, 3, 4), (), {"axis": axis}) for axis in (0, 1, 2, -1)),
    *(("LogSoftmax", 9, (2, 3, 4), (), {"axis": axis}) for axis in (0, 1, 2)),
    *(("Softmax", 13, (2, 3, 4), (), {"axis": axis}) for axis in (0, 1, -1)),
    ("Clip", 7, (2, 3), (), {"min": 0.0, "max": 6.0}),
    ("Clip", 10, (2, 3), (), {"min": -0.5}),
    ("Clip", 11, (2, 3), (one(-0.3),), {}),
    ("Clip", 13, (2, 3), (None, one(0.2)), {}),
    ("Squeeze", 11, (1, 3, 1, 4), (), {"axes": [0, 2]}),
    ("Squeeze", 11, (1, 3, 1, 4), (), {}),
    ("Unsqueeze", 11, (3, 4), (), {"axes": [0, -1]}),
    ("Slice", 9, (4, 5, 6), (), {"starts": [1, -3], "ends": [3, 100], "axes": [0, 2]}),
    ("Slice", 10, (4, 5, 6), (i(-1, 2), i(-100, 4), i(0, 1), i(-1, 1)), {}),
    ("Pad", 10, (1, 2, 3, 3), (), {"pads": [0, 0, 1, 2, 0, 0, 0, 1], "value": 0.5}),
    ("Pad", 10, (1, 2, 3, 3), (), {"pads": [0, 0, 1, 2, 0, 0, 0, 1], "mode": "reflect"}),
    ("Pad", 11, (1, 2, 4, 4), (i(0, 0, -1, 2, 0, 0, 0, 1), one(2.5)), {}),
    ("Split", 11, (2, 6), (), {"axis": 1, "split": [2, 4]}),
    ("Split", 11, (2, 6), (), {"axis": 1}),
    ("Split", 13, (2, 6), (i(1, 5),), {"axis": -1}),
    ("Split", 17, (1, 3, 4, 2, 2), (i(1, 3),), {"axis": 2}),
    ("ReduceSum", 11, (2, 3, 4), (), {"axes": [1], "keepdims": 0}),
    ("ReduceSum", 13, (2, 3, 4), (i(-1),), {}),
    ("ReduceMean", 11, (2, 3, 4), (), {}),
    ("ReduceMax", 12, (2, 3, 4), (), {"axes": [0, 2], "keepdims": 0}),
    ("ReduceL2", 13, (2, 3, 4), (), {"axes": [1]}),
    ("ReduceLogSumExp", 13, (2, 3, 4), (), {"axes": [1]}),
    ("Upsample", 9, (1, 2, 3, 4), (np.array([1, 1, 2, 3], "f"),), {}),
    ("Upsample", 9, (1, 2, 3, 4), (np.array([1, 1, 2, 2], "f"),), {"mode": "linear"}),
    ("Upsample", 7, (1, 2, 3, 4), (), {"scales": [1.0, 1.0, 2.0, 2.0]}),
    ("Resize", 10, (1, 2, 4, 4), (np.array([1, 1, 2, 1.5], "f"),), {"mode": "nearest"}),
    ("Resize", 10, (1, 2, 4, 4), (np.array([1, 1, 0.6, 0.5], "f"),), {"mode": "linear"}),
    *(
        ("Resize", opset, (1, 2, 4, 6), (roi, np.array([1, 1, *scale], "f")), {"mode": mode, **coordinates})
        for opset, roi in ((11, np.zeros(0, "f")), (13, None))
        for mode in ("nearest", "linear")
        for scale in ((2, 2), (0.5, 0.5))
        for coordinates in (
            {"coordinate_transformation_mode": name}
            for name in ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric")
        )
    ),
    ("Resize", 13, (1, 2, 4, 6), (None, None, i(1, 2, 9, 7)), {"mode": "cubic"}),
    ("BatchNormalization", 9, (1, 3, 4, 4), STATISTICS, {}),
    ("BatchNormalization", 7, (2, 3), STATISTICS, {}),
    ("ArgMax", 11, (3, 5), (), {"axis": 1, "keepdims": 0}),
    ("ArgMin", 12, (3, 5, 2), (), {"axis": 0}),
    ("Flatten", 9, (2, 3, 4), (), {"axis": 2}),
    ("Flatten", 9, (2, 3, 4), (), {"axis": 0}),
    ("Reshape", 7, (2, 3, 4), (i(0, -1),), {}),
    ("MaxPool", 10, (1, 2, 7, 7), (), {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}),
    ("MaxPool", 8, (1, 2, 7), (), {"kernel_shape": [3], "pads": [1, 1]}),
    ("AveragePool", 11, (1, 2, 7, 7), (), {"kernel_shape": [3, 2], "auto_pad": "SAME_LOWER"}),
    ("AveragePool", 11, (1, 2, 7, 7), (), {"kernel_shape": [3, 2], "auto_pad": "SAME_LOWER", "count_include_pad": 1}),
    ("AveragePool", 11, (1, 2, 7, 7), (), {"kernel_shape": [3, 3], "pads": [1, 0, 1, 1], "strides": [2, 2]}),
    ("GlobalAveragePool", 7, (1, 2, 5), (), {}),
    ("InstanceNormalization", 7, (1, 3, 4, 4), (f(3), f(3)), {}),
    ("LpNormalization", 7, (2, 5), (), {"p": 1}),
    ("LRN", 7, (1, 6, 3, 3), (), {"size": 3}),
    ("PRelu", 7, (1, 3, 4, 4), (f(3, 1, 1),), {}),
    ("Gemm", 7, (2, 3), (f(4, 3), f(2, 1)), {"transB": 1, "alpha": 0.5, "beta": 2.0}),
    ("Gemm", 9, (3, 2), (f(3, 4), f(4)), {"transA": 1}),
    ("Conv", 11, SIX, (f(6, 2, 3, 3), f(6)), {"group": 2, "dilations": [2, 2], "pads": [2, 1, 0, 3]}),
    ("Conv", 11, SIX, (f(6, 4, 2, 3),), {"auto_pad": "SAME_LOWER", "strides": [2, 1]}),
    ("Conv", 11, (1, 4, 9), (f(6, 4, 3),), {"auto_pad": "SAME_UPPER"}),
    ("ConvTranspose", 11, (1, 3, 5), (f(3, 4, 3),), {"strides": [2], "auto_pad": "SAME_LOWER"}),
    ("ConvTranspose", 11, (1, 3, 5, 5), (f(3, 4, 2, 2),), {"strides": [2, 3], "output_shape": [10, 14]}),
    ("ConvTranspose", 11, (1, 4, 5, 5), (f(4, 3, 2, 2), f(6)), {"strides": [2, 2], "group": 2}),
    ("HardSigmoid", 7, (2, 3), (), {}),
    ("Selu", 7, (2, 3), (), {}),
    ("Elu", 7, (2, 3), (), {"alpha": 0.3}),
    ("Erf", 9, (2, 30), (), {}),
    ("DepthToSpace", 11, (1, 8, 2, 3), (), {"blocksize": 2, "mode": "CRD"}),
    ("DepthToSpace", 9, (1, 8, 2, 3), (), {"blocksize": 2}),
    ("SpaceToDepth", 9, (1, 2, 4, 6), (), {"blocksize": 2}),
    ("Add", 7, (2, 3), (f(4, 1, 3),), {}),
    ("Mul", 7, (1, 1, 4, 4), (f(8, 1, 1),), {}),
    ("Sum", 8, (2, 3), (f(3), f(1)), {}),
    ("Cast", 9, (2, 3), (), {"to": 6}),
    ("Transpose", 7, (2, 3, 4, 5), (), {"perm": [3, 0, 2, 1]}),
    *(
        ("Einsum", 12, shape, (f(*of),), {"equation": equation})
        for equation, shape, of in (
            ("abc,cde->abde", (1, 4, 6), (6, 2, 3)),
            ("abcd,cde->abe", (1, 4, 2, 3), (2, 3, 5)),
            ("aecd,abcd->acbe", (1, 4, 2, 3), (1, 5, 2, 3)),
            ("acbe,aecd->abcd", (1, 2, 4, 5), (1, 5, 2, 3)),
            ("ij, jk -> ki", (3, 4), (4, 2)),
            ("i,j->ij", (3,), (4,)),
            ("bhd,bhd->bh", (2, 3, 4), (2, 3, 4)),
            ("i,i->", (4,), (4,)),
        )
    ),
]


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda number: f"{CASES[number][0]}-{number}")
def test_an_operator_equals_onnx_runtime(number):
    op, opset, shape, constants, attributes = CASES[number]
    outputs = {"Split": 2}.get(op, 1)
    graph = read(model(op, opset, shape, constants, outputs, attributes), op, op)
    x = np.random.default_rng(number).standard_normal(shape).astype(np.float32)
    with open_oracle("onnxruntime", graph) as runtime:
        for ours, theirs in zip(run(graph, [x]).outputs, runtime.invoke([x]).outputs, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("op", "opset", "constants", "attributes", "said"),
    [
        ("Resize", 10, (np.array([1, 1, 0.5, 0.5], "f"),), {"mode": "nearest"}, "opset 10 does not define"),
        ("Resize", 13, (None, np.array([1, 1, 1, 0.7], "f")), {"mode": "nearest"}, "how coordinates are rounded"),
        ("Pow", 13, (f(6),), {}, "exponent of shape"),
        ("Clip", 11, (one(2), one(1)), {}, "bounds that cross"),
        ("LRN", 13, (), {"size": 3, "beta": 0.6}, "beta 0.6"),
        ("MaxPool", 11, (), {"kernel_shape": [2, 2], "dilations": [2, 2]}, "dilations"),
        ("AveragePool", 11, (), {"kernel_shape": [2, 2], "auto_pad": "SAME_UPPER", "ceil_mode": 1}, "ceil_mode with"),
        ("Pad", 13, (i(0, 0, 1, 1, 0, 0, 1, 1),), {"mode": "edge"}, "mode edge"),
        ("Einsum", 12, (f(4, 2),), {"equation": "...c,cd->...d"}, "equation"),
        ("Einsum", 12, (f(2, 2),), {"equation": "abcd,ee->abcde"}, "equation"),
        ("Einsum", 12, (f(6, 3),), {"equation": "abcd,de->abc"}, "equation"),
    ],
)
def test_what_has_no_exact_form_is_refused(op, opset, constants, attributes, said):
    with pytest.raises(UnsupportedModelError, match=said):
        read(model(op, opset, (1, 2, 4, 6), constants, 1, attributes), op, op)
