"""The report over time in a browser: silent, alone, accessible, quick, readable on a phone and on paper."""

from __future__ import annotations

import pytest

from harness.history.html.page import comparison_page, history_page
from harness.history.selection import compare_named
from harness.history.store import HistoryStore
from tests.support.browser import started_browser
from tests.support.nights import night, one_byte_of_arena, slower
from tests.support.page_checks import CUT, SMALL, differing

PHONE, DESK, PAPER = 390, 1280, 718
ELEMENTS = 10_000
LONG = "a_model_with_a_long_name_" * 3


@pytest.fixture(scope="module")
def chrome(tmp_path_factory):
    with started_browser(tmp_path_factory.mktemp("profile")) as started:
        yield started


def of_the_last(run):
    if run["name"] == LONG:
        slower(2, 0.03)(run)
        one_byte_of_arena(run)
        run["image"]["toolchain"] = "arm-none-eabi-gcc " + "13.2.1/" * 20
    elif run["name"] == "lost":
        run |= {"kind": "error", "error": {"stage": "link", "message": "gone " * 40, "code": "no-bytes"}}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Addresses of a report of a few models, of a comparison, and of a report of 180 models and boards."""
    folder = tmp_path_factory.mktemp("history")
    some = {"models": ["kws", LONG, "lost"], "boards": ["nucleo-h743"], "layers": 12, "unit": "cycles"}
    made = {}
    with HistoryStore(folder / "few.db") as store:
        for number in range(30):
            store.add(night(number, noise=0.001, **some))
        store.add(night(30, change=of_the_last, **some))
        made["few"] = history_page(store)
        made["comparison"] = comparison_page(compare_named("bundle:1", "last", store=store))
    with HistoryStore(folder / "many.db") as store:
        many = [f"model_{number}" for number in range(90)]
        for number in range(4):
            store.add(night(number, models=many, change=slower(1, 0.2) if number == 3 else None))
        made["many"] = history_page(store)
    for name, text in made.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in made}


@pytest.mark.parametrize(
    ("name", "width", "dark"),
    [("few", PHONE, False), ("few", PHONE, True), ("few", DESK, False), ("few", DESK, True), ("comparison", 800, True)],
)
def test_a_report_is_silent_alone_and_accessible(chrome, pages, name, width, dark):
    with chrome.page(pages[name], width=width, dark=dark) as page:
        page.run("document.querySelectorAll('details').forEach(details => { details.open = true; })")
        assert page.said() == []
        assert page.requests() == [pages[name]]
        assert page.run(SMALL) == []
        assert page.run("document.documentElement.scrollWidth") == width
        assert differing(page.picture()) > 0.01
        assert page.violations() == []
        assert page.said() == []


def test_nothing_is_cut_on_paper(chrome, pages):
    with chrome.page(pages["few"], width=PAPER, media="print") as page:
        assert page.run("document.documentElement.scrollWidth") <= PAPER
        assert page.run(CUT) == [] and page.run(SMALL) == []


def test_without_scripts_all_is_there(chrome, pages):
    for name, subjects in (("few", 3), ("many", 180)):
        with chrome.page(pages[name], scripts=False) as page:
            assert page.said() == []
            root = page.ask("DOM.getDocument", depth=0)["root"]["nodeId"]
            for selector in ("section.run", "section.run details:has(table)", "tr[data-run]"):
                found = page.ask("DOM.querySelectorAll", nodeId=root, selector=selector)["nodeIds"]
                assert len(found) == subjects, selector


def test_a_long_report_has_few_elements_is_filtered_and_opens_where_a_link_leads(chrome, pages):
    count = "document.getElementsByTagName('*').length"
    with chrome.page(pages["many"]) as page:
        closed = page.run(count)
        assert closed < ELEMENTS, "what a browser lays out before it paints"
        page.run("location.hash = 'run150'")
        page.run("new Promise(done => setTimeout(done, 100))")
        assert -1 <= page.run("document.getElementById('run150').getBoundingClientRect().top") < 900
        assert page.run(count) > closed + 100, "closed sections are no elements until they are opened"
        page.run("(() => { const [text] = document.forms[0].elements; text.value = 'model_11 ';"
                 "text.dispatchEvent(new Event('input', {bubbles: true})); })()")  # fmt: skip
        shown = "[...document.querySelectorAll('tr[data-run]')].filter(e => e.checkVisibility()).length"
        assert page.run(shown) == 2  # on two boards
        assert page.run("document.querySelector('output').textContent") == "2 of 180"
        page.run("(() => { const [text, verdict] = document.forms[0].elements; verdict.value = 'pass';"
                 "verdict.dispatchEvent(new Event('input', {bubbles: true})); })()")  # fmt: skip
        assert page.run(shown) == 0
        assert page.said() == []
