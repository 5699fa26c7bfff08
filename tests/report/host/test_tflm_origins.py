"""What was measured, looked up and estimated of TFLM never look alike: tables, HTML, properties, history."""

from __future__ import annotations

import copy
import itertools

import pytest

from harness.history.ingest import records_of
from harness.pytest_plugin.properties import check_properties
from harness.report import rows
from harness.report.bundle import Invocation, results_document
from harness.report.document import run_document
from harness.report.html import render
from harness.report.html.bars import series
from harness.report.tflm import builds, marked
from harness.tflm.origin import Basis
from harness.validate.card import load_card
from harness.validate.options import Options
from harness.validate.workbench import Workbench
from tests.support.paths import FIXTURES
from tests.support.results import on_a_chip

SESSION = Invocation(["tinyhil", "validate", "digits"], {"tinyhil": "0"})
FIGURES = ("total", "arena", "stack", "flash")
KERNELS = "cmsis-nn"


@pytest.fixture(scope="module")
def measured():
    card = load_card(FIXTURES / "digits.hil.yaml")
    return on_a_chip(run_document(Workbench().validate(card, "host", Options(opinions=()))), "digits")


def of_origin(run, origin: Basis):
    """The run with TFLM's figures with CMSIS-NN from there."""
    made = copy.deepcopy(run)
    made["baselines"] = [baseline for baseline in made["baselines"] if baseline["kernels"] == KERNELS]
    for baseline in made["baselines"]:
        baseline |= {
            "origin": dict.fromkeys(FIGURES, origin.value), "live": origin is Basis.LIVE, "build": "TFLM of GCC",
            "error": 0.0 if origin.measured else 0.031, "missing": {}, "faults": [],
            "removed": [{"op": "RESHAPE", "sources": [99], "value": 77, "origin": origin.value}],
        }  # fmt: skip
    for layer in made["layers"]:
        layer["tflm"] = {KERNELS: layer["tflm"][KERNELS]}
        layer["tflm_origin"] = {KERNELS: origin.value}
    return made


def cells(table, column: str) -> list[str]:
    at = table.columns.index(column)
    return [row[at] for row in table.rows if row[at] not in ("-", "")]


@pytest.mark.parametrize(
    ("origin", "mark"),
    [(Basis.LIVE, ""), (Basis.RECORDED, ""), (Basis.LOOKED_UP, "*"), (Basis.ESTIMATED, "~")],
)
def test_every_figure_of_a_table_has_the_mark_of_its_origin(measured, origin, mark):
    run = of_origin(measured, origin)
    found = [
        *cells(rows.profile(run), "TFLM cmsis-nn"),
        *cells(rows.profile(run), "ratio"),
        *cells(rows.against_tflm(run), "TFLM cmsis-nn"),
        *cells(rows.against_tflm(run), "ratio"),
        *(part for cell in cells(rows.summary([run]), rows.RATIOS) for part in cell.split(" / ") if part != "-"),
    ]
    assert len(found) > 20
    plain = [cell for cell in found if cell != "0.00x"]  # of what is compiled away
    assert all(cell[0].isdigit() if not mark else cell.startswith(mark) for cell in plain), found


def test_words_tell_the_origins_apart(measured):
    told = [builds([of_origin(measured, origin)])[0] for origin in list(Basis)[:4]]
    assert len(set(told)) == 4 and all("TFLM of GCC" in line for line in told)
    assert "measured now" in told[0] and "recorded for" in told[1]
    assert "* looked up" in told[2] and "~ estimated" in told[3]
    assert all("9 of 10 are within 3.1 %" in line for line in told[2:]) and "never held against a limit" in told[3]


def test_the_page_draws_them_apart(measured):
    pages = {origin: render(results_document([of_origin(measured, origin)], SESSION)) for origin in list(Basis)[:4]}
    bodies = {origin: page.partition("</style>")[2] for origin, page in pages.items()}
    for origin, body in bodies.items():
        assert ('class="cmsis unmeasured"' in body) is not origin.measured, origin
    assert "TFLM CMSIS-NN ~ estimated" in bodies[Basis.ESTIMATED]
    assert "TFLM CMSIS-NN * looked-up" in bodies[Basis.LOOKED_UP]
    looks = [series(KERNELS, origin.value) for origin in (Basis.RECORDED, Basis.LOOKED_UP, Basis.ESTIMATED)]
    assert all(one != other for one, other in itertools.combinations(looks, 2))


def test_properties_of_junit_name_an_estimate_as_one(measured):
    recorded, estimated = (
        dict(check_properties(of_origin(measured, o), "outputs"))
        for o in (Basis.RECORDED, Basis.ESTIMATED)
    )
    exact, guessed = "tinyhil.ratio_to_tflm_cmsis-nn", "tinyhil.estimated_ratio_to_tflm_cmsis-nn"
    assert recorded[exact] == pytest.approx(1 / 3) and guessed not in recorded
    assert estimated[guessed] == pytest.approx(1 / 3) and exact not in estimated


def test_the_history_keeps_and_compares_measured_figures_alone(measured):
    recorded, estimated = (
        records_of(results_document([of_origin(measured, o)], SESSION)).runs[0]
        for o in (Basis.RECORDED, Basis.ESTIMATED)
    )
    assert list(recorded.facts["tflm"]) == [KERNELS] and all(line.tflm for line in recorded.layout.lines)
    assert "tflm" not in estimated.facts and not any(line.tflm for line in estimated.layout.lines)


def test_a_sum_that_is_not_known_is_said_and_its_layers_are_shown(measured):
    run = of_origin(measured, Basis.ESTIMATED)
    baseline = run["baselines"][0]
    baseline |= {"total": None, "missing": {"total": "BATCH_MATMUL of int8"}}
    baseline["origin"]["total"], baseline["ratio"]["total"] = Basis.UNKNOWN.value, None
    run["layers"][0]["tflm"][KERNELS] = None
    table = rows.profile(run)
    assert table.rows[-1][table.columns.index("TFLM cmsis-nn")] == "-"
    assert any("no sum for cortex-m4, nothing like BATCH_MATMUL of int8 was measured" in note for note in table.notes)
    assert render(results_document([run], SESSION))
    assert rows.summary([run]).rows


def test_what_tflm_computes_wrongly_is_said_beside_its_figures(measured):
    run = of_origin(measured, Basis.RECORDED)
    run["baselines"][0]["faults"] = ["it forgets"]
    assert "TFLM cmsis-nn is wrong here: it forgets" in rows.profile(run).notes


def test_documents_of_before_have_records_alone(measured):
    assert "origin" not in measured["baselines"][0]
    assert marked("1,234", None) == "1,234" and marked("-", "estimated") == "-"
    assert all(cell[0].isdigit() for cell in cells(rows.against_tflm(measured), "TFLM reference"))
