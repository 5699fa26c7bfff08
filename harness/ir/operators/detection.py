"""TFLite_Detection_PostProcess: boxes decoded from their anchors, the best of those that overlap kept.

Inputs: encodings (1, boxes, 4 or more), scores (1, boxes, classes or one more for the background), anchors (boxes, 4).
Outputs: boxes (1, n, 4) as ymin, xmin, ymax, xmax; classes (1, n); scores (1, n); how many there are, (1,).
Source: tensorflow/lite/micro/kernels/detection_postprocess.cc.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from harness.ir.graph import Attrs, Node
from harness.ir.operators.operands import Floats, Inputs, Operands, floats
from harness.ir.operators.operator import Operator, same
from harness.ir.operators.tflite import CUSTOM, OperatorDraft, Read, Reading, TfliteForm, Unsupported, Writing
from harness.ir.operators.view import View
from harness.quantization.elementary import exp_double
from harness.quantization.types import Array, DType

_EACH = 100
_SCALES = ("y_scale", "x_scale", "h_scale", "w_scale")


@dataclass(frozen=True)
class DetectionAttrs(Attrs):
    """How boxes are chosen.

    Attributes:
        classes: without the background.
        most: detections.
        each: detections of a class, for each of which all boxes compete; 0: boxes compete with their best class alone.
        score: the least that is kept.
        overlap: intersection over union beyond which the lower score goes.
        scales: by which encoded y, x, h and w are divided.
    """

    classes: int
    most: int
    each: int
    score: float
    overlap: float
    scales: tuple[float, float, float, float]


def _verify(v: View) -> None:
    encodings, scores, anchors, attrs = v.x(), v.x(1), v.x(2), v.attrs(DetectionAttrs)
    shape = encodings.shape
    v.need(len(shape) == 3 and shape[0] == 1 and shape[2] >= 4, f"has encodings {list(shape)}, not [1, boxes, 4]")
    v.shape(anchors, (shape[1], 4))
    named = attrs.classes
    v.need(named > 0 and attrs.most > 0 and attrs.each >= 0, f"finds {attrs.most} of {named} classes")
    plain = scores.shape in ((1, shape[1], named), (1, shape[1], named + 1))
    v.need(plain, f"has scores {list(scores.shape)} for {shape[1]} boxes and {named} classes")
    v.need(0 < attrs.overlap <= 1, f"has the overlap {attrs.overlap:g}; TFLM takes more than 0, up to 1")
    v.need(all(np.isfinite((*attrs.scales, attrs.score))) and all(attrs.scales), f"has scales {attrs.scales}")
    room = v.y(1).elements
    v.need(room >= attrs.most, f"has room for {room} of {attrs.most} detections")
    v.shape(v.y(0), (1, room, 4))
    v.shape(v.y(1), (1, room))
    v.shape(v.y(2), (1, room))
    v.need(v.y(3).elements == 1, f"counts into '{v.y(3).name}' of shape {list(v.y(3).shape)}")


def decoded(encodings: Floats, anchors: Floats, scales: Sequence[float]) -> Floats:
    """Boxes (n, 4) as ymin, xmin, ymax, xmax: centres and halves in double, each rounded, then their sums."""
    with np.errstate(all="ignore"):
        codes, sizes = encodings[:, :4].astype(np.float64), anchors[:, 2:].astype(np.float64)
        divided = codes / np.array(scales, np.float32).astype(np.float64)
        centre = (divided[:, :2] * sizes + anchors[:, :2].astype(np.float64)).astype(np.float32)
        half = (0.5 * exp_double(divided[:, 2:]) * sizes).astype(np.float32)
        return np.concatenate([centre - half, centre + half], axis=1)


def _overlap(a: Floats, b: Floats) -> Floats:
    """Intersection over union of box a with every box of b."""
    with np.errstate(all="ignore"):
        area_a = (a[2] - a[0]) * (a[3] - a[1])
        area_b = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
        far, near = np.where(b[:, 2:] < a[2:], b[:, 2:], a[2:]), np.where(a[:2] < b[:, :2], b[:, :2], a[:2])
        length = far - near
        length = np.where(length < 0, np.float32(0), length)
        common = length[:, 0] * length[:, 1]
        found: Floats = common / (area_a + area_b - common)
        return np.where((area_a <= 0) | (area_b <= 0), np.float32(0), found)


def _chosen(boxes: Floats, scores: Floats, attrs: DetectionAttrs, most: int) -> Iterator[int]:
    """Boxes by falling score that overlap none before them; the first of equal scores comes first."""
    order = np.argsort(-scores, kind="stable")
    left = [int(i) for i in order if scores[i] >= np.float32(attrs.score)]
    for _ in range(most):
        if not left:
            return
        best, left = left[0], left[1:]
        yield best
        overlaps = _overlap(boxes[best], boxes[left]) > np.float32(attrs.overlap)
        left = [i for i, goes in zip(left, overlaps, strict=True) if not goes]


def detection(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """The detections by falling score; zeros behind them.

    TFLM gives up where any box has no area; here such a box overlaps none.
    """
    attrs = cast(DetectionAttrs, op.attrs)
    boxes = decoded(floats(inputs, 0)[0], floats(inputs, 2), attrs.scales)
    scores = floats(inputs, 1)[0][:, -attrs.classes :]
    found: list[tuple[int, int]] = []
    if attrs.each == 0:
        named = scores.argmax(axis=1)
        best = scores[np.arange(len(scores)), named]
        found = [(i, int(named[i])) for i in _chosen(boxes, best, attrs, attrs.most)]
    else:
        for column in range(attrs.classes):
            found += [(i, column) for i in _chosen(boxes, scores[:, column], attrs, attrs.each)]
            found.sort(key=lambda one: -scores[one])
            del found[attrs.most :]
    outputs = [np.zeros(y.shape, np.float32) for y in op.outs]
    for place, (box, column) in enumerate(found):
        outputs[0][0, place] = boxes[box]
        outputs[1][0, place] = column
        outputs[2][0, place] = scores[box, column]
    outputs[3][...] = len(found)
    return tuple(outputs)


def without_rest(outputs: Sequence[Array]) -> tuple[Array, ...]:
    """A reference's outputs with zeros behind the detections, where it leaves what was there before."""
    count = int(outputs[3].reshape(-1)[0])
    settled = [np.array(values) for values in outputs]
    for values in settled[:3]:
        values[:, count:] = 0
    return tuple(settled)


def _read(op: Reading) -> Read:
    op.count(3, outputs=4)
    options = op.options()
    each = int(options.get("detections_per_class", _EACH)) if options.get("use_regular_nms", 0) else 0
    classes = int(options.get("num_classes", 0))
    if each == 0 and min(int(options.get("max_classes_per_detection", 0)), classes) > 1:
        raise Unsupported("several classes per detection without use_regular_nms, where TFLM writes beyond its outputs")
    y, x, h, w = (float(np.float32(options.get(name, 0))) for name in _SCALES)
    score, overlap = (float(np.float32(options.get(f"nms_{name}_threshold", 0))) for name in ("score", "iou"))
    attrs = DetectionAttrs(classes, int(options.get("max_detections", 0)), each, score, overlap, (y, x, h, w))
    return op.ids(0, 1, 2), attrs


def _write(to: Writing, node: Node) -> OperatorDraft:
    attrs = cast(DetectionAttrs, node.attrs)
    options: dict[str, int | float | bool] = {
        "max_detections": attrs.most,
        "max_classes_per_detection": 1,
        "num_classes": attrs.classes,
        "nms_score_threshold": attrs.score,
        "nms_iou_threshold": attrs.overlap,
        "use_regular_nms": attrs.each > 0,
    }
    options |= dict(zip(_SCALES, attrs.scales, strict=True))
    if attrs.each:
        options["detections_per_class"] = attrs.each
    return OperatorDraft(node.op, node.inputs, node.outputs, custom=options)


OPERATORS = (
    Operator(
        "TFLite_Detection_PostProcess",
        _verify,
        detection,
        attrs=DetectionAttrs,
        inputs=(3, 3),
        outputs=(4, 4),
        types=same(DType.FLOAT32),
        tflite=TfliteForm(CUSTOM, _write, _read, version=1),
        unwritten=without_rest,
        ulp=1,
    ),
)
