"""What README and docs name is there: files of the tree, and what is imported from harness."""

from __future__ import annotations

import importlib
import re

import pytest

from tests.support.paths import REPOSITORY

PAGES = sorted((*REPOSITORY.glob("docs/*.md"), REPOSITORY / "README.md", *REPOSITORY.glob("firmware/**/README.md")))
_FILE = re.compile(r"(?<![\w/.])((?:harness|tests|firmware|docs|fixtures|scripts|examples)/[\w./*-]*\w)")
_IMPORT = re.compile(r"^\s*from (harness[\w.]*) import ([\w, ]+)$", re.MULTILINE)
_MADE_UP = re.compile(r"NAME|CORE|FAMILY|SUBJECT|my-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_are_there(page) -> None:
    named = {name for name in _FILE.findall(page.read_text(encoding="utf-8")) if not _MADE_UP.search(name)}
    assert not sorted(name for name in named if not any(REPOSITORY.glob(name)))


def test_what_pages_import_is_there() -> None:
    found = [match for page in PAGES for match in _IMPORT.findall(page.read_text(encoding="utf-8"))]
    assert len(found) > 20
    for module, names in found:
        for name in names.split(","):
            assert hasattr(importlib.import_module(module), name.strip()), f"{module}: {name}"


def test_links_between_pages_lead_somewhere() -> None:
    count = 0
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[\w-]+)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
            count += 1
    assert count > 20
