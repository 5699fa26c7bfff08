"""Multi-layer perceptrons of scikit-learn -> float .tflite files.

scikit-learn itself is not imported: a fitted MLPClassifier or MLPRegressor is asked for its weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.errors import UnsupportedModelError
from harness.frontends.tflite.writer import write
from harness.ir.graph import Attrs, Graph, NoAttrs, Node, Tensor
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.operators.softmax import SoftmaxAttrs
from harness.quantization.types import Array, Clamp, DType

_HINT = "fit an MLPClassifier or MLPRegressor, with activation relu, tanh, logistic or identity"
_UNLIMITED = DType.FLOAT32.range
_RELU: Clamp = (0, _UNLIMITED[1])
_FUNCTIONS: dict[str, tuple[str, Attrs]] = {
    "tanh": ("TANH", NoAttrs()),
    "logistic": ("LOGISTIC", NoAttrs()),
    "softmax": ("SOFTMAX", SoftmaxAttrs(1.0)),
}
"""Activations that are operators of their own."""

_WITHIN = ("identity", "relu")
"""Activations that FULLY_CONNECTED has."""


def mlp_model(mlp: Any, scaler: Any = None) -> bytes:
    """The file of a fitted perceptron.

    Args:
        mlp: an MLPClassifier or MLPRegressor.
        scaler: a fitted StandardScaler that its inputs went through; the first layer then takes inputs as they are.

    Returns:
        A .tflite file: float32 [1, features] to float32 [1, outputs], probabilities where the perceptron has some.

    Raises:
        UnsupportedModelError: it is something else, is not fitted, or its activation has no operator.
    """
    weights = [np.asarray(w, np.float64) for w in _attribute(mlp, "coefs_")]
    biases = [np.asarray(b, np.float64) for b in _attribute(mlp, "intercepts_")]
    within, at_end = str(_attribute(mlp, "activation")), str(_attribute(mlp, "out_activation_"))
    for name in (within, at_end):
        if name not in _FUNCTIONS and name not in _WITHIN:
            raise UnsupportedModelError(f"a perceptron with activation '{name}'", hint=_HINT)
    if scaler is not None:
        weights[0], biases[0] = _unscaled(weights[0], biases[0], scaler)
    return write(_graph(weights, biases, [within] * (len(weights) - 1) + [at_end]))


def _attribute(model: Any, name: str) -> Any:
    value = getattr(model, name, None)
    if value is None:
        raise UnsupportedModelError(
            f"{type(model).__name__} has no {name}: it is no perceptron, or is not fitted", hint=_HINT
        )
    return value


def _unscaled(weights: Array, bias: Array, scaler: Any) -> tuple[Any, Any]:
    """The first layer over inputs before a StandardScaler: (x - mean) / scale."""
    features = len(weights)
    mean = np.zeros(features) if getattr(scaler, "mean_", None) is None else np.asarray(scaler.mean_, np.float64)
    scale = np.ones(features) if getattr(scaler, "scale_", None) is None else np.asarray(scaler.scale_, np.float64)
    if mean.shape != (features,) or scale.shape != (features,):
        raise UnsupportedModelError(
            f"a scaler of {len(mean)} features before a perceptron of {features}",
            hint="give the one it was trained with",
        )
    own = np.asarray(weights, np.float64) / scale[:, None]
    return own, np.asarray(bias, np.float64) - mean @ own


def _graph(weights: Sequence[Array], biases: Sequence[Array], activations: Sequence[str]) -> Graph:
    tensors = [Tensor("input", (1, len(weights[0])), DType.FLOAT32)]
    nodes: list[Node] = []

    def add(name: str, shape: tuple[int, ...], data: Array | None = None) -> int:
        stored = None if data is None else np.ascontiguousarray(data, np.float32)
        tensors.append(Tensor(name, shape, DType.FLOAT32, data=stored))
        return len(tensors) - 1

    x = 0
    for number, (w, b, name) in enumerate(zip(weights, biases, activations, strict=True)):
        kept = add(f"layer_{number}/weights", w.T.shape, w.T)
        bias = add(f"layer_{number}/bias", b.shape, b)
        y = add(f"layer_{number}", (1, len(b)))
        clamp = _RELU if name == "relu" else _UNLIMITED
        nodes.append(Node("FULLY_CONNECTED", (x, kept, bias), (y,), FullyConnectedAttrs(clamp)))
        if name in _FUNCTIONS:
            op, attrs = _FUNCTIONS[name]
            made = add(f"layer_{number}/{name}", (1, len(b)))
            nodes.append(Node(op, (y,), (made,), attrs))
            y = made
        x = y
    return Graph("mlp", tuple(tensors), tuple(nodes), (0,), (x,))
