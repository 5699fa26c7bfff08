"""Perceptrons of scikit-learn as files, and the page about them."""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

from harness.errors import UnsupportedModelError
from harness.frontends.sklearn import mlp_model
from harness.frontends.tflite.reader import load
from harness.ir.interpreter import run
from harness.oracle import open_oracle
from tests.cli.host.test_cli import tinyhil
from tests.support.paths import REPOSITORY


def fitted(kind, activation="relu", classes=3, hidden=(7, 5)):
    """A perceptron that has seen a little noise, with its inputs."""
    rng = np.random.default_rng(0)
    x = rng.normal(3, 2, (60, 6))
    y = rng.integers(0, classes, 60) if kind is MLPClassifier else rng.normal(size=60)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has not converged
        return kind(hidden_layer_sizes=hidden, activation=activation, max_iter=20, random_state=0).fit(x, y), x


def computed(file, rows):
    graph = load(file)
    return np.concatenate([run(graph, [row[None].astype(np.float32)]).outputs[0] for row in rows])


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize(("kind", "classes"), [(MLPClassifier, 3), (MLPClassifier, 2), (MLPRegressor, 1)])
def test_the_file_computes_what_the_perceptron_does(kind, classes, activation):
    mlp, x = fitted(kind, activation, classes)
    wanted = mlp.predict(x)[:, None] if kind is MLPRegressor else mlp.predict_proba(x)[:, -1 if classes == 2 else 0 :]
    np.testing.assert_allclose(computed(mlp_model(mlp), x).reshape(len(x), -1), wanted, rtol=1e-4, atol=1e-5)


def test_a_scaler_goes_into_the_first_layer():
    rng = np.random.default_rng(1)
    raw = rng.normal(50, 20, (60, 6))
    scaler = StandardScaler().fit(raw)
    mlp, _ = fitted(MLPClassifier)
    wanted = mlp.predict_proba(scaler.transform(raw))
    np.testing.assert_allclose(computed(mlp_model(mlp, scaler), raw), wanted, rtol=1e-3, atol=1e-4)


def test_tflm_takes_the_file():
    mlp, x = fitted(MLPClassifier, "tanh")
    graph = load(mlp_model(mlp))
    with open_oracle("tflm", graph) as session:
        (output,) = session.invoke([x[:1].astype(np.float32)]).outputs
    np.testing.assert_allclose(output, mlp.predict_proba(x[:1]), rtol=1e-4, atol=1e-5)


def fake(activation="relu"):
    """What a perceptron of two features and one output shows."""
    shown = {"coefs_": [np.ones((2, 1))], "intercepts_": [np.ones(1)], "out_activation_": "identity"}
    return SimpleNamespace(**shown, activation=activation)


@pytest.mark.parametrize(
    ("mlp", "scaler", "said"),
    [
        (MLPClassifier(), None, "MLPClassifier has no coefs_"),
        (object(), None, "object has no coefs_"),
        (fake("gelu"), None, "activation 'gelu'"),
        (fake(), SimpleNamespace(mean_=np.ones(3), scale_=np.ones(3)), "3 features before a perceptron of 2"),
    ],
)
def test_what_is_no_perceptron_is_refused(mlp, scaler, said):
    with pytest.raises(UnsupportedModelError, match=said):
        mlp_model(mlp, scaler)


def test_the_page_is_what_happens(tmp_path):
    page = (REPOSITORY / "docs" / "from-sklearn.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (card,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "train.py").write_text(script)
    (tmp_path / "digits.hil.yaml").write_text(card)
    done = subprocess.run(
        [sys.executable, "train.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120,
        env={"PYTHONPATH": str(REPOSITORY), "PATH": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    commands = re.findall(r"^    tinyhil (.*)$", page, re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["quantize", "validate"]
    for command in commands:
        done = tinyhil(*command.split(), cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
