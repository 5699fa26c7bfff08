"""TFLite_Detection_PostProcess: options as converters write them, and what TFLM leaves in memory."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from harness.errors import TinyhilError
from harness.frontends.tflite import reader as tflite
from harness.frontends.tflite.serialize import SubgraphDraft, TensorDraft, serialize
from harness.ir.operators.detection import DetectionAttrs
from harness.ir.operators.tflite import OperatorDraft
from harness.ir.verifier import verify
from harness.oracle import open_oracle

BOXES, MOST = 6, 3
OPTIONS: Mapping[str, int | float | bool] = {
    "max_detections": MOST,
    "max_classes_per_detection": 1,
    "nms_score_threshold": 0.5,
    "nms_iou_threshold": 0.6,
    "num_classes": 2,
    "y_scale": 10.0,
    "x_scale": 10.0,
    "h_scale": 5,
    "w_scale": 5.0,
    "_output_quantized": True,
}


def model(**changes: float | bool | None) -> bytes:
    """A detector of floats; options that are None are not there."""
    options = {name: value for name, value in {**OPTIONS, **changes}.items() if value is not None}
    shapes = ((1, BOXES, 4), (1, BOXES, 3), (1, MOST, 4), (1, MOST), (1, MOST), (1,))
    tensors = [TensorDraft(f"t{i}", shape, "float32") for i, shape in enumerate(shapes)]
    # Six boxes of a unit, side by side.
    anchors = np.stack([np.full(4, [0.5, i + 0.5, 1, 1]) for i in range(BOXES)]).astype(np.float32)
    tensors.append(TensorDraft("anchors", anchors.shape, "float32", data=anchors))
    main = SubgraphDraft("main", (0, 1), (2, 3, 4, 5), tensors)
    main.operators.append(OperatorDraft("TFLite_Detection_PostProcess", (0, 1, 6), (2, 3, 4, 5), custom=options))
    return serialize([main])


def scores(*best: float) -> np.ndarray:
    """The second class of each box."""
    made = np.zeros((1, BOXES, 3), np.float32)
    made[0, : len(best), 2] = best
    return made


def test_options_are_read_by_name() -> None:
    (node,) = tflite.load(model()).nodes
    overlap = float(np.float32(0.6))
    assert node.attrs == DetectionAttrs(2, MOST, 0, 0.5, overlap, (10.0, 10.0, 5.0, 5.0))
    (node,) = tflite.load(model(use_regular_nms=True)).nodes
    assert isinstance(node.attrs, DetectionAttrs) and node.attrs.each == 100
    (node,) = tflite.load(model(use_regular_nms=True, detections_per_class=7, max_classes_per_detection=2)).nodes
    assert isinstance(node.attrs, DetectionAttrs) and node.attrs.each == 7


@pytest.mark.parametrize("name", ["tflm", "spec"])
def test_detections_of_one_inference_are_not_left_in_the_next(name: str) -> None:
    graph = tflite.load(model())
    session = open_oracle(name, graph)
    still = np.zeros((1, BOXES, 4), np.float32)
    for best, classes in (((0.6, 0.9, 0, 0.7), (1, 1, 1)), ((0.2, 0.8), (1, 0, 0)), ((), (0, 0, 0))):
        boxes, found, values, count = session.invoke([still, scores(*best)]).outputs
        kept = sorted((b for b in best if b >= 0.5), reverse=True)
        assert count == [len(kept)] and found.tolist() == [list(classes)]
        np.testing.assert_array_equal(values[0, : len(kept)], np.float32(kept))
        assert not values[0, len(kept) :].any() and not boxes[0, len(kept) :].any()
        if kept:
            np.testing.assert_array_equal(boxes[0, 0], [0, 1, 1, 2])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"max_classes_per_detection": 2}, "several classes per detection without use_regular_nms"),
        ({"max_detections": None}, "finds 0 of 2 classes"),
        ({"max_detections": MOST + 1}, f"has room for {MOST} of {MOST + 1} detections"),
        ({"num_classes": 1}, "has scores [1, 6, 3] for 6 boxes and 1 classes"),
        ({"num_classes": 4}, "has scores [1, 6, 3] for 6 boxes and 4 classes"),
        ({"nms_iou_threshold": 0.0}, "has the overlap 0"),
        ({"nms_iou_threshold": 1.5}, "has the overlap 1.5"),
        ({"h_scale": None}, "has scales (10.0, 10.0, 0.0, 5.0)"),
        ({"nms_score_threshold": float("nan")}, "has scales"),
    ],
)
def test_what_tflm_does_not_compute_is_refused(changes: dict[str, float | None], told: str) -> None:
    with pytest.raises(TinyhilError) as caught:
        verify(tflite.load(model(**changes)))
    assert told in caught.value.message
