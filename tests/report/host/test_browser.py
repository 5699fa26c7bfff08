"""The HTML report in a browser: silent, alone, accessible, readable on a phone and on paper, script or not."""

from __future__ import annotations

import re

import pytest

from harness.errors import BoardLostError
from harness.report.bundle import Invocation, results_document
from harness.report.document import error_document, run_document
from harness.report.html import render
from harness.validate.card import load_card
from harness.validate.options import Options
from harness.validate.workbench import Workbench
from tests.support.browser import started_browser
from tests.support.page_checks import CUT, SMALL, differing
from tests.support.paths import FIXTURES
from tests.support.results import on_a_chip, with_cycles, with_layers

PHONE, DESK, PAPER = 390, 1280, 718
"""Widths in pixels; A4 without its margins has 190 mm of 96 pixels an inch."""


@pytest.fixture(scope="module")
def chrome(tmp_path_factory):
    with started_browser(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Addresses of a report of a few runs and of a long one."""
    card = load_card(FIXTURES / "residual.hil.yaml")
    run = run_document(Workbench().validate(card, "host", Options(opinions=())))
    run["layers"][4] |= {"hidden": 3, "fused": ["PAD", "DEPTHWISE_CONV_2D", "CONV_2D"] * 5}
    lost = error_document("lost", "host", BoardLostError("gone", hint="try", details="x " * 200), "lost.hil.yaml")
    session = Invocation(["tinyhil", "validate", "a_folder/" * 20], {"tinyhil": "0"})
    few = [run, with_cycles(on_a_chip(run, "a_chip_with_a_long_name_" * 3)), lost]
    long = with_layers({**run, "verdict": {**run["verdict"], "passed": True}}, 120)
    many = [{**long, "name": f"model {n}", "card": f"{n}.hil.yaml"} for n in range(26)]
    many[7] = on_a_chip(many[7], "failing")
    folder = tmp_path_factory.mktemp("reports")
    addresses = {}
    for name, runs in (("few", few), ("many", many)):
        (folder / f"{name}.html").write_text(render(results_document(runs, session)), encoding="utf-8")
        addresses[name] = (folder / f"{name}.html").as_uri()
    return addresses


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_report_is_silent_alone_and_accessible(chrome, reports, width, dark):
    with chrome.page(reports["few"], width=width, dark=dark) as page:
        assert page.said() == []
        assert page.requests() == [reports["few"]]
        assert page.run(SMALL) == []
        assert page.run("document.documentElement.scrollWidth") == width
        assert differing(page.picture()) > 0.01
        ground = [int(n) for n in re.findall(r"\d+", page.run("getComputedStyle(document.body).backgroundColor"))]
        assert (max(ground[:3]) < 60) == dark
        assert page.violations() == []
        assert page.said() == []


def test_what_these_tests_look_for_would_be_found(chrome, tmp_path):
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<!doctype html><html lang=en><title>x</title>"
        "<meta http-equiv=Content-Security-Policy content=\"img-src 'none'\">"
        "<script>console.log('said')</script><p style='font-size:8px;width:2000px'>small</p>"
        "<div class=scroll style='width:100px;overflow:auto'><table><tr><td>" + "wide" * 100 + "</table></div>"
        "<img src=missing.png>"
        "<svg role=img width=400 viewBox='0 0 960 20'><text y=15 font-size=11>drawn small</text></svg>"
    )
    empty = tmp_path / "empty.html"
    empty.write_text("<!doctype html><html lang=en><title>x</title>")
    with chrome.page(bad.as_uri(), width=PHONE) as page:
        assert any("said" in text for text in page.said())
        assert any("Content Security Policy" in text for text in page.said())
        assert [text.split(" ", 1)[1] for text in page.run(SMALL)] == ["small", "drawn small"]
        assert any(text.startswith("div scroll") for text in page.run(CUT))
        assert page.run("document.documentElement.scrollWidth") > PHONE
        found = " ".join(page.violations())
        assert "image-alt" in found and "svg-img-alt" in found and "scrollable-region-focusable" in found
    with chrome.page(empty.as_uri()) as page:
        assert differing(page.picture()) < 0.001


def test_nothing_is_cut_on_paper(chrome, reports):
    with chrome.page(reports["few"], width=PAPER, media="print", dark=True) as page:
        assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.run(CUT) == []
        assert page.run("document.documentElement.scrollWidth") <= PAPER
        closed = "[...document.querySelectorAll('details:not([open]):not(.listing) table')]"
        assert False not in page.run(closed + ".map(table => table.checkVisibility())")
        assert page.run(SMALL) == []
    with chrome.page(reports["few"], width=DESK) as page:
        page.run("window.dispatchEvent(new Event('beforeprint'))")
        assert page.run("document.querySelectorAll('details:not([open]):not(.listing)').length") == 0
        page.run("window.dispatchEvent(new Event('afterprint'))")
        pdf = page.pdf()
        sizes = re.findall(rb"/MediaBox ?\[0 0 ([\d.]+) ([\d.]+)\]", pdf)
        assert {(round(float(w)), round(float(h))) for w, h in sizes} == {(595, 842)}, "A4 upright"
        assert pdf.count(b"/Type /Page\n") >= 3


def test_without_scripts_all_is_there(chrome, reports):
    for name in ("few", "many"):
        with chrome.page(reports[name], scripts=False) as page:
            assert page.said() == []
            # Asked through the document, since the page may not run scripts.
            root = page.ask("DOM.getDocument", depth=0)["root"]["nodeId"]

            def count(selector: str, root: int = root, page=page) -> int:
                return len(page.ask("DOM.querySelectorAll", nodeId=root, selector=selector)["nodeIds"])

            assert count("svg.network") >= (2 if name == "few" else 26)
            assert count("section.run details") == count("section.run details:has(table, pre, svg)") > 1
            assert count("th button") == 0 and count("form:not([hidden])") == 0


def test_bars_pictures_and_table_are_linked(chrome, reports):
    with chrome.page(reports["few"]) as page:
        page.run("document.querySelector('ol.times a[href=\"#r1-3\"]').click()")
        assert page.run("document.querySelector('tr:target').id") == "r1-3"
        page.run("document.querySelector('[data-run=\"0\"] svg.network [data-l=\"5\"]')"
                 ".dispatchEvent(new MouseEvent('click', {bubbles: true}))")
        assert page.run("location.hash") == "#r0-5"
        page.run("document.querySelector('#r0-2').dispatchEvent(new MouseEvent('pointerover', {bubbles: true}))")
        lit = "[...document.querySelectorAll('.lit')].map(e => e.closest('section').dataset.run + ' ' + e.localName)"
        assert set(page.run(lit)) == {"0 tr", "0 li", "0 rect"}


def test_tables_sort_by_number_and_word(chrome, reports):
    column = "[...document.querySelectorAll('[data-run=\"0\"] tr[data-l]')].map(r => r.cells[{}].textContent)"
    head = "[...document.querySelectorAll('[data-run=\"0\"] th')].find(h => h.textContent === '{}')"
    with chrome.page(reports["few"]) as page:
        for name, place in (("MACs", 4), ("kernel", 3)):
            found = []
            for order in ("ascending", "descending"):
                page.run(head.format(name) + ".querySelector('button').click()")
                assert page.run(head.format(name) + ".getAttribute('aria-sort')") == order
                found.append(page.run(column.format(place)))
            if name == "MACs":
                numbers = [float("inf") if text == "-" else int(text.replace(",", "")) for text in found[0]]
                assert numbers == sorted(numbers) and len(set(numbers)) > 3
            else:
                assert found[0] == sorted(found[0])
            assert found[0][0] == found[1][-1]
        rows = "[...document.querySelectorAll('[data-run=\"0\"] tr[data-l]')]"
        assert page.run(rows + ".at(-1).parentElement.lastElementChild.className") == "sum", "the sum stays last"


def test_a_long_report_is_filtered_and_opens_where_a_link_leads(chrome, reports):
    count = "document.getElementsByTagName('*').length"
    with chrome.page(reports["many"]) as page:
        closed = page.run(count)
        page.run("location.hash = 'r5-77'")
        page.run("new Promise(done => setTimeout(done, 100))")
        assert -1 <= page.run("document.getElementById('r5-77').getBoundingClientRect().top") < 900
        assert page.run(count) > closed + 2000, "closed sections are no elements until they are opened"
        assert page.run("document.querySelectorAll('[data-run=\"5\"] th button').length") > 5
        page.run("(() => { const [text] = document.forms[0].elements; text.value = 'model 1';"
                 "text.dispatchEvent(new Event('input', {bubbles: true})); })()")
        shown = "[...document.querySelectorAll('{}')].filter(e => e.checkVisibility()).length"
        assert page.run(shown.format(".card")) == page.run(shown.format("section.run > h2")) == 11  # 1, and 10 to 19
        assert page.run("document.querySelector('output').textContent") == "11 of 26"
        assert page.said() == []
    with chrome.page(f"{reports['many']}#%E0%A4%A'\"]<b>") as page:
        assert page.said() == []
    with chrome.page(f"{reports['many']}#r9-3") as page:
        assert page.run("document.querySelector('tr:target, #r9-3').id") == "r9-3"
        assert page.run("document.querySelector('[data-run=\"9\"] details').open")
