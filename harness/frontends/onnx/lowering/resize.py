"""Resize and Upsample: each dimension is multiplied by a matrix, which ONNX's reference implementation says.

Where the matrices are those of TFLM's RESIZE operators, these do it; where every row picks one element, GATHER does;
else a fully connected layer along the dimension.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from harness.frontends.onnx.fusing import FREE
from harness.frontends.onnx.network import Network
from harness.frontends.onnx.node import Lowering, OnnxNode, Unsupported, axis_of, must_be
from harness.frontends.onnx.value import OnnxValue, channels_last, identity
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.operators.gather import GatherAttrs
from harness.ir.operators.resize_nearest import ResizeAttrs
from harness.quantization.types import Array, DType

_MOST = 1 << 16
"""Elements of a matrix."""

_WHOLE = 1e-4
"""How far a scaled size may lie from a whole number, for scales such as 1/3."""

_ATTRIBUTES = (
    "coordinate_transformation_mode",
    "cubic_coeff_a",
    "exclude_outside",
    "mode",
    "nearest_mode",
    "antialias",
)


def _matrix(size: int, scale: float | None, out: int | None, attributes: Mapping[str, Any]) -> Array:
    """[out, size]: what a dimension is multiplied by, in ONNX's reference of the unit matrix."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    names = ["x", "", "scales"] if out is None else ["x", "", "", "sizes"]
    node = onnx.helper.make_node("Resize", names, ["y"], **attributes)
    given: dict[str, Array] = {"x": np.eye(size, dtype=np.float32)}
    if out is None:
        given["scales"] = np.array([1.0, scale], np.float32)
        count = int(np.floor(size * np.float32(scale) + _WHOLE))
    else:
        given["sizes"] = np.array([size, out], np.int64)
        count = out
    mode = attributes.get("coordinate_transformation_mode", "half_pixel")
    whole = scale is None or abs(size * float(np.float32(scale)) - count) <= _WHOLE
    if not whole and mode not in ("half_pixel", "pytorch_half_pixel", "asymmetric"):
        # It takes the output's length, for which ONNX's reference and ONNX Runtime have different numbers.
        raise Unsupported(f"scale {scale:g} of {size}, which is no whole number")
    if count < 1 or size * count > _MOST:
        raise Unsupported(f"a dimension of {size} made {count}")
    kinds = {"x": 1, "scales": 1, "sizes": 7}
    graph = onnx.helper.make_graph(
        [node],
        "resize",
        [onnx.helper.make_tensor_value_info(n, kinds[n], d.shape) for n, d in given.items()],
        [onnx.helper.make_tensor_value_info("y", 1, None)],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 19)])
    try:
        y = np.asarray(ReferenceEvaluator(model).run(None, given)[0], np.float32)
    except Exception as error:  # whatever the reference does not have
        raise Unsupported(f"what ONNX's reference refuses ({type(error).__name__})") from None
    if y.shape != (size, count) or not np.isfinite(y).all():
        raise Unsupported("sizes that ONNX's reference computes otherwise")
    if attributes.get("mode", "nearest") == "nearest":
        _check_nearest(y.T, np.float32(count) / np.float32(size) if scale is None else np.float32(scale), attributes)
    found: Array = np.ascontiguousarray(y.T)
    return found


def _check_nearest(matrix: Array, scale: Any, attributes: Mapping[str, Any]) -> None:
    """Checks that float32 picks the same elements: halves are rounded, and ONNX says no precision.

    Raises:
        Unsupported: it picks others.
    """
    count, size = matrix.shape
    i, half, one = np.arange(count, dtype=np.float32), np.float32(0.5), np.float32(1)
    mode = attributes.get("coordinate_transformation_mode", "half_pixel")
    places = {
        "half_pixel": (i + half) / scale - half,
        "pytorch_half_pixel": (i + half) / scale - half if count > 1 else i * 0,
        "asymmetric": i / scale,
        "align_corners": i * (np.float32(size) - one) / (np.float32(count) - one) if count > 1 else i * 0,
    }.get(str(mode))
    modes: Mapping[str, Callable[[Any], Any]] = {
        "round_prefer_floor": lambda x: np.ceil(x - half),
        "round_prefer_ceil": lambda x: np.floor(x + half),
        "floor": np.floor,
        "ceil": np.ceil,
    }
    rounded = modes.get(str(attributes.get("nearest_mode", "round_prefer_floor")))
    if places is None or rounded is None:
        raise Unsupported(f"mode nearest by {mode}")
    picked = np.clip(rounded(places), 0, size - 1).astype(int)
    if not np.array_equal(np.argmax(matrix, axis=1), picked):
        raise Unsupported("elements that depend on how coordinates are rounded")


def _builtin(size: int, out: int, attrs: ResizeAttrs, bilinear: bool) -> Array:
    """[out, size]: the matrix of TFLM's operators. Source: resize_bilinear.h, resize_nearest_neighbor.h."""
    scale = (size - 1) / (out - 1) if attrs.align_corners and out > 1 else size / out
    half = 0.5 if attrs.half_pixel_centers else 0.0
    matrix = np.zeros((out, size))
    for i in range(out):
        if bilinear:
            place = (i + half) * scale - half
            low = int(np.floor(place))
            first, second = max(low, 0), min(low + 1, size - 1)
            matrix[i, min(first, size - 1)] += 1 - (place - low)
            matrix[i, second] += place - low
        else:
            place = (i + half) * scale
            picked = np.floor(place + 0.5) if attrs.align_corners else np.floor(place)
            matrix[i, min(int(picked), size - 1)] = 1
    found: Array = matrix
    return found


def _resized(net: Network, x: OnnxValue, matrices: Mapping[int, Array]) -> OnnxValue:
    """A value with some dimensions multiplied by matrices."""
    if set(matrices) <= {2, 3} and x.rank == 4:
        shape = tuple(len(matrices[i]) if i in matrices else n for i, n in enumerate(x.shape))
        for bilinear in (False, True):
            for align, half in ((False, False), (True, False), (False, True)):
                attrs = ResizeAttrs(align, half)
                if all(
                    np.allclose(
                        _builtin(x.shape[i], shape[i], attrs, bilinear), matrices.get(i, np.eye(x.shape[i])), atol=1e-6
                    )
                    for i in (2, 3)
                ):
                    op = "RESIZE_BILINEAR" if bilinear else "RESIZE_NEAREST_NEIGHBOR"
                    order = channels_last(4)
                    source = net.stored(x, order)
                    return net.made(shape, net.emit(op, [source], [shape[i] for i in order], attrs), order)
    for axis, matrix in matrices.items():
        x = _picked(net, x, axis, matrix) if _picks(matrix) else _multiplied(net, x, axis, matrix)
    return x


def _picks(matrix: Array) -> bool:
    return bool(((matrix == 0) | (matrix == 1)).all() and (matrix.sum(axis=1) == 1).all())


def _picked(net: Network, x: OnnxValue, axis: int, matrix: Array) -> OnnxValue:
    order = x.order or identity(x.rank)
    source = net.stored(x, order)
    places = net.constant(np.argmax(matrix, axis=1).astype(np.int32))
    shape = tuple(len(matrix) if i == axis else n for i, n in enumerate(x.shape))
    y = net.emit("GATHER", [source, places], [shape[i] for i in order], GatherAttrs(order.index(axis), 0))
    return net.made(shape, y, order)


def _multiplied(net: Network, x: OnnxValue, axis: int, matrix: Array) -> OnnxValue:
    order = (*(i for i in x.order or identity(x.rank) if i != axis), axis)
    source = net.stored(x, order)
    shape = tuple(len(matrix) if i == axis else n for i, n in enumerate(x.shape))
    ids = [source, net.constant(matrix.astype(np.float32)), net.constant(np.zeros(len(matrix), np.float32))]
    attrs = FullyConnectedAttrs(FREE, keep_num_dims=x.rank != 2)
    return net.made(shape, net.emit("FULLY_CONNECTED", ids, [shape[i] for i in order], attrs), order)


def _resize(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x = node.value(0)
    must_be(x, DType.FLOAT32)
    attributes = {name: value for name in _ATTRIBUTES if (value := node.attribute(name)) is not None}
    if node.text("keep_aspect_ratio_policy", "stretch") != "stretch":
        raise Unsupported("keep_aspect_ratio_policy")
    node.attribute("extrapolation_value")
    mode = str(attributes.get("coordinate_transformation_mode", "half_pixel"))
    if mode == "tf_crop_and_resize":
        raise Unsupported(mode)
    if node.version == 10:
        smallest = float(np.min(np.asarray(node.constant(1, "scales"), np.float32)))
        if attributes.get("mode", "nearest") == "nearest" and smallest < 1:
            raise Unsupported("mode nearest to a smaller image, which opset 10 does not define")
        attributes = {**attributes, "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    scales_at = 1 if node.version == 10 else 2
    sizes = node.numbers(3, "sizes") if node.version > 10 else None
    axes = node.integers("axes") or identity(x.rank)
    scales: list[float] | None = None
    if not sizes:
        scales = np.asarray(node.constant(scales_at, "scales"), np.float64).reshape(-1).tolist()
    return (_each(net, x, tuple(axis_of(a, x.rank) for a in axes), scales, sizes, attributes),)


def _each(
    net: Network,
    x: OnnxValue,
    axes: tuple[int, ...],
    scales: Sequence[float] | None,
    sizes: Sequence[int] | None,
    attributes: Mapping[str, Any],
) -> OnnxValue:
    given: Sequence[float] = scales if scales is not None else (sizes or ())
    if len(given) != len(axes) or min(given) <= 0:
        raise Unsupported(f"scales or sizes {list(given)} of {list(x.shape)}")
    matrices = {}
    for axis, number in zip(axes, given, strict=True):
        size = x.shape[axis]
        matrix = _matrix(size, number, None, attributes) if scales else _matrix(size, None, int(number), attributes)
        if matrix.shape != (size, size) or not np.array_equal(matrix, np.eye(size)):
            matrices[axis] = matrix
    return _resized(net, x, matrices)


def _upsample(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x = node.value(0)
    must_be(x, DType.FLOAT32)
    mode = node.text("mode", "nearest")
    attributes = {"mode": mode, "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    found = node.attribute("scales") if node.version < 9 else node.constant(1, "scales").reshape(-1)
    scales = [float(s) for s in found] if found is not None else []
    return (_each(net, x, identity(x.rank), scales, None, attributes),)


LOWERINGS = {
    "Resize": Lowering(_resize, (10, 11, 13, 18, 19)),
    "Upsample": Lowering(_upsample, (7, 9)),
}
