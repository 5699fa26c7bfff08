"""A results document as one HTML file: tables and inline SVG pictures, nothing loaded from elsewhere.

All text that comes from models, cards or boards goes through `escape`; there is no script in the page.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from harness.report import cycles, rows
from harness.report.document import Document
from harness.report.flame import flame
from harness.report.pictures import arena_map, layer_bars
from harness.report.rows import ReportTable

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --ours: #2563eb; --ref: #b45309; --cmsis: #0f766e;
  --state: #9333ea; --scratch: #64748b; --pass: #15803d; --fail: #b91c1c; --error: #b45309; }
@media (prefers-color-scheme: dark) { :root { --ours: #60a5fa; --ref: #f59e0b; --cmsis: #2dd4bf; --state: #c084fc;
  --scratch: #94a3b8; --pass: #4ade80; --fail: #f87171; --error: #fbbf24; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 80rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: 1rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .4rem; } a { color: inherit; text-underline-offset: .2em; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .87rem; }
th, td { padding: .2rem .7rem .2rem 0; text-align: left; border-bottom: 1px solid var(--soft); white-space: nowrap; }
td.wide { white-space: normal; min-width: 22rem; }
.right { text-align: right; } .note { opacity: .75; font-size: .87rem; margin: .3rem 0; }
.pass { color: var(--pass); font-weight: 600; } .fail { color: var(--fail); font-weight: 600; }
.error { color: var(--error); font-weight: 600; }
pre { background: var(--soft); padding: .7rem; overflow-x: auto; font-size: .82rem; }
svg { max-width: 100%; height: auto; } svg text { fill: currentColor; font: 11px system-ui, sans-serif; }
svg .axis { stroke: currentColor; stroke-opacity: .35; }
.tensor, .ours { fill: var(--ours); } .state { fill: var(--state); } .scratch { fill: var(--scratch); }
.reference { fill: var(--ref); } .cmsis-nn { fill: var(--cmsis); }
svg.flame rect { stroke: canvas; stroke-width: .5; fill: var(--soft); } svg.flame .layer { fill: var(--ours);
  fill-opacity: .5; } svg.flame .function { fill: var(--cmsis); fill-opacity: .5; }
svg.flame .block { fill: var(--ref); fill-opacity: .35; } svg.flame .loop { fill: var(--ref); fill-opacity: .7; }
.box { fill-opacity: .65; stroke: currentColor; stroke-opacity: .4; stroke-width: .5; }
"""


def render(results: Document) -> str:
    """The page for a results document (results.results_document)."""
    runs = results["runs"]
    body = [
        f"<h1>tinyhil results: {_word(results['verdict'])}</h1>",
        f"<p class=note>{escape(results['created'])} &middot; <code>{escape(' '.join(results['command']))}</code></p>",
        _table(rows.summary(runs), anchors=True),
        *(_run(run, name, index) for index, (run, name) in enumerate(zip(runs, rows.names(runs), strict=True))),
        "<h2>Tools</h2>",
        _table(ReportTable("", ("tool", "version"), tuple((k, str(v)) for k, v in results["tools"].items()))),
    ]
    return (
        f"<!doctype html>\n<html lang=en><head><meta charset=utf-8><title>tinyhil results: {escape(results['verdict'])}"
        '</title><meta name=viewport content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _run(run: Document, name: str, index: int) -> str:
    title = f"{name} on {rows.board_name(run)}"
    parts = [f'<h2 id="run{index}">{escape(title)}: {_word(rows.verdict_word(run))}</h2>']
    if run["kind"] == "error":
        return "\n".join([*parts, *_error(run)])
    board, oracle, vectors = run["board"], run["oracle"], run["vectors"]
    # The host board's clock is the unit of its time, not a property of the machine.
    clock = "" if board["core"] == "host" else f" at {board['clock_hz'] / 1e6:g} MHz"
    facts = (
        f"{board['core']}{clock}, {rows.link(run)}; {vectors['count']} vectors "
        f"({vectors['name']}{', one sequence' if vectors['sequence'] else ''}); "
        f"oracle {oracle['name']} ({oracle['version']}); build {run['image']['build_id']}, {run['image']['toolchain']}"
    )
    parts.append(f"<p class=note>{escape(facts)}</p>")
    if board["stand_in"]:
        parts.append(f"<p class=error>{escape(board['reason'])}</p>")
    parts += [f"<p class=note>{escape(note)}</p>" for note in run["notes"]]
    parts.append(_table(rows.checks(run)))
    if run["verdict"]["first_layer"]:
        parts += ["<h3>First differing layer</h3>", f"<pre>{escape(rows.first_difference(run))}</pre>"]
    parts += [
        *_section(rows.metrics(run)),
        *_confusion(run),
        *_section(rows.opinions(run)),
        *_section(rows.against_tflm(run)),
        "<h3>Memory</h3>",
        f"<p class=note>{escape(rows.equation(run))}<br>{escape(rows.arena_parts(run))}<br>"
        f"{escape(rows.ram_equation(run))}<br>"
        f"{escape(rows.flash_equation(run['image']['groups'], run['memory']['constants']))}<br>"
        f"{escape(rows.arena_check(run))}<br>{escape(rows.memory_use(run['image']))}</p>",
        "<h3>Arena over time</h3>",
        f"<div class=scroll>{arena_map(run['arena'])}</div>",
    ]
    if run["time"]["total"] is not None:
        parts += ["<h3>Layers</h3>", f"<div class=scroll>{layer_bars(run)}</div>"]
    parts.append(_table(rows.profile(run)))
    if run.get("modelled"):
        parts.append(modelled(run["modelled"]))
    elif run.get("modelled_note"):
        parts.append(f"<p class=note>{escape(run['modelled_note'])}</p>")
    if run["transcript"] and not run["verdict"]["passed"]:
        parts.append(_details("Last bytes on the line", run["transcript"]))
    return "\n".join(parts)


def modelled(document: Document) -> str:
    """The section of modelled cycles: layers, a flame graph, and the hottest code."""
    parts = [
        *_section(cycles.layers(document)),
        "<h3>Where modelled cycles go: layers, functions, blocks of code (loops darker)</h3>",
        f"<div class=scroll>{flame(document)}</div>",
        *_section(cycles.what_if(document)),
        *_section(cycles.what_if_layers(document)),
    ]
    parts += [_details(heading, "\n".join(listing)) for heading, listing in cycles.hot(document)]
    return "\n".join(parts)


def _error(run: Document) -> Iterable[str]:
    error = run["error"]
    yield f"<p class=error>{escape(error['stage'])}: {escape(error['message'])} [{escape(error['code'])}]</p>"
    yield f"<p>{escape(error['hint'])}</p>"
    if error["details"]:
        yield f"<pre>{escape(error['details'])}</pre>"
    if run["transcript"]:
        yield _details("Last bytes on the line", run["transcript"])


def _details(title: str, text: str) -> str:
    return f"<details><summary>{escape(title)}</summary><pre>{escape(text)}</pre></details>"


def _confusion(run: Document) -> Iterable[str]:
    matrix = run["verdict"]["confusion"]
    if not matrix:
        return
    accuracy = run["verdict"]["accuracy"]
    yield f"<h3>Confusion matrix: {accuracy['board']:.2%} right (reference: {accuracy['reference']:.2%})</h3>"
    columns = ("right \\ predicted", *(str(i) for i in range(len(matrix))))
    lines = tuple((str(i), *(str(n) if n else "." for n in row)) for i, row in enumerate(matrix))
    yield _table(ReportTable("", columns, lines, frozenset(columns[1:])))


def _section(table: ReportTable) -> list[str]:
    return [f"<h3>{escape(table.title)}</h3>", _table(table)] if table.rows or table.notes else []


def _table(table: ReportTable, anchors: bool = False) -> str:
    """An HTML table; with `anchors`, the first cell of line N is a link to the section of run N."""
    head = "".join(f"<th{_side(table, column)}>{escape(column)}</th>" for column in table.columns)
    lines = []
    for index, row in enumerate(table.rows):
        cells = []
        for place, (column, cell) in enumerate(zip(table.columns, row, strict=True)):
            if anchors and place == 0:
                cells.append(f'<td><a href="#run{index}">{escape(cell)}</a></td>')
            elif column in ("verdict", "status"):
                cells.append(f"<td>{_word(cell)}</td>")
            elif column in table.prose:
                cells.append(f"<td class=wide>{escape(cell)}</td>")
            else:
                cells.append(f"<td{_side(table, column)}>{escape(cell)}</td>")
        lines.append(f"<tr>{''.join(cells)}</tr>")
    notes = "".join(f"<p class=note>{escape(note)}</p>" for note in table.notes)
    if not lines:
        return notes
    return f"<div class=scroll><table><tr>{head}</tr>{''.join(lines)}</table></div>{notes}"


def _side(table: ReportTable, column: str) -> str:
    return " class=right" if column in table.right else ""


def _word(word: str) -> str:
    kind = word if word in ("pass", "fail", "error") else "note"
    return f"<span class={kind}>{escape(word)}</span>"
