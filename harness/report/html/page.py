"""A results document as one HTML file: nothing is loaded from elsewhere, and it works without its script.

All text of models, cards, boards and devices is escaped by the templates or by `svg.words`; the page's policy refuses
every style and script but the page's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from harness.report import addresses, compression, cycles, rows, tflm
from harness.report.document import Document
from harness.report.html.arena import arena_map, fullest
from harness.report.html.bars import budgets, chip, layer_bars, regions, series
from harness.report.html.cards import RunCard, run_card
from harness.report.html.flame import flame
from harness.report.html.heat import heat
from harness.report.html.network import network
from harness.report.html.templates import templates
from harness.report.table import ReportTable

_CHUNK = 20
"""Rows of a picture by layer that stay together, so that none is cut where a printed page ends."""

_OPEN_RUNS = 4
"""Runs up to which all are shown open; of more only those that did not pass."""

_OPEN_CARDS = 24
"""Cards up to which all are shown open; of more only those of runs that did not pass."""

_OPEN_LAYERS = 400
"""Layers of all runs together up to which they are."""

_LAZY_LAYERS = 1000
"""Layers of all runs from which on, with scripts, a run's section is only made when it is opened."""

_ORDER = {"error": 0, "fail": 1, "pass": 2}
"""What did not pass comes first among the cards."""


def render(results: Document) -> str:
    """The page for a results document (bundle.results_document)."""
    runs = results["runs"]
    names = rows.names(runs)
    cards = [run_card(run, name, index) for index, (run, name) in enumerate(zip(runs, names, strict=True))]
    layers = sum(len(run.get("layers", ())) for run in runs)
    few = len(runs) <= _OPEN_RUNS and layers <= _OPEN_LAYERS
    content = {
        "results": results,
        "headline": _headline(cards),
        "session": _session(results.get("session")),
        "cards": _groups(sorted(cards, key=lambda card: _ORDER[card.verdict])),
        "summary": rows.summary(runs),
        "runs": [_run(run, card, few) for run, card in zip(runs, cards, strict=True)],
        "energy": _energy(results),
        "few": few,
        "lazy": layers >= _LAZY_LAYERS,
        "series": _series(runs),
        "tools": ReportTable("", ("tool", "version"), tuple((k, str(v)) for k, v in results["tools"].items())),
    }
    return str(templates().get_template("page.html.j2").render(content)) + "\n"


def modelled(document: Document) -> str:
    """The section of modelled cycles alone: layers, a flame graph, and the hottest code."""
    macros: Any = templates().get_template("run.html.j2").module
    return str(macros.modelled(_modelled(document)))


def _energy(results: Document) -> list[tuple[ReportTable, list[str]]]:
    """What was measured of energy: tables, and lines after each."""
    if not results.get("energy"):
        return []
    from harness.report import energy

    return [(energy.models(document), list(energy.summary(document))) for document in results["energy"]]


def _headline(cards: Sequence[RunCard]) -> str:
    count = {word: sum(card.verdict == word for card in cards) for word in _ORDER}
    told = {"error": "ended by an error", "fail": "failed", "pass": "passed"}
    parts = [f"{count[word]} {told[word]}" for word in _ORDER if count[word]]
    return f"{len(cards)} run{'' if len(cards) == 1 else 's'}: {', '.join(parts)}" if cards else "no run of a model"


def _groups(cards: list[RunCard]) -> dict[str, list[RunCard]]:
    """The cards that are shown open, and those that are closed."""
    if len(cards) <= _OPEN_CARDS:
        return {"open": cards, "closed": []}
    return {
        "open": [card for card in cards if card.verdict != "pass"],
        "closed": [card for card in cards if card.verdict == "pass"],
    }


def _session(session: Document | None) -> dict[str, Any] | None:
    """What is shown of a pytest session: how it ended, tests of the user's own, and what failed beside them."""
    if session is None:
        return None
    counts = ", ".join(f"{count:,} {outcome}" for outcome, count in session["counts"].items())
    bad = [test for test in session["tests"] if test["outcome"] in ("failed", "error")]
    return {
        "ended": f"{session['ended']}{f': {counts}' if counts else ''}",
        "bad": [*session["problems"], *bad],
        "tests": rows.own_tests(session),
        "problems": rows.problems(session),
    }


def _series(runs: Sequence[Document]) -> list[tuple[str, str]]:
    """(CSS class, name) of every kernel set of TFLM that is shown beside tinyhil, and the origin where not measured."""
    found = []
    for baseline in (b for run in runs for b in run.get("baselines", ())):
        origin = tflm.origin_of(baseline, "total")
        kind, name = series(baseline["kernels"], origin)
        found.append((kind, f"{name} {origin}" if origin in tflm.MARKS else name))
    return list(dict.fromkeys(found))


def _run(run: Document, card: RunCard, few: bool) -> dict[str, Any]:
    """What the section of a run shows."""
    common = {"card": card, "run": run, "open": few or card.verdict != "pass", "error": run["kind"] == "error"}
    if run["kind"] == "error":
        return common
    return {
        **common,
        "facts": _facts(run),
        "checks": rows.checks(run),
        "first_difference": rows.first_difference(run) if run["verdict"]["first_layer"] else "",
        "budgets": budgets(run),
        "chip": [*chip(run), *regions(run)],
        "pictures": list(_pictures(run)),
        "fullest": fullest(run["arena"]),
        "unit": run["time"]["unit"],
        "runtime": tflm.runtime_of(run),
        "arena_known": not tflm.program_of(run),
        "series": _series([run]),
        "layers": rows.profile(run),
        "heat": heat(run["verdict"]["confusion"]) if run["verdict"]["confusion"] else None,
        "tables": list(_tables(run)),
        "sums": _sums(run),
        "modelled": _modelled(run["modelled"]) if run.get("modelled") else None,
        "modelled_note": run.get("modelled_note"),
    }


def _tables(run: Document) -> Iterator[ReportTable]:
    yield rows.against_tflm(run)
    yield rows.metrics(run)
    if run.get("compression"):
        yield compression.table(run["compression"])
    if run.get("static"):
        yield addresses.addresses(run)
        yield addresses.layers(run)
    yield rows.opinions(run)


def _sums(run: Document) -> list[str]:
    """Arena, RAM and flash as sums."""
    if tflm.program_of(run):
        return tflm.sums(run)
    return [
        rows.equation(run),
        rows.arena_parts(run),
        rows.ram_equation(run),
        rows.flash_equation(run["image"]["groups"], run["memory"]["constants"]),
        rows.arena_check(run),
        rows.memory_use(run["image"]),
    ]


def _facts(run: Document) -> Iterable[tuple[str, str]]:
    """(name, text) of where and with what a run was made."""
    board, oracle, vectors, image = run["board"], run["oracle"], run["vectors"], run["image"]
    # The host board's clock is the unit of its time, not a property of the machine.
    clock = "" if board["core"] == "host" else f" at {board['clock_hz'] / 1e6:g} MHz"
    yield "core", f"{board['core']}{clock}, {rows.link(run)}"
    yield "vectors", f"{vectors['count']:,} ({vectors['name']}{', one sequence' if vectors['sequence'] else ''})"
    yield "oracle", f"{oracle['name']} ({oracle['version']})"
    yield "build", f"{image['build_id']}, {image['toolchain']}"
    yield "model", f"{run['model']['file']}, {run['model']['bytes']:,} B, SHA-256 {run['model']['sha256'][:16]}"


def _pictures(run: Document) -> Iterator[dict[str, Any]]:
    """Network, times and arena of a few rows each; row 0 is the input."""
    count = len(run["layers"])
    bars = layer_bars(run)
    names = [layer["name"] for layer in run["layers"]]
    for first in range(-1, count + 1, _CHUNK):
        last = min(first + _CHUNK - 1, count)
        yield {
            "network": network(run, first=first, last=last),
            "bars": bars[max(first, 0) : last + 1],
            "arena": "" if tflm.program_of(run) else arena_map(run["arena"], names, first=first, last=last),
            "first": first == -1,
            "last": last == count,
        }


def _modelled(document: Document) -> dict[str, Any]:
    """What the section of modelled cycles shows."""
    return {
        "layers": cycles.layers(document),
        "flame": flame(document),
        "tables": [cycles.what_if(document), cycles.what_if_layers(document)],
        "hot": cycles.hot(document),
    }
