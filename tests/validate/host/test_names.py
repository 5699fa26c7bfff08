"""Long names of tensors stay recognisable and different in tables."""

from __future__ import annotations

import random

import pytest

from harness.validate.differences import TensorDiff, describe
from harness.validate.names import WIDTH, shorten
from tests.support.patience import little_work

RESOURCE = "BiasAdd/ReadVariableOp/resource;model/conv2d/BiasAdd;model/conv2d/Conv2D1"


def different(names: list[str]) -> dict[str, str]:
    shown = shorten(names)
    assert set(shown) == set(names)
    assert len(set(shown.values())) == len(set(names))
    assert all(len(text) <= WIDTH for text in shown.values())
    return shown


def test_short_names_are_whole():
    names = ["a/Relu;b/conv;c", "x" * WIDTH, ""]
    assert different(names) == {name: name for name in names}


def test_a_fused_name_shows_its_first_layer():
    names = [f"functional_1/activation_{i}/Relu;functional_1/batch_normalization;{RESOURCE}" for i in range(12)]
    shown = different(names)
    assert all(f"activation_{i}/" in shown[name] for i, name in enumerate(names))


def test_a_path_shows_its_end():
    names = [f"StatefulPartitionedCall/functional/mobilenetv2/block_{i}_expand_BN/FusedBatchNormV3" for i in range(12)]
    shown = different(names)
    assert all(f"block_{i}_expand" in shown[name] for i, name in enumerate(names))


@pytest.mark.parametrize(
    "form",
    [
        "model/" + "a" * 40 + "/{}/" + RESOURCE,  # differs where neither beginning nor end is
        "model/{}/" + "b/" * 60 + "tail",
        "x" * 80 + ";{}" + "y" * 60,
        "z" * 100 + "{}",
    ],
)
def test_names_that_differ_anywhere_differ_when_shortened(form):
    names = [form.format(i) for i in (1, 2, 10, 11, 21)]
    shown = different([*names, "short"])
    assert shown["short"] == "short"
    for i, name in zip((1, 2, 10, 11, 21), names, strict=True):
        assert str(i) in shown[name]


def test_any_names_differ_when_shortened():
    rng = random.Random(1)
    for _ in range(50):
        names = ["".join(rng.choices("a;/", [20, 1, 1], k=rng.choice((30, 48, 49, 60, 400)))) for _ in range(30)]
        different(names)
    name = "a" * 60
    different([name, "..." + "a" * 45, "a" * 30 + "...#1", "a" * 61, "a" * 1000])


def test_many_long_names_take_no_time():
    with little_work():
        different([f"{'s' * 60}{i:06}{'e' * 60}" for i in range(20_000)])


def test_a_check_names_the_output_that_differs():
    outputs = [f"model/{'a' * 40}/{i}/{RESOURCE}" for i in range(3)]
    diff = TensorDiff(outputs[1], 1, 0, 0, (), None, 0)
    assert "/1/" in describe(diff, outputs)
