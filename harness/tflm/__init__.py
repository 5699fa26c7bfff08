"""What TensorFlow Lite Micro takes for a model on a core, where it does not run: recorded, looked up or estimated."""

from __future__ import annotations

from harness.tflm.figures import TflmFigures, TflmLayerFigure, figures, refusal
from harness.tflm.origin import Origin, TflmFigure

__all__ = ["Origin", "TflmFigure", "TflmFigures", "TflmLayerFigure", "figures", "refusal"]
