"""Estimates of models that were not fitted are as near as docs/estimates.md says, and what ships is what is fitted."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from harness.resources import data
from harness.tflm import costs, records
from tests.bench.tflm_fit import fit, samples
from tests.bench.tflm_models import around, held_out, solve, stack_errors
from tests.support.paths import REPOSITORY


@pytest.mark.parametrize("core", records.cores())
def test_integer_models_that_were_not_fitted_are_near(core):
    models = [one for one in held_out(core) if one.kind != "float32"]
    wrong = np.array([abs(one.error) for one in models if one.error is not None])
    assert len(wrong) >= 60
    assert np.median(wrong) < 0.01 and np.quantile(wrong, 0.9) < 0.02 and wrong.max() < 0.06


@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m55"])
def test_so_are_those_of_float32(core):
    models = [one for one in held_out(core) if one.kind == "float32"]
    wrong = np.array([abs(one.error) for one in models if one.error is not None])
    assert len(wrong) >= 15
    assert np.median(wrong) < 0.01 and np.quantile(wrong, 0.9) < 0.05 and wrong.max() < 0.15


def test_a_kernel_that_one_model_alone_has_is_not_known_of_it():
    """Else its own figures would be held against themselves."""
    unknown = {one.name for one in held_out("cortex-m4") if one.error is None}
    assert "armzoo_ds_cnn_quantized" in unknown and "mlperftiny_kws_int8" not in unknown


def test_what_ships_is_what_the_fit_makes():
    found = fit(samples(records.layers(), "cortex-m33"))
    shipped = costs.kernels("cortex-m33")
    assert set(found) == set(shipped)
    for layer in records.layers()[::11]:
        taken = samples([layer], "cortex-m33")
        for one in taken:
            value = sum(found[one.kernel].get(name, 0) * count for name, count in one.counts.items())
            assert costs.estimate(layer.layer, "cortex-m33").value == pytest.approx(value, rel=0.002, abs=1)


@pytest.mark.parametrize("core", records.cores())
def test_the_interpreter_takes_as_much_around_every_operator(core):
    for model in records.models()[::13]:
        run = model.runs[core]
        assert costs.around(core, len(model.rows)) == run.total - sum(run.layers), model.name
    assert around(core, records.models()) == pytest.approx(((66 if core == "cortex-m55" else 61), 39), abs=0.5)


def test_the_stack_is_that_of_the_layer_that_takes_the_most():
    wrong = [error for _, error in stack_errors("cortex-m4")]
    assert np.median(np.abs(wrong)) < 0.05 and min(wrong) > -0.05 and max(wrong) < 0.3


def test_sums_are_solved_for_their_parts():
    class Part:
        def __init__(self, counts, value):
            self.counts, self.value, self.whole = counts, value, value

    worth = solve([Part({"a": 1, "b": 1}, 110), Part({"a": 1, "b": 2}, 120), Part({"a": 2, "b": 1}, 210)])
    assert worth == {"a": pytest.approx(100, abs=0.2), "b": pytest.approx(10, abs=0.2)}


def test_the_data_is_small_and_holds_no_model():
    files = {path.name: path.stat().st_size for path in data("tflm").iterdir()}
    assert sum(files.values()) < 250_000, files
    assert max(len(json.dumps(measured.layer.as_dict())) for measured in records.layers()) < 700
    assert all(len(model.sha256) == 64 == len(hashlib.sha256().hexdigest()) for model in records.models())
    assert len(records.provenance()["tflite_micro"]) == 40


def told(title: str) -> dict[str, tuple[float, ...]]:
    """The shares of a table of docs/estimates.md below a line that begins so, by core."""
    page = (REPOSITORY / "docs" / "estimates.md").read_text(encoding="utf-8").partition(title)[2].partition("\n\n|")[2]
    lines = [line.strip("| ").split(" | ") for line in page.partition("\n\n")[0].splitlines()[2:]]
    return {core: tuple(float(cell.removesuffix(" %")) for cell in cells) for core, *cells in lines}


@pytest.mark.parametrize(("title", "floats"), [("models of integers", False), ("Models of float32", True)])
def test_the_page_tells_these_errors(title, floats):
    shown = told(title)
    assert tuple(shown) == records.cores()
    for core, (median, most, worst) in shown.items():
        models = [one for one in held_out(core) if (one.kind == "float32") is floats]
        wrong = np.array([abs(one.error) for one in models if one.error is not None]) * 100
        found = np.median(wrong), np.quantile(wrong, 0.9), wrong.max()
        assert found == pytest.approx((median, most, worst), abs=0.02), core
