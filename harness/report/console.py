"""Documents as rich renderables, for terminals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.panel import Panel
from rich.table import Table as RichTable
from rich.text import Text

from harness.errors import TinyhilError
from harness.report import analysis_rows, cycles, rows
from harness.report.document import Document
from harness.report.plain import one_line, plain
from harness.report.rows import ReportTable

_COLOURS = {"pass": "green", "fail": "red", "error": "yellow", "ok": "green", "missing": "red", "optional": "yellow"}

_PROSE = 76
"""Width in characters at which prose in a table wraps."""


def table(content: ReportTable) -> RenderableType:
    """A table with its title and notes; print it with `show`, which never cuts a cell."""
    rich = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in content.columns:
        if column in content.prose:
            rich.add_column(column, max_width=_PROSE, overflow="fold")
        else:
            rich.add_column(column, justify="right" if column in content.right else "left", no_wrap=True)
    for row in content.rows:
        cells = (
            plain(cell) if column in content.prose else one_line(cell)
            for column, cell in zip(content.columns, row, strict=True)
        )
        rich.add_row(*(Text(cell, style=_COLOURS.get(cell, "")) for cell in cells))
    title = [_line(content.title, style="bold")] if content.title else []
    notes = [_line(note, style="dim") for note in content.notes]
    return Group(*title, rich, *notes, Text("")) if content.rows else Group(*notes)


def show(console: Console, parts: Iterable[RenderableType]) -> None:
    """Prints; lines wider than the terminal are not cut, since a number that is cut would be wrong."""
    terminal = console.width
    for part in parts:
        if not isinstance(part, Panel):
            wanted = Measurement.get(console, console.options.update(width=2000), part).maximum
            console.width = max(terminal, wanted)
        console.print(part)
        console.width = terminal


def validation(documents: Sequence[Document]) -> Iterable[RenderableType]:
    """The report of a validation: details of each run, then the summary."""
    for document, name in zip(documents, rows.names(documents), strict=True):
        yield _line(f"{name} on {rows.board_name(document)}", style="bold underline")
        if document["kind"] == "error":
            yield error_panel_of(document["error"])
            continue
        yield from _stand_in(document)
        yield table(rows.checks(document))
        if document["verdict"]["first_layer"]:
            yield Panel(Text(rows.first_difference(document)), title="First differing layer", border_style="red")
        yield table(rows.metrics(document))
        yield _line(f"  {rows.equation(document)}")
        yield _line(f"  {rows.arena_parts(document)}")
        yield _line(f"  {rows.arena_check(document)}")
        yield _line(f"  {rows.flash_equation(document['image']['groups'], document['memory']['constants'])}")
        yield _line(f"  {rows.ram_equation(document)}")
        yield _line(f"  {rows.link(document)}")
        yield from _memory(document)
        if document["opinions"] or document["opinion_notes"]:
            yield table(rows.opinions(document))
        yield from _notes(document)
        yield Text("")
    yield table(rows.summary(documents))


def profile(document: Document) -> Iterable[RenderableType]:
    """The report of a profile."""
    yield _line(f"{document['name']} on {rows.board_name(document)}, {document['board']['core']}", style="bold")
    yield from _stand_in(document)
    yield table(rows.profile(document))
    yield table(rows.against_tflm(document))
    yield _line(f"  {rows.equation(document)}")
    yield _line(f"  {rows.arena_parts(document)}")
    yield _line(f"  {rows.arena_check(document)}")
    yield from _memory(document)
    yield from _notes(document)
    if document.get("modelled"):
        yield Text("")
        yield from prediction(document["modelled"])
    elif document.get("modelled_note"):
        yield _line(f"  {document['modelled_note']}")


def prediction(document: Document) -> Iterable[RenderableType]:
    """Modelled cycles: by layer, of changed boards, and the hottest code."""
    yield table(cycles.layers(document))
    if document["what_if"]:
        yield table(cycles.what_if(document))
        yield table(cycles.what_if_layers(document))
    for heading, listing in cycles.hot(document):
        yield _line(heading, style="bold")
        yield from (_line(f"  {line}") for line in listing)
        yield Text("")


def analysis(document: Document) -> Iterable[RenderableType]:
    """The report of an analysis, which does not run the model."""
    model = document["model"]
    yield _line(f"{model['file']}: {model['bytes']:,} B, {model['operators']} operators", style="bold")
    yield from (_line(f"  {line}") for line in analysis_rows.tensors(document))
    yield table(analysis_rows.operators(document))
    yield table(analysis_rows.layers(document))
    yield table(analysis_rows.arena(document))
    yield _line(f"  {rows.equation(document)}")
    yield _line(f"  {rows.arena_parts(document)}")
    yield _line(f"  {document['macs']:,} MACs; weights and tables {document['constants']:,} B")
    if document["image"]:
        yield _line(f"  {rows.flash_equation(document['image']['groups'], document['constants'])}")
    if document["flash_note"]:
        yield _line(f"  {document['flash_note']}")


def error_panel(error: TinyhilError) -> Panel:
    """An error's message and hint."""
    return error_panel_of({**error.as_dict(), "transcript": error.transcript})


def error_panel_of(error: Document) -> Panel:
    """An error's message and hint, from its document."""
    lines = [_line(str(error["message"]))]
    if error["details"]:
        lines.append(Text(plain(str(error["details"])), style="dim"))
    lines.append(Text.assemble(("try: ", "bold"), one_line(str(error["hint"]))))
    return Panel(Group(*lines), title=f"{error['stage']}: {error['code']}", title_align="left", border_style="red")


def _line(text: str, style: str = "") -> Text:
    """A line that may hold words of a file or of a device."""
    return Text(one_line(text), style=style)


def _memory(document: Document) -> Iterable[RenderableType]:
    if text := rows.memory_use(document["image"]):
        yield _line(f"  {text}")


def _stand_in(document: Document) -> Iterable[RenderableType]:
    if document["board"]["stand_in"]:
        yield _line(f"  {document['board']['reason']}", style="yellow")


def _notes(document: Document) -> Iterable[RenderableType]:
    for note in document["notes"]:
        yield _line(f"  {note}")
