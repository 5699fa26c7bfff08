"""Data, the training loop, and the way of a trained network to int8."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness.compression.stacks import forward
from harness.errors import GraphError, ResultsError, UnsupportedModelError, VectorsError
from harness.ir.interpreter import run
from harness.quantization.params import quantize_values
from harness.training.data import digits, fashion_mnist, from_arrays, from_torch, named
from harness.training.export import float_graph, int8_model, int8_outputs
from harness.training.layers import NetworkSpec, SpecLayer, spec_from
from harness.training.loop import accuracy, outputs, rate, train
from harness.training.network import TorchNetwork, network_of
from harness.training.plan import TrainingPlan
from tests.support.paths import REPOSITORY
from tests.support.torch_small import NETWORKS, mobile, stirred

PLAN = TrainingPlan(epochs=2, batch=64)


@pytest.fixture(scope="module")
def data():
    return digits()


# --- data ------------------------------------------------------------------------------------------------------------


def test_parts_of_the_digits_share_no_picture_and_are_the_same_each_time(data):
    parts = [{picture.tobytes() for picture in x} for x in (data.train_x, data.held_x, data.test_x)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 1797
    assert (data.shape, data.count, data.sha256) == ((8, 8, 1), 10, digits().sha256)
    assert digits(1).sha256 != data.sha256
    assert float(data.train_x.max()) == 1.0


def test_fashion_mnist_has_its_pictures(data):
    found = fashion_mnist()
    assert [len(y) for y in (found.train_y, found.held_y, found.test_y)] == [54_000, 6_000, 10_000]
    assert np.bincount(found.test_y).tolist() == [1_000] * 10
    assert len(found.few(100, 20, 30).test_y) == 30


def test_without_its_files_the_package_is_named(tmp_path):
    with pytest.raises(VectorsError, match="cannot be read") as caught:
        fashion_mnist(tmp_path)
    assert "dataset-fashion-mnist" in caught.value.hint


def test_torch_datasets_and_files_give_the_same_as_arrays(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.random((40, 5, 4, 2), np.float32), rng.integers(0, 3, 40)
    wanted = from_arrays("few", x, y)
    dataset = [(picture.transpose(2, 0, 1), label) for picture, label in zip(x, y, strict=True)]
    np.savez(tmp_path / "few.npz", x=x, y=y, classes=["a", "b", "c"])
    assert from_torch("few", dataset).sha256 == wanted.sha256 == named("few.npz", folder=tmp_path).sha256
    assert named("few.npz", folder=tmp_path).classes == ("a", "b", "c")


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (np.zeros((4, 3)), [0, 1, 2, 3]),
        (np.zeros((4, 3, 3)), [0, 1]),
        (np.zeros((4, 3, 3)), [0.5, 1, 2, 3]),
        (np.zeros((4, 3, 3)), [-1, 1, 2, 3]),
        (np.full((4, 3, 3), np.nan), [0, 1, 2, 3]),
        (np.zeros((1, 3, 3)), [0]),
    ],
)
def test_arrays_that_do_not_fit_are_refused(x, y):
    with pytest.raises(VectorsError):
        from_arrays("bad", x, np.asarray(y))


def test_unknown_data_are_refused(tmp_path):
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    (tmp_path / "bad.npz").write_bytes(b"nothing")
    for name in ("digit", "other.npz", "bad.npz", "none.npz"):
        with pytest.raises(VectorsError):
            named(name, folder=tmp_path)


# --- networks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
def test_a_traced_module_and_its_graph_compute_what_torch_does(name, data):
    module = stirred(NETWORKS[name])
    network = network_of(module, data.shape)
    wanted = outputs(module, data.test_x)
    assert np.array_equal(outputs(network, data.test_x), wanted)
    graph = float_graph(module, data.shape)
    made = forward(graph, [data.test_x[:, None]])[graph.outputs[0]].reshape(wanted.shape)
    assert np.abs(made - wanted).max() <= 1e-5 * np.abs(wanted).max()
    weighted = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "PAD", "MEAN", "RESHAPE", "ADD"}
    assert {node.op for node in graph.nodes} <= weighted | {"MAX_POOL_2D", "AVERAGE_POOL_2D"}  # no RELU, no MUL
    assert spec_from(network.spec.document()) == network.spec


def test_what_is_not_taken_is_named(data):
    import torch
    from torch import nn

    class Branching(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    for module in (nn.Conv2d(4, 8, 1, groups=2), nn.Sigmoid(), nn.MaxPool2d(2, ceil_mode=True), Branching()):
        with pytest.raises(UnsupportedModelError):
            network_of(module, data.shape)
    with pytest.raises(UnsupportedModelError, match="follows no convolution"):
        float_graph(nn.Sequential(nn.ReLU(), nn.BatchNorm2d(1)), data.shape)
    with pytest.raises(GraphError, match="larger than its picture"):
        network_of(nn.Conv2d(1, 1, 9), data.shape)
    assert torch.is_grad_enabled()


def test_a_spec_that_does_not_fit_is_refused():
    wrong = (
        SpecLayer("a", "dense", (-1,), 3),
        SpecLayer("a", "conv", (0,), 3),
        SpecLayer("a", "conv", (-1,), 3, groups=3),
        SpecLayer("a", "add", ()),
    )
    for layer in wrong:
        with pytest.raises(GraphError):
            NetworkSpec((4, 4, 1), (layer,)).shapes()
    two = (SpecLayer("a", "conv", (-1,), 3), SpecLayer("b", "add", (0, -1)))
    with pytest.raises(GraphError):
        TorchNetwork(NetworkSpec((4, 4, 1), two))


def test_int8_outputs_of_a_batch_are_those_of_one_picture_each(data):
    made = int8_model(stirred(mobile), data)
    whole = int8_outputs(made.graph, data.test_x[:5], batch=3)
    taken = quantize_values(data.test_x[:5], made.graph.tensors[made.graph.inputs[0]])
    for picture, row in zip(taken, whole, strict=True):
        assert np.array_equal(run(made.graph, [picture[None]]).outputs[0][0], row)


# --- training --------------------------------------------------------------------------------------------------------


def weights(module) -> dict[str, bytes]:
    return {name: values.numpy().tobytes() for name, values in module.state_dict().items()}


def trained(data, folder: Path | None = None, plan: TrainingPlan = PLAN, **more):
    import torch

    torch.manual_seed(0)
    module = mobile()
    found = train(module, data, plan, checkpoint=folder and folder / "training.pt", **more)
    return module, found


def test_training_learns_and_is_the_same_each_time(data):
    module, found = trained(data)
    again, second = trained(data)
    assert weights(module) == weights(again) and found.loss == second.loss
    assert found.held_accuracy > 0.3 and found.steps == 2 * (len(data.train_y) // 64)
    assert accuracy(module, data.held_x, data.held_y) == found.held_accuracy
    other, _ = trained(data, plan=TrainingPlan(epochs=2, batch=64, seed=1))
    assert weights(other) != weights(module)


def test_a_training_that_was_stopped_anywhere_ends_with_the_same_weights(data, tmp_path, monkeypatch):
    monkeypatch.setattr("harness.training.loop.SAVED_S", 0.0)  # after every step
    wanted, said = trained(data)

    class StoppedError(Exception):
        pass

    for number, stops in enumerate(((1,), (19, 20), (21, 30))):
        folder = tmp_path / str(number)
        for stop in stops:

            def told(_: str, done: int, total: int, stop: int = stop) -> None:
                if done == stop:
                    raise StoppedError

            with pytest.raises(StoppedError):
                trained(data, folder, progress=told)
        module, found = trained(data, folder)
        assert weights(module) == weights(wanted) and found.loss == said.loss
    finished, found = trained(data, folder, progress=told)  # takes what is there
    assert weights(finished) == weights(wanted) and found.loss == said.loss


def test_a_checkpoint_of_another_training_is_refused(data, tmp_path):
    trained(data, tmp_path)
    with pytest.raises(ResultsError, match="another training"):
        trained(data, tmp_path, plan=TrainingPlan(epochs=3))
    (tmp_path / "training.pt").write_bytes(b"damaged")
    with pytest.raises(ResultsError, match="cannot be read"):
        trained(data, tmp_path)


def test_a_teacher_pulls_and_a_penalty_pushes(data):
    teacher, _ = trained(data)
    few = TrainingPlan(epochs=1, batch=64, teacher_weight=1.0, learning_rate=0.02)
    with_teacher, _ = trained(data, plan=few, teacher=teacher)
    alone, _ = trained(data, plan=few)
    taught = outputs(teacher, data.held_x)
    near, far = (np.abs(outputs(one, data.held_x) - taught).mean() for one in (with_teacher, alone))
    assert near < far

    def size(module):
        return sum(values.abs().sum() for values in module.parameters())

    pushed, _ = trained(data, penalty=size)
    assert size(pushed).item() < size(teacher).item()


def test_schedules_end_at_nothing_and_start_low_or_high():
    assert rate("constant", 0.7) == 1
    assert rate("cosine", 0) == 1 and rate("cosine", 1) == 0
    assert rate("one-cycle", 0) < 0.05 and rate("one-cycle", 0.3) == 1 and rate("one-cycle", 1) == pytest.approx(0)


def test_without_torch_the_extra_is_named(tmp_path):
    modules = ("harness.training.data", "harness.training.layers", "harness.training.loop")
    absent = "".join(f"import {name}\nprint('{name}')\n" for name in modules)
    code = f"import sys; sys.modules['torch'] = None\n{absent}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY, timeout=60)
    assert done.stdout.split() == list(modules[:2])
    assert "training a network needs the package torch, which is not installed" in done.stderr
