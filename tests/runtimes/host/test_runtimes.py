"""Runtimes: the built-in one, one that another package brings, and what a run says of one that shows less."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from rich.console import Console

from harness.errors import OptionError
from harness.report import console, html
from harness.report.bundle import Invocation, results_document
from harness.report.document import run_document
from harness.runtimes import DEFAULT_RUNTIME, RUNTIMES
from harness.validate.card import load_card
from harness.validate.checks import Status, check_names
from harness.validate.options import Options, check_choice
from harness.validate.vectors import load
from harness.validate.workbench import Workbench
from tests.support.installed import install
from tests.support.paths import FIXTURES

WRAPPER = """
from harness.runtimes import RUNTIMES, Measures


class Wrapper:
    '''The built-in runtime, with its calls written down.'''

    def __init__(self, name, measures):
        self.name = name
        self.measures = measures
        self.calls = []

    def package(self, graph, target, name, goals):
        self.calls.append(("package", name, target.core))
        return RUNTIMES.get("tinyhil").package(graph, target, name, goals)

    def image(self, packages, board, options, **rest):
        self.calls.append(("image", [package.plan.name for package in packages], board.name))
        return RUNTIMES.get("tinyhil").image(packages, board, options, **rest)


WRAPPED = Wrapper("wrapped", Measures())
BLIND = Wrapper("blind", Measures(False, False, False, False, False))
"""


@pytest.fixture
def other(tmp_path, monkeypatch):
    """A package with two runtimes is installed; gives the first."""
    points = "wrapped = wrapper_code:WRAPPED\nblind = wrapper_code:BLIND"
    install(tmp_path, "wrapper", RUNTIMES.group, points, WRAPPER)
    monkeypatch.syspath_prepend(tmp_path)
    runtime = RUNTIMES.get("wrapped")
    runtime.calls.clear()
    return runtime


def validate(name: str = DEFAULT_RUNTIME):
    card = load_card(FIXTURES / "digits.hil.yaml")
    return Workbench().validate(card, "host", Options(opinions=(), runtime=name))


def test_the_built_in_one_shows_everything():
    assert RUNTIMES.names()[0] == DEFAULT_RUNTIME == RUNTIMES.get(DEFAULT_RUNTIME).name
    assert all(dataclasses.astuple(RUNTIMES.get(DEFAULT_RUNTIME).measures))
    check_choice("runtime", DEFAULT_RUNTIME)


def test_another_packages_runtime_computes_the_model(other):
    outcome = validate("wrapped")
    assert other.calls == [("package", "digits", "host"), ("image", ["digits"], "host")]
    assert outcome.runtime is other and outcome.passed
    assert [check.name for check in outcome.verdict.checks] == list(check_names(outcome.card, "host"))
    ours = validate()
    assert ours.runtime.name == DEFAULT_RUNTIME
    assert ours.image.build_id == outcome.image.build_id
    summaries = [[(c.name, c.status, c.summary) for c in o.verdict.checks] for o in (ours, outcome)]
    assert summaries[0] == summaries[1]


def test_it_runs_inputs_of_ones_own(other):
    bench = Workbench()
    model = FIXTURES / "digits.tflite"
    card = load_card(FIXTURES / "digits.hil.yaml")
    inputs = load(card.vectors, bench.graph(model), card.base).inputs[:2]
    ours = bench.run(model, "host", inputs)
    assert not other.calls
    theirs = bench.run(model, "host", inputs, Options(runtime="wrapped"))
    assert [kind for kind, *_ in other.calls] == ["package", "image"], "a package of one runtime is not another's"
    assert np.array_equal(ours, theirs)


def test_what_a_runtime_does_not_show_is_not_measured(other):
    outcome = validate("blind")
    statuses = {check.name: check.status for check in outcome.verdict.checks}
    assert statuses["outputs"] is statuses["accuracy"] is Status.PASS
    assert {name for name, status in statuses.items() if status is Status.NOT_MEASURED} == {
        "layers", "memory", "arena", "flash", "stack",
    }  # fmt: skip
    assert "layers: not measured here: runtime blind shows no layer's output" in outcome.explain()
    assert outcome.measurement.layer_outputs is None and outcome.measurement.layer_ticks is None
    assert outcome.measurement.total is not None
    document = run_document(outcome)
    assert {document["memory"][name] for name in ("arena_measured", "stack_measured", "flash")} == {None}


def test_its_reports_say_so(other, capsys):
    document = run_document(validate("blind"))
    for parts in (console.validation([document]), console.profile(document)):
        console.show(Console(width=200), parts)
    shown = capsys.readouterr().out
    assert "RAM: not measured" in shown and "not measured\n" in shown
    page = html.render(results_document([document], Invocation(["tinyhil"], {})))
    assert "RAM: not measured" in page


@pytest.mark.parametrize("ask", [validate, lambda name: check_choice("runtime", name)])
def test_an_unknown_one_is_an_error_that_names_those_known(other, ask):
    with pytest.raises(OptionError, match="no runtime is named 'tfml'") as caught:
        ask("tfml")
    assert caught.value.hint.removesuffix(", both") == "one of: tinyhil, tflm, blind, wrapped"
