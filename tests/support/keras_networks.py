"""Small networks of Keras, written as ONNX by its exporter: keras_networks.py FOLDER.

Run by a Python that has keras and torch (tests/frameworks.txt), not by the one of the tests. FOLDER gets NAME.onnx and
NAME.npz, the input x0 and what Keras computes of it, y0. What Keras' exporter refuses is exported by torch.onnx.export,
which takes a Keras network too, as NAME.torch.onnx; refused.json says what Keras' own said.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from keras import Input, Model, Sequential  # noqa: E402
from keras import layers as L  # noqa: E402, N812


def _residual():
    i = Input((16, 16, 3))
    x = L.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(i)
    x = a = L.ReLU(6.0)(L.BatchNormalization()(x))
    x = L.ReLU(6.0)(L.BatchNormalization()(L.DepthwiseConv2D(3, padding="same", use_bias=False)(x)))
    x = L.Add()([a, L.BatchNormalization()(L.Conv2D(8, 1, use_bias=False)(x))])
    return Model(i, L.Dense(5, activation="softmax")(L.GlobalAveragePooling2D()(x)))


def _unet():
    i = Input((16, 16, 1))
    a = L.Conv2D(4, 3, padding="same", activation="relu")(i)
    b = L.Conv2D(8, 3, padding="same", activation="relu")(L.MaxPooling2D()(a))
    joined = L.Concatenate()([a, L.Conv2DTranspose(4, 2, strides=2)(b)])
    return Model(i, L.Conv2D(1, 1, activation="sigmoid")(joined))


def _transformer():
    i = Input((12, 16))
    x = L.LayerNormalization()(i)
    x = L.Add()([i, L.MultiHeadAttention(2, 8)(x, x)])
    y = L.Dense(16)(L.Dense(32, activation="gelu")(L.LayerNormalization()(x)))
    return Model(i, L.Dense(3)(L.GlobalAveragePooling1D()(L.Add()([x, y]))))


def _activations():
    x = i = Input((6, 6, 4))
    for name in ("silu", "hard_swish", "elu", "selu", "softplus", "hard_sigmoid", "gelu"):
        x = L.Conv2D(4, 1, activation=name)(x)
    return Model(i, L.Dense(3)(L.Flatten()(L.PReLU()(L.LayerNormalization()(x)))))


def _row(shape, *layers):
    return Sequential([Input(shape), *layers])


NETWORKS = {
    "residual": _residual,
    "flat": lambda: _row(
        (8, 8, 1), L.Conv2D(8, 3, activation="relu"), L.MaxPooling2D(), L.Flatten(), L.Dense(10, activation="softmax")
    ),
    "separable": lambda: _row(
        (16, 16, 1), L.SeparableConv2D(8, 3, activation="relu"), L.AveragePooling2D(2), L.Conv2D(4, 3, strides=2),
        L.LeakyReLU(), L.ZeroPadding2D(1), L.GlobalMaxPooling2D(), L.Dense(2, activation="sigmoid"),
    ),
    "mlp": lambda: _row(
        (20,), L.Dense(16, activation="relu"), L.BatchNormalization(), L.Dropout(0.2), L.Dense(8, activation="tanh"),
        L.Dense(3),
    ),
    "lstm": lambda: _row((10, 6), L.LSTM(8), L.Dense(3)),
    "lstm_steps": lambda: _row((10, 6), L.LSTM(8, return_sequences=True), L.Dense(3)),
    "gru": lambda: _row((10, 6), L.GRU(8), L.Dense(3)),
    "bidirectional": lambda: _row((10, 6), L.Bidirectional(L.LSTM(8)), L.Dense(3)),
    "kws": lambda: _row(
        (49, 10), L.Conv1D(16, 3, strides=2, padding="same", activation="relu"),
        L.SeparableConv1D(16, 9, padding="same"), L.BatchNormalization(), L.ReLU(),
        L.Conv1D(8, 3, padding="causal", dilation_rate=2), L.GlobalAveragePooling1D(),
        L.Dense(12, activation="softmax"),
    ),
    "unet": _unet,
    "larger": lambda: _row((8, 8, 2), L.UpSampling2D(), L.Conv2D(2, 3, padding="same")),
    "transformer": _transformer,
    "activations": _activations,
}  # fmt: skip
"""Name -> what makes the network."""


def main(folder):
    """Writes all networks."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    refused = {}
    for name, make in NETWORKS.items():
        keras.utils.set_random_seed(0)
        net, rng = make(), np.random.default_rng(0)
        net.set_weights([w + rng.uniform(0, 0.2, w.shape).astype("float32") for w in net.get_weights()])
        x = rng.normal(size=(1, *net.input_shape[1:])).astype("float32")
        np.savez(folder / f"{name}.npz", x0=x, y0=net.predict(x, verbose=0))
        try:
            net.export(str(folder / f"{name}.onnx"), format="onnx", verbose=False)
        except Exception as error:
            refused[name] = f"{type(error).__name__}: {error}"[:400]
            file = str(folder / f"{name}.torch.onnx")
            torch.onnx.export(net.eval(), (torch.from_numpy(x),), file, external_data=False, verbose=False)
    (folder / "refused.json").write_text(json.dumps(refused, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
