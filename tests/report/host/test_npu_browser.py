"""The page of a model on an NPU in a browser: silent, alone, accessible, readable on a phone and on paper."""

from __future__ import annotations

import pytest

from harness.report.html.npu import render
from harness.report.npu.comparison import comparison_document
from harness.report.npu.document import npu_document
from tests.report.host.test_browser import DESK, PAPER, PHONE
from tests.support.browser import started_browser
from tests.support.offload import mixed_model, offloaded
from tests.support.page_checks import CUT, SMALL, differing


@pytest.fixture(scope="module")
def chrome(tmp_path_factory):
    with started_browser(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    run = npu_document(offloaded(mixed_model(folder), "ethos-u55-128"))
    other = npu_document(offloaded(mixed_model(folder), "ethos-u55-64"))
    path = folder / "npu.html"
    path.write_text(render({**run, "comparison": comparison_document(other, run, 0.01)}), encoding="utf-8")
    return path.as_uri()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_page_is_silent_alone_and_accessible(chrome, address, width, dark):
    with chrome.page(address, width=width, dark=dark) as page:
        assert page.said() == []
        assert page.requests() == [address]
        assert page.run(SMALL) == []
        assert page.run("document.documentElement.scrollWidth") == width
        assert differing(page.picture()) > 0.01
        assert page.violations() == []


def test_nothing_is_cut_on_paper(chrome, address):
    with chrome.page(address, width=PAPER, media="print") as page:
        assert page.run(CUT) == []
        assert page.run("document.documentElement.scrollWidth") <= PAPER
        assert page.run("[...document.querySelectorAll('details svg')].every(part => part.checkVisibility())")


def test_without_scripts_all_is_there(chrome, address):
    with chrome.page(address, scripts=False) as page:
        assert page.said() == []
        root = page.ask("DOM.getDocument", depth=0)["root"]["nodeId"]
        found = page.ask("DOM.querySelectorAll", nodeId=root, selector="svg[role=img]")["nodeIds"]
        assert len(found) > 8
