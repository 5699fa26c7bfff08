"""The HTML report by its text: one file that loads nothing, whole and accessible in its structure, escaped, compact."""

from __future__ import annotations

import base64
import copy
import hashlib
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from harness import resources
from harness.errors import BoardLostError
from harness.report.bundle import Invocation, results_document
from harness.report.document import error_document, run_document
from harness.report.html import render
from harness.report.html.arena import arena_map
from harness.report.html.bars import budgets, chip, layer_bars, regions
from harness.report.html.heat import heat
from harness.report.html.network import differences, levels, network
from harness.validate.card import load_card
from harness.validate.options import Options
from harness.validate.workbench import Workbench
from tests.support.paths import FIXTURES
from tests.support.plugin_run import break_layer
from tests.support.results import on_a_chip, with_cycles, with_layers

SESSION = Invocation(["tinyhil", "validate", "<x>"], {"tinyhil": "0", "qemu": "missing: <none>"})
EVIL = '</title></svg></script></noscript><script>alert("x")</script><img src=//e.x/>&\'\u202e\x1b]0;'


def validated(name: str):
    return run_document(Workbench().validate(load_card(FIXTURES / f"{name}.hil.yaml"), "host", Options(opinions=())))


@pytest.fixture(scope="module")
def run():
    return validated("residual")


@pytest.fixture(scope="module")
def page(run):
    lost = error_document("lost", "host", BoardLostError("gone", hint="try", details="x"), "lost.hil.yaml")
    return render(results_document([run, with_cycles(on_a_chip(run, "chip")), lost], SESSION))


class Tags(HTMLParser):
    """Elements in order as (tag, attributes, tags around it), and the text of each kind of element."""

    void = ("meta", "br", "wbr", "line", "rect", "path", "input")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str], tuple[str, ...]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(page)
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, {k: v or "" for k, v in attrs}, tuple(self.open)))
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.void:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for found, attributes, _ in self.found if found == tag]


def test_the_page_is_whole_and_loads_nothing(page):
    tags = Tags(page)
    assert not {tag for tag, _, _ in tags.found} & {"link", "img", "iframe", "object", "embed", "base", "image", "use"}
    leading = ("href", "src", "srcset", "xlink:href", "action", "data", "poster")
    addresses = [v for _, attributes, _ in tags.found for k, v in attributes.items() if k in leading]
    ids = [attributes["id"] for _, attributes, _ in tags.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert addresses and all(address.startswith("#") and address[1:] in ids for address in addresses)
    assert "url(" not in page and "@import" not in page
    assert not any(k == "style" or k.startswith("on") for _, attributes, _ in tags.found for k in attributes)


def test_the_policy_lets_only_the_pages_own_style_and_script_run(page):
    tags = Tags(page)
    (policy,) = [m["content"] for m in tags.of("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    for kind in ("style", "script"):
        (text,) = re.findall(rf"<{kind}>(.*?)</{kind}>", page, re.S)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_every_table_region_and_picture_says_what_it_is(page):
    tags = Tags(page)
    assert len(tags.of("main")) == 1
    levels = [int(tag[1]) for tag, _, _ in tags.found if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))
    assert len(tags.of("caption")) == len(tags.of("table")) > 8
    assert all(head.get("scope") in ("row", "col") for head in tags.of("th"))
    regions = [a for _, a, _ in tags.found if "scroll" in a.get("class", "").split()]
    assert len(regions) >= len(tags.of("table"))
    assert all(a["tabindex"] == "0" and a["role"] == "region" and a["aria-label"] for a in regions)
    for drawn in re.findall(r'<svg class="[a-z]+" width="100%".*?</svg>', page, re.S):
        begin = r'<svg class="[a-z]+" width="100%" height="[\d.]+" role="img"><title>[^<]+</title><desc>[^<]+</desc>'
        assert re.match(begin, drawn)
    assert page.count('role="img"') > 40


def test_every_bar_leads_to_its_line_in_the_table(page, run):
    tags = Tags(page)
    rows = {a["id"]: a["data-l"] for a in tags.of("tr") if "data-l" in a and "id" in a}
    leading = [a["href"][1:] for tag, a, around in tags.found if tag == "a" and "ol" in around]
    assert sorted(leading) == sorted(rows)
    assert len(leading) == 2 * len(run["layers"])
    for prefix in ("r0-", "r1-"):
        assert [f"{prefix}{layer['index']}" for layer in run["layers"]] == [r for r in rows if r.startswith(prefix)]


def test_nothing_is_claimed_that_a_run_cannot_know(run):
    page = render(results_document([run], SESSION))
    body = page.partition("</head>")[2]
    for word in ("MHz", "Beside TensorFlow Lite Micro", "Memory of the chip", "RAM</span>", "Modelled cycles"):
        assert word not in body, word
    assert "recorded figures are instructions" in body and "not comparable" in body


def test_all_text_from_outside_is_escaped(run):
    def spoiled(value):
        if isinstance(value, dict):
            kept = ("kind", "status", "unit", "core")
            return {k: v if k in kept and isinstance(v, str) else spoiled(v) for k, v in value.items()}
        if isinstance(value, list):
            return [spoiled(item) for item in value]
        return f"{value}{EVIL}" if isinstance(value, str) else value

    runs = [spoiled(with_cycles(on_a_chip(run))), spoiled(run)]
    for made in runs:
        made["arena"]["placements"] = [p | {"kind": k["kind"]} for p, k in zip(
            made["arena"]["placements"], run["arena"]["placements"], strict=True
        )]
    lost = error_document(EVIL, EVIL, BoardLostError(EVIL, hint=EVIL, details=EVIL), EVIL) | {"transcript": EVIL}
    results = results_document([*runs, lost], Invocation([EVIL], {EVIL: EVIL}))
    for many in (results, results | {"runs": [with_layers(runs[1], 1200), lost]}):
        page = render(many)
        tags = Tags(page.replace("<noscript>", "").replace("</noscript>", ""))
        assert len(tags.of("script")) == 1
        assert not tags.of("img")
        assert "&lt;script&gt;" in page
        assert not set(page) & set("\u202e\x1b\x00")
        body = page.partition("</head>")[2].rpartition("<script>")[0]
        assert re.search(r"&(?!amp;|lt;|gt;|quot;|#39;|#34;)", body) is None
    for made in runs:
        names = [layer["name"] for layer in made["layers"]]
        for drawn in (network(made), arena_map(made["arena"], names), *(bar.picture for bar in layer_bars(made))):
            ElementTree.fromstring(drawn)


def test_what_did_not_pass_comes_first_and_says_why(page, run):
    cards = re.findall(r'<article class="card (\w+)" data-run="(\d+)".*?</article>', page, re.S)
    assert cards == [("error", "2"), ("fail", "1"), ("pass", "0")]
    text = re.sub(r"<[^>]+>", " ", page.partition('<article class="card fail"')[2].partition("</article>")[0])
    said = " ".join(text.split())
    arena = run["memory"]["arena_measured"]
    for figure in (
        f"{arena - 1000:,} over 1,000",
        "0.33x TFLM CMSIS-NN",
        f"reference {9 * run['time']['total']:,}",
        f"RAM {arena + 400:,} of 131,072 B ({(arena + 400) / 131072:.1%})",
        "Flash 24,000 of 524,288 B (4.6%) + test harness 36,000",
        f"{run['verdict']['accuracy']['board']:.2%} on target, reference",
    ):
        assert figure in said, said


def test_time_on_the_chip_and_the_float_models_accuracy_are_on_the_card(run):
    made = on_a_chip(run)
    made["time"] |= {"unit": "cycles", "total": 900_000}
    modelled = with_cycles(on_a_chip(run))
    modelled["modelled"]["milliseconds"] = {"estimate": 21.14, "low": 18.0, "high": 24.3}
    modelled["float_model"] = {"accuracy": 0.975, "oracle": "litert"}
    page = render(results_document([made, modelled, run], SESSION))
    first, second, third = (part.partition("</article>")[0] for part in page.split("<article")[1:])
    assert "5 ms at 180 MHz" in first and "21.1 ms (18 to 24.3) modelled, not validated" in second
    assert " ms" not in third
    assert "float model 97.50%" in second and "float model" not in first + third


def test_gauges_are_to_scale(run):
    made = on_a_chip(run)
    fullest, stack = budgets(made)
    assert (fullest.name, fullest.over, stack.over) == ("arena", True, False)
    arena = run["memory"]["arena_measured"]
    assert 'class="excess"' in fullest.picture and "excess" not in stack.picture
    assert f'x="{100_000 / arena:.2f}'.rstrip("0") in fullest.picture
    assert 'width="19.53%"' in stack.picture
    assert [g.name for g in chip(made)] == ["RAM", "Flash"]
    assert [g.name for g in regions(made)] == ["flash (weights)", "sram (stack, data)", "sram2 (arena)"]
    assert chip(run) == regions(run) == []


def test_bars_are_on_one_scale(run):
    made = on_a_chip(run)
    bars = layer_bars(made)
    widths = [re.findall(r'width="([\d.]+)%" height="8"', bar.picture) for bar in bars]
    longest = max(range(len(bars)), key=lambda n: made["layers"][n]["value"])
    assert widths[longest] == [f"{62 / 9:.2f}", "62", f"{62 / 3:.2f}"]
    del made["layers"][1]["value"]
    assert layer_bars(made) == [], "a run without every layer's time has no bars"


def test_the_network_shows_kernels_shapes_times_edges_and_differences(run):
    drawn = network(run)
    for layer in run["layers"]:
        assert layer["kernel"] in drawn
        assert "×".join(map(str, layer["outputs"][0]["shape"])) in drawn
    skipping = [n for n, layer in enumerate(run["layers"]) for source in layer["reads_from"] if source < n - 1]
    assert skipping and drawn.count('class="lane"') == len(skipping)
    assert max(levels(run["layers"])) == 5
    streamed = copy.deepcopy(run)
    streamed["layers"][0] |= {"hidden": 2, "fused": ["CONV_2D", "RELU"]}
    assert "3 streamed: 2 CONV_2D + RELU" in network(streamed) and "node behind" in network(streamed)
    assert "node behind" not in drawn


def test_layers_that_differ_are_marked(monkeypatch):
    break_layer(monkeypatch, 2)
    broken = validated("digits")
    found = differences(broken)
    assert min(found) == broken["verdict"]["first_layer"]["layer"] == 2
    drawn = network(broken)
    assert drawn.count("differs") == len(found)
    assert f"≠ {found[2]} LSB" in drawn
    page = render(results_document([broken], SESSION))
    assert "First differing layer" in page and "Last bytes on the line" in page
    assert page.count('href="#r0-2"') == 3, "from the card, from the difference and from the bar"


def test_edges_are_those_of_the_network(run):
    by_name = {t["name"]: n for n, layer in enumerate(run["layers"]) for t in layer["outputs"]}
    adding = run["layers"][by_name["first"]]
    assert adding["reads_from"] == sorted([by_name["stem"], by_name["first_b"]])
    assert run["layers"][0]["reads_from"] == [-1]
    assert run["layers"][by_name["classify"]]["reads_from"] == [by_name["summary"]], "a reshape is looked through"


def test_confusion_matrices_of_few_and_many_classes():
    few = heat([[8, 2, 0], [0, 0, 0], [1, 0, 9]])
    assert [recall for recall, _ in few.rows] == ["80%", "-", "90%"]
    assert few.rows[0][1] == ((8, 4, True), (2, 1, False), (0, 0, False))
    assert few.pairs == ((0, 1, 2), (2, 0, 1)) and few.drawn is None
    size = 300
    many = heat([[(5 if i == j else 0) + (1 if j == (i * 7) % size else 0) for j in range(size)] for i in range(size)])
    assert many.rows == () and many.drawn is not None
    assert len(many.pairs) == 12 and many.unshown == sum((i * 7) % size != i for i in range(size)) - 12
    assert many.drawn.count("<rect") < 1000


def test_long_reports_stay_compact(run):
    """50 models on 3 boards with 100 layers each: closed sections are text, and the file is of a stated size."""
    one = with_layers(on_a_chip(run), 100)
    one["verdict"]["passed"] = True
    failed = {**one, "name": "failed", "verdict": {**one["verdict"], "passed": False}}
    page = render(results_document([one] * 11 + [failed], SESSION))
    assert page.count("<noscript>") == 11
    assert page.count("<details open>") == 1
    assert len(page) * 150 / 12 < 40e6, "about 35 MB for 150 runs of 100 layers (docs/results.md)"
    small = render(results_document([one, failed], SESSION))
    assert "<noscript>" not in small and small.count("<details open>") >= 2


def test_of_many_runs_the_cards_of_those_that_passed_are_closed(run):
    passed = {**run, "layers": run["layers"][:2]}
    failed = {**passed, "name": "failed", "verdict": {**run["verdict"], "passed": False}}
    few, many = (render(results_document([passed] * count + [failed], SESSION)) for count in (20, 40))
    assert 'class="passed"' not in few
    shown, _, rest = many.partition('<details class="passed"><summary>40 that passed</summary>')
    assert (shown.count("<article"), rest.count("<article")) == (1, 40)


def palette(text: str) -> dict[str, dict[str, str]]:
    """Colours by name, of the light and of the dark scheme."""
    light, _, rest = text.partition("@media screen and (prefers-color-scheme: dark)")
    dark = rest.partition("}\n}")[0]
    found = {"light": dict(re.findall(r"--([\w-]+): (#\w{6})", light))}
    found["dark"] = found["light"] | dict(re.findall(r"--([\w-]+): (#\w{6})", dark))
    return found


def contrast(one: str, other: str) -> float:
    """Of two colours, as WCAG 2.2 has it."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_labels_contrast_with_what_they_stand_on(scheme):
    colours = palette(resources.data("templates", "report", "page.css").read_text(encoding="utf-8"))[scheme]
    steps = [f"h{n}" for n in range(6)]
    text_on = {
        "fg": ["bg", "panel", "free", "tensor", "state", "scratch", "mark", "none-bg", "pass-bg", *steps],
        "soft": ["bg", "panel", "tensor", "scratch", "state", "free"],
        "link": ["bg", "panel", "mark"],
        **{word: [f"{word}-bg"] for word in ("pass", "fail", "error")},
    }
    low = {(f, b): contrast(colours[f], colours[b]) for f, grounds in text_on.items() for b in grounds}
    assert not {pair: ratio for pair, ratio in low.items() if ratio < 4.5}
    shapes = ("ours", "reference", "cmsis", "other", "excess", "edge")
    assert not {name for name in shapes if contrast(colours[name], colours["free"]) < 3}
    away = [contrast(colours["bg"], colours[step]) for step in steps]
    assert away == sorted(away), "each step of colour stands out more, to those who see no hues, too"


def test_a_compression_has_its_table(run):
    layer = {"index": 3, "op": "CONV_2D", "values": 16, "before": 640, "after": 336, "sqnr": 22.3}
    weights = {"before": 640, "after": 336}
    compression = {"level": "high", "layers": [layer], "left": 0, "weights": weights, "data": None, "error": None}
    page = render(results_document([{**run, "compression": compression}], SESSION))
    assert "Compression: high" in page and "in fewer bits 336 B (52%)" in page
    assert "Compression" not in render(results_document([{**run, "compression": None}], SESSION))
