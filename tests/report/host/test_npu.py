"""Reports of models on an NPU: the document, its page with bars to scale, Markdown, and comparisons."""

from __future__ import annotations

import copy
import json
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import InputError, OptionError, OutputError
from harness.ethosu.vela import VelaOptions
from harness.offload.running import NpuRequest
from harness.offload.subject import read_subject
from harness.offload.sweep import sweep
from harness.report.html.npu import KINDS, css_class, render, timeline, times, traffic_by_layer, traffic_by_operation
from harness.report.npu import comparison, files, tables, words
from harness.report.npu import sweep as sweeps
from harness.report.npu.document import npu_document
from harness.report.npu.markdown import markdown
from harness.resources import data
from tests.report.host.test_html import EVIL, Tags
from tests.support.offload import mixed_model, offloaded
from tests.support.paths import FIXTURES

LONGEST = 0.62


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return npu_document(offloaded(mixed_model(tmp_path_factory.mktemp("mixed")), "ethos-u55-128"))


@pytest.fixture(scope="module")
def residual():
    return npu_document(offloaded(FIXTURES / "residual.tflite", "ethos-u65-256"))


@pytest.fixture(scope="module")
def swept():
    request = NpuRequest(VelaOptions(memory_mode="Sram_Only", system_config="Ethos_U55_Deep_Embedded"), None)
    names = ("ethos-u55-64", "ethos-u55-256", "ethos-u85-128")
    model = read_subject(FIXTURES / "residual.tflite")
    return sweeps.sweep_document(sweep(model, request, names, False, lambda what, done, total: None))


def drawn(svg: str, cls: str = "") -> list[ElementTree.Element]:
    boxes = ElementTree.fromstring(str(svg)).iter("rect")
    return [box for box in boxes if not cls or cls in box.get("class", "").split()]


def width(box: ElementTree.Element) -> float:
    return float(box.get("width", "").removesuffix("%")) / 100


def test_the_document_is_json_and_its_sums_agree(run, residual):
    for document in (run, residual):
        assert json.loads(json.dumps(document, allow_nan=False)) == document
        assert sum(layer["cycles"] for layer in document["layers"]) == document["npu"]["cycles"]["value"]
        assert sum(document["npu"]["beats"].values()) == sum(one["beats"] for one in document["npu"]["kinds"])
        assert {one["kind"] for one in document["npu"]["kinds"]} <= set(KINDS)
        assert words.is_sound(document) and document["check"]["exact"]
    assert run["cpu"]["operators"][0]["operator"] == "L2_NORMALIZATION"
    assert run["seconds"] == pytest.approx(
        (run["npu"]["cycles"]["value"] + run["cpu"]["estimate"]["cycles"]["value"]) / run["clock_hz"], rel=1e-3
    )


def test_what_is_said_is_what_the_document_has(run):
    text = " ".join(words.summary(run))
    assert f"{run['npu']['cycles']['value']:,} modelled cycles (no waits)" in text
    assert "1 operator left to it" in text and "outputs: exact on 2 vectors" in text
    lines = tables.layers(run).plain()
    assert any("L2_NORMALIZATION" in line and "cpu" in line and "Unsupported" in line for line in lines)
    assert any("all, with commands" in line for line in lines)


def test_the_page_is_whole_and_says_what_every_picture_is(run, residual, swept):
    for document in (run, residual, swept, {**run, "comparison": comparison.comparison_document(run, run, 0.01)}):
        page = render(document)
        tags = Tags(page)
        assert not {tag for tag, _, _ in tags.found} & {"link", "img", "iframe", "object", "image", "use"}
        ids = [attributes["id"] for _, attributes, _ in tags.found if "id" in attributes]
        assert len(ids) == len(set(ids))
        assert len(tags.of("main")) == 1 and len(tags.of("h1")) == 1
        assert len(tags.of("caption")) == len(tags.of("table")) > 0
        pictures = re.findall(r'<svg class="[a-z]+" width="100%".*?</svg>', page, re.S)
        assert pictures and all("<title>" in one and "<desc>" in one for one in pictures)
        assert not any(k == "style" or k.startswith("on") for _, attributes, _ in tags.found for k in attributes)


def test_bars_of_layers_are_on_one_scale(run):
    values = [
        (layer["cycles"] if layer["where"] == "npu" else layer["cpu"]["cycles"]["value"], layer["cpu_only"])
        for layer in run["layers"]
    ]
    most = max(max(own, alone["cycles"]["value"]) for own, alone in values)
    for (own, alone), bar, layer in zip(values, times(run), run["layers"], strict=True):
        (mine,) = drawn(bar.picture, "ours" if layer["where"] == "npu" else "reference")
        (other,) = drawn(bar.picture, "harness")
        assert width(mine) == pytest.approx(max(own / most * LONGEST, 0.002), abs=1e-4)
        assert width(other) == pytest.approx(max(alone["cycles"]["value"] / most * LONGEST, 0.002), abs=1e-4)


def test_the_timeline_has_each_stretch_in_its_lane(run):
    total = sum(part["cycles"] for part in run["timeline"])
    boxes = drawn(timeline(run), "part")
    assert len(boxes) == len(run["timeline"])
    at = 0.0
    for part, box in zip(run["timeline"], boxes, strict=True):
        assert float(box.get("x", "").removesuffix("%")) == pytest.approx(100 * at, abs=0.02)
        assert width(box) == pytest.approx(max(part["cycles"] / total, 0.002), abs=1e-4)
        assert (box.get("y") == "0") == (part["where"] == "npu")
        at += part["cycles"] / total
    assert at == pytest.approx(1)


def test_traffic_is_stacked_by_kind_for_each_port(residual):
    rows = [layer for layer in residual["layers"] if layer["kinds"]]
    most = max(sum(k["beats"] for k in layer["kinds"] if k["port"] == port) for layer in rows for port in (0, 1))
    for layer, bar in zip(rows, traffic_by_layer(residual), strict=True):
        boxes = drawn(bar.picture)
        assert len(boxes) == len(layer["kinds"])
        for one in layer["kinds"]:
            told = f"AXI{one['port']} {one['kind']}: {one['beats']:,} beats"
            (box,) = [box for box in boxes if box.findtext("title") == told]
            assert css_class(one["kind"]) == box.get("class")
            assert width(box) == pytest.approx(max(one["beats"] / most * LONGEST, 0.002), abs=1e-4)
    operations = sum(len(layer["operations"]) for layer in residual["layers"])
    assert len(list(traffic_by_operation(residual))) == operations > len(rows)


def test_every_kind_has_a_colour():
    style = data("templates", "report", "page.css").read_text(encoding="utf-8")
    for kind in map(css_class, KINDS):
        assert f"\n.{kind} {{ fill:" in style and f"\n.key.{kind} {{ background:" in style


def test_text_of_the_model_is_escaped(run):
    evil = copy.deepcopy(run)
    evil["name"] = EVIL
    for layer in evil["layers"]:
        layer["operator"] = layer["output"] = layer["reason"] = EVIL
    evil["cpu"]["operators"][0] |= {"operator": EVIL, "reason": EVIL}
    page = render(evil)
    assert "<script>alert" not in page and "\u202e" not in page
    Tags(page)
    assert "<img" not in re.sub(r"\\<", "", markdown(evil))


def test_markdown_has_every_table(run, swept):
    text = markdown(run)
    assert text.count("| ---") + text.count("| --:") >= 2 and "L2\\_NORMALIZATION" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 2, "two tables, each of one width"
    assert "ethos-u55-256" in markdown(swept)


def test_a_sweep_is_a_table_with_what_was_not_simulated(swept):
    status = [point["status"] for point in swept["points"]]
    assert status == ["simulated", "simulated", "refused"] or status.count("simulated") == 2
    lines = sweeps.points(swept).plain()
    assert any(line.startswith("*") and "ethos-u55-256" in line for line in lines)
    assert sweeps.is_sound(swept)


def test_equal_runs_do_not_differ(run):
    found = comparison.comparison_document(run, run, 0.0)
    assert not found["worse"] and not found["operators"] and found["same_model"]
    assert {one["change"] for one in found["figures"]} == {"same", "told"}


def test_operators_that_got_slower_or_left_the_npu_are_named(run):
    slower = copy.deepcopy(run)
    slower["layers"][0]["cycles"] *= 2
    slower["npu"]["cycles"]["value"] += run["layers"][0]["cycles"]
    found = comparison.comparison_document(run, slower, 0.01)
    assert found["worse"]
    assert [(one["number"], one["change"]) for one in found["operators"]] == [(0, "worse")]
    back = comparison.comparison_document(slower, run, 0.01)
    assert not back["worse"] and [one["change"] for one in back["operators"]] == ["better"]
    assert not comparison.comparison_document(run, slower, 1.5)["operators"], "within the threshold"
    left = copy.deepcopy(run)
    left["layers"][0] |= {"where": "cpu", "cycles": 0}
    assert comparison.comparison_document(run, left, 0.5)["operators"][0]["change"] == "worse"
    gone = {**run, "layers": run["layers"][1:]}
    assert comparison.comparison_document(run, gone, 0.01)["operators"][0]["change"] == "gone"
    text = " ".join(comparison.operators(found).plain())
    assert "+100.0%" in text and "worse" in text


def test_cycles_that_are_counted_otherwise_are_told_and_not_judged(run):
    waiting = copy.deepcopy(run)
    waiting["npu"]["basis"] = "Shared_Sram, somewhere"
    waiting["npu"]["cycles"]["value"] *= 3
    waiting["layers"][0]["cycles"] *= 3
    found = comparison.comparison_document(run, waiting, 0.01)
    assert not found["worse"] and not found["operators"]
    assert "are not judged: no waits; Shared_Sram, somewhere" in " ".join(comparison.summary(found))
    unknown = {**run, "npu": None, "simulated": False}
    assert not comparison.comparison_document(unknown, run, 0.01)["worse"]
    other = {**waiting, "npu": {**run["npu"], "basis": "Sram_Only, elsewhere"}, "layers": run["layers"]}
    assert comparison.comparison_document(other, waiting, 0.01)["worse"], "both with waits"


def test_a_base_is_read_back_and_other_files_are_refused(run, tmp_path):
    path = tmp_path / "base.json"
    files.write([path], run)
    assert comparison.read_base(path) == json.loads(path.read_text())
    for content in (b"", b"{", b"[]", b"null", b'{"kind": "run"}', b"\xff", b"[" * 100_000):
        path.write_bytes(content)
        with pytest.raises(InputError, match="base.json"):
            comparison.read_base(path)
    with pytest.raises(InputError, match="missing.json"):
        comparison.read_base(tmp_path / "missing.json")


@settings(max_examples=40)
@given(st.data())
def test_a_base_with_anything_in_place_of_a_part_is_read_or_refused(run, tmp_path_factory, data):
    damaged = copy.deepcopy(run)
    at, keys = damaged, []
    for _ in range(data.draw(st.integers(1, 4))):
        if not isinstance(at, (dict, list)) or not at:
            break
        keys.append((at, data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))))
        at = at[keys[-1][1]]
    parent, key = keys[-1]
    parent[key] = data.draw(st.sampled_from([None, -1, "text", [], {}, 1e300, True]))
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(damaged))
    try:
        comparison.comparison_document(comparison.read_base(path), run, 0.01)
    except InputError as error:
        assert "any.json" in error.message


def test_files_are_of_known_kinds_and_written_whole_or_not(run, tmp_path):
    with pytest.raises(OptionError, match="report.pdf"):
        files.check_kind(tmp_path / "report.pdf")
    written = [tmp_path / name for name in ("a.html", "a.json", "a.md")]
    files.write(written, run)
    assert all(path.stat().st_size > 500 for path in written)
    with pytest.raises(OutputError, match="cannot be written"):
        files.write([tmp_path / "a.html" / "b.html"], run)
