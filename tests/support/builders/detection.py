"""TFLite_Detection_PostProcess of encodings near their anchors, so that boxes overlap, and scores with equal ones."""

from __future__ import annotations

import numpy as np

from harness.ir.graph import NoAttrs
from harness.ir.operators.detection import DetectionAttrs
from harness.quantization.types import DType, Quantization
from tests.support.draft import Draft, between, chance, pick


def _floats(draft: Draft, shape: tuple[int, ...], scale: float) -> int:
    """float32 numbers of a new int8 input, -128..127 times `scale`."""
    x = draft.input(shape, Quantization((scale,), (0,)))
    return draft.node("DEQUANTIZE", (x,), (draft.tensor(shape, None, DType.FLOAT32),), NoAttrs())


def detection(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    boxes, classes, most = between(rng, 1, 40), between(rng, 1, 4), between(rng, 1, 10)
    each = pick(rng, 0, 0, between(rng, 1, 12))
    if each and boxes == 1:
        boxes = 2  # TFLM's list of detections is as long as there are boxes, and too short here
    scales = (10.0, 10.0, 5.0, 5.0) if chance(rng, 0.7) else tuple(float(s) for s in rng.integers(1, 9, 4))
    encodings = _floats(draft, (1, boxes, 4), pick(rng, 1 / 16, 1 / 64))
    scores = _floats(draft, (1, boxes, classes + between(rng, 0, 1)), pick(rng, 1 / 128, 1 / 16))
    anchors = rng.uniform(0, 1, (boxes, 4)).astype(np.float32) + np.float32([0, 0, 0.05, 0.05])
    room = most + (2 if chance(rng, 0.2) else 0)
    shapes = ((1, room, 4), (1, room), (1, room), (1,))
    outputs = tuple(draft.tensor(shape, None, DType.FLOAT32) for shape in shapes)
    score, overlap = pick(rng, 1e-8, 0.0, -0.5, 0.3), pick(rng, 0.5, 0.6, 0.1, 1.0)
    wide = tuple(float(np.float32(number)) for number in (score, overlap))
    attrs = DetectionAttrs(classes, most, each, *wide, scales)
    inputs = (encodings, scores, draft.constant(anchors, None))
    return draft.node("TFLite_Detection_PostProcess", inputs, outputs, attrs)


BUILDERS = {"TFLite_Detection_PostProcess": detection}
