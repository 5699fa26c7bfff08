"""Pictures of the arena: well-formed files of their own, on one scale, and true to the plan."""

from __future__ import annotations

import runpy
from xml.etree import ElementTree

import pytest

from harness import frontends
from harness.compiler.compile import compile_graph
from harness.compiler.emit.manifest import manifest
from harness.report.arena import arena_document
from harness.report.pictures import arena_map, standalone
from tests.support.paths import FIXTURES, REPOSITORY

SVG = "{http://www.w3.org/2000/svg}"


def boxes(svg: str) -> list[ElementTree.Element]:
    return [box for box in ElementTree.fromstring(svg).iter(f"{SVG}rect") if box.get("class", "").startswith("box")]


@pytest.fixture(scope="module")
def plan():
    return compile_graph(frontends.load(FIXTURES / "digits.tflite"), core="cortex-m4")


def test_heights_are_bytes(plan):
    arena = arena_document(plan, manifest(plan)["arena"])
    drawn = boxes(standalone(arena_map(arena, most=2 * plan.arena_size)))
    assert len(drawn) == len(arena["placements"])
    for place, box in zip(sorted(arena["placements"], key=lambda p: -p["size"]), drawn, strict=True):
        assert float(box.get("height", 0)) == pytest.approx(max(130 * place["size"] / plan.arena_size, 0.8), abs=0.01)


def test_documentation_has_the_pictures_that_its_script_makes(plan):
    script = runpy.run_path(str(REPOSITORY / "scripts" / "arena_pictures.py"))
    made = script["pictures"]()
    assert {path.name for path in (REPOSITORY / "docs" / "img").glob("arena-*.svg")} == set(made)
    assert all(boxes(svg) for svg in made.values())
    apart = script["without_overlap"](plan).placements
    spans = list(dict.fromkeys((p.offset, p.offset + p.size, p.first, p.last) for p in apart))
    assert len(spans) > 10
    for i, (start, end, first, last) in enumerate(spans):
        for other_start, other_end, other_first, other_last in spans[i + 1 :]:
            assert last < other_first or other_last < first or end <= other_start or other_end <= start
