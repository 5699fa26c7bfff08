"""Pictures of the arena: well-formed files of their own, on one scale, readable, and true to the plan."""

from __future__ import annotations

import runpy
from xml.etree import ElementTree

import pytest

from harness import frontends
from harness.compiler.compile import compile_graph
from harness.compiler.emit.manifest import manifest
from harness.report.arena import arena_document
from harness.report.html.arena import arena_map, buffers, standalone
from tests.support.paths import FIXTURES, REPOSITORY

SVG = "{http://www.w3.org/2000/svg}"


def boxes(svg: str) -> list[ElementTree.Element]:
    return [box for box in ElementTree.fromstring(svg).iter(f"{SVG}rect") if box.get("class", "").startswith("buffer")]


def share(box: ElementTree.Element, name: str) -> float:
    return float(box.get(name, "").removesuffix("%")) / 100


@pytest.fixture(scope="module")
def plan():
    return compile_graph(frontends.load(FIXTURES / "digits.tflite"), core="cortex-m4")


@pytest.fixture(scope="module")
def arena(plan):
    return arena_document(plan, manifest(plan)["arena"])


@pytest.fixture(scope="module")
def names(plan):
    return [layer.name for layer in plan.layers]


def test_widths_are_bytes_and_heights_are_layers(plan, arena, names):
    drawn = boxes(standalone(arena_map(arena, names, most=2 * plan.arena_size, row=20)))
    found = buffers(arena)
    assert {name for buffer in found for name in buffer.names} == {p["name"] for p in arena["placements"]}
    assert len(drawn) == len(found) < len(arena["placements"]), "one place with two names is drawn once"
    for buffer, box in zip(found, drawn, strict=True):
        assert share(box, "x") == pytest.approx(buffer.offset / plan.arena_size / 2, abs=1e-4)
        assert share(box, "width") == pytest.approx(buffer.size / plan.arena_size / 2, abs=1e-4)
        assert float(box.get("y", 0)) == 20 * (buffer.first + 1) + 1
        assert float(box.get("height", 0)) == 20 * (buffer.last - buffer.first + 1) - 2


def test_parts_of_a_picture_make_the_whole(arena, names):
    count = len(names)
    whole = [ElementTree.tostring(box) for box in boxes(standalone(arena_map(arena, names)))]
    parts = [boxes(standalone(arena_map(arena, names, first=n, last=n))) for n in range(-1, count + 1)]
    rows = [b.last - b.first + 1 for b in buffers(arena)]
    assert sum(map(len, parts)) == sum(rows) > len(whole)


def test_a_long_name_is_that_of_the_layer(arena, names):
    long = "model/block_1/conv/Relu;model/block_1/conv/BiasAdd;" * 3
    places = [p | {"name": long, "size": arena["size"]} if p["first_layer"] == 1 else p for p in arena["placements"]]
    shown = ["".join(text.itertext()) for text in ElementTree.fromstring(
        standalone(arena_map({**arena, "placements": places}, names))
    ).iter(f"{SVG}text")]
    assert names[1] in shown
    assert not any(long[:30] in text for text in shown)


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
