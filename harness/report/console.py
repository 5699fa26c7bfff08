"""Documents as rich renderables, for terminals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.panel import Panel
from rich.table import Table as RichTable
from rich.text import Text

from harness.errors import TinyhilError
from harness.report import addresses, analysis_rows, compression, cycles, rows, tflm
from harness.report.document import Document
from harness.report.plain import one_line, plain
from harness.report.table import GAP, NARROWEST, FittedTable, ReportTable, fit
from harness.report.wrapping import wrap

_COLOURS = {"pass": "green", "fail": "red", "error": "yellow", "ok": "green", "missing": "red", "optional": "yellow"}

class _WrappedText:
    """Text that may hold words of a file or of a device; broken between words, never within a number."""

    def __init__(self, text: str, style: str = "") -> None:
        self._text, self._style = text, style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in wrap(self._text, options.max_width, "  "):
            yield Text(line, style=self._style, no_wrap=True, overflow="ignore")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        widest = max(map(cell_len, self._text.split("\n")), default=0)
        return Measurement(widest, widest)


class _FittingTable:
    """A table that is fitted to where it is printed."""

    def __init__(self, content: ReportTable) -> None:
        self._content = content

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        fitted = fit(self._content, options.max_width)
        if self._content.title:
            yield _line(self._content.title, style="bold")
        if len(fitted.cells) > 1:
            yield _rich(fitted)
        yield from (_line(note, style="dim") for note in fitted.notes)
        if len(fitted.cells) > 1:
            yield Text("")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        natural = fit(self._content, None).natural
        widest = max(map(cell_len, (self._content.title, *self._content.notes)), default=0)
        return Measurement(natural, max(natural, widest))


def _rich(fitted: FittedTable) -> RichTable:
    # One blank is the box's own.
    rich = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0))
    head, *rows = fitted.cells
    for column, right in zip(head, fitted.right, strict=True):
        rich.add_column("\n".join(column), justify="right" if right else "left", no_wrap=True)
    for row in rows:
        cells = ("\n".join(cell) for cell in row)
        rich.add_row(*(Text(cell, style=_COLOURS.get(cell, "")) for cell in cells))
    return rich


def table(content: ReportTable) -> RenderableType:
    """A table with its title and notes; print it with `show`, which says how wide it may be."""
    return _FittingTable(content)


def show(console: Console, parts: Iterable[RenderableType], width: int | None = None) -> None:
    """Prints in lines of at most `width` columns; in lines as wide as they are for None."""
    usual = console.width
    for part in parts:
        console.width = usual if width is None else max(width, NARROWEST)
        if width is None and not isinstance(part, Panel):
            natural = Measurement.get(console, console.options.update(width=10_000), part).maximum
            console.width = max(usual, natural)
        console.print(part)
    console.width = usual


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
        yield from _compression(document)
        yield from _addresses(document)
        yield from _sums(document)
        yield from _memory(document)
        if document["opinions"] or document["opinion_notes"]:
            yield table(rows.opinions(document))
        yield from _notes(document)
        yield Text("")
    yield table(rows.summary(documents))


def _compression(document: Document) -> Iterable[RenderableType]:
    if document.get("compression"):
        yield table(compression.table(document["compression"]))


def _addresses(document: Document) -> Iterable[RenderableType]:
    if document.get("static"):
        yield table(addresses.addresses(document))
        yield table(addresses.layers(document))


def _sums(document: Document) -> Iterable[RenderableType]:
    if tflm.program_of(document):
        yield table(rows.profile(document))
        yield from (_line(f"  {text}") for text in tflm.sums(document))
        return
    yield _line(f"  {rows.equation(document)}")
    yield _line(f"  {rows.arena_parts(document)}")
    yield _line(f"  {rows.arena_check(document)}")
    yield _line(f"  {rows.flash_equation(document['image']['groups'], document['memory']['constants'])}")
    yield _line(f"  {rows.ram_equation(document)}")
    yield _line(f"  {rows.link(document)}")


def profile(document: Document, *, listings: bool = False) -> Iterable[RenderableType]:
    """The report of a profile; with `listings`, the instructions of the hottest code."""
    yield _line(f"{document['name']} on {rows.board_name(document)}, {document['board']['core']}", style="bold")
    yield from _stand_in(document)
    yield table(rows.profile(document))
    yield table(rows.against_tflm(document))
    yield from _addresses(document)
    yield from _compression(document)
    if tflm.program_of(document):
        yield from (_line(f"  {text}") for text in tflm.sums(document))
    else:
        yield _line(f"  {rows.equation(document)}")
        yield _line(f"  {rows.arena_parts(document)}")
        yield _line(f"  {rows.arena_check(document)}")
    yield from _memory(document)
    yield from _notes(document)
    if document.get("modelled"):
        yield Text("")
        yield from prediction(document["modelled"], listings=listings)
    elif document.get("modelled_note"):
        yield _line(f"  {document['modelled_note']}")


def prediction(document: Document, *, listings: bool = False) -> Iterable[RenderableType]:
    """Modelled cycles: by layer, of changed boards, and with `listings` the hottest code."""
    yield table(cycles.layers(document))
    if document["what_if"]:
        yield table(cycles.what_if(document))
        yield table(cycles.what_if_layers(document))
    if document.get("modes"):
        yield table(cycles.modes(document))
    yield from listings_of(cycles.hot(document) if listings else ())


def listings_of(blocks: Iterable[tuple[str, list[str]]]) -> Iterable[RenderableType]:
    """Hot blocks of code by heading, with their instructions."""
    for heading, listing in blocks:
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
    yield from _compression(document)
    yield table(analysis_rows.arena(document))
    yield _line(f"  {rows.equation(document)}")
    yield _line(f"  {rows.arena_parts(document)}")
    yield _line(f"  {rows.macs_equation(document)}; weights and tables {document['constants']:,} B")
    yield from (_line(f"  {line}") for line in analysis_rows.fit(document))
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
        lines.append(_WrappedText(plain(str(error["details"])), style="dim"))
    lines.append(_line(f"try: {error['hint']}"))
    return Panel(Group(*lines), title=f"{error['stage']}: {error['code']}", title_align="left", border_style="red")


def _line(text: str, style: str = "") -> _WrappedText:
    """A line that may hold words of a file or of a device."""
    return _WrappedText(one_line(text), style)


def _memory(document: Document) -> Iterable[RenderableType]:
    if text := rows.memory_use(document["image"]):
        yield _line(f"  {text}")


def _stand_in(document: Document) -> Iterable[RenderableType]:
    if document["board"]["stand_in"]:
        yield _line(f"  {document['board']['reason']}", style="yellow")


def _notes(document: Document) -> Iterable[RenderableType]:
    for note in document["notes"]:
        yield _line(f"  {note}")
