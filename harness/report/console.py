"""Documents as rich renderables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.panel import Panel
from rich.table import Table as RichTable
from rich.text import Text

from harness.errors import TinyhilError
from harness.report import cycles, rows
from harness.report.document import Document
from harness.report.rows import ReportTable
from harness.validate.differences import short_name

_COLOURS = {"pass": "green", "fail": "red", "error": "yellow", "ok": "green", "missing": "red", "optional": "yellow"}


# Characters after which prose in a table wraps
_PROSE = 76


def table(content: ReportTable) -> RenderableType:
    """A table with its title and notes; print it with `show`, which never cuts a cell."""
    rich = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in content.columns:
        if column in content.prose:
            rich.add_column(column, max_width=_PROSE, overflow="fold")
        else:
            rich.add_column(column, justify="right" if column in content.right else "left", no_wrap=True)
    for row in content.rows:
        rich.add_row(*(Text(cell, style=_COLOURS.get(cell, "")) for cell in row))
    title = [Text(content.title, style="bold")] if content.title else []
    notes = [Text(note, style="dim") for note in content.notes]
    return Group(*title, rich, *notes, Text("")) if content.rows else Group(*notes)


def show(console: Console, parts: Iterable[RenderableType]) -> None:
    """Print; what is wider than the terminal runs on, because a number that is cut is a wrong number."""
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
        yield Text(f"{name} on {rows.board_name(document)}", style="bold underline")
        if document["kind"] == "error":
            yield error_panel_of(document["error"])
            continue
        yield from _stand_in(document)
        yield table(rows.checks(document))
        if document["verdict"]["first_layer"]:
            yield Panel(Text(rows.first_difference(document)), title="First differing layer", border_style="red")
        yield table(rows.metrics(document))
        yield Text(f"  {rows.equation(document)}")
        yield Text(f"  {rows.arena_parts(document)}")
        yield Text(f"  {rows.arena_check(document)}")
        yield Text(f"  {rows.flash_equation(document['image']['groups'], document['memory']['constants'])}")
        yield Text(f"  {rows.ram_equation(document)}")
        yield from _memory(document)
        if document["opinions"] or document["opinion_notes"]:
            yield table(rows.opinions(document))
        yield from _notes(document)
        yield Text("")
    yield table(rows.summary(documents))


def profile(document: Document) -> Iterable[RenderableType]:
    """The report of a profile."""
    yield Text(f"{document['name']} on {rows.board_name(document)}, {document['board']['core']}", style="bold")
    yield from _stand_in(document)
    yield table(rows.profile(document))
    yield table(rows.against_tflm(document))
    yield Text(f"  {rows.equation(document)}")
    yield Text(f"  {rows.arena_parts(document)}")
    yield Text(f"  {rows.arena_check(document)}")
    yield from _memory(document)
    yield from _notes(document)
    if document.get("modelled"):
        yield Text("")
        yield from prediction(document["modelled"])
    elif document.get("modelled_note"):
        yield Text(f"  {document['modelled_note']}")


def prediction(document: Document) -> Iterable[RenderableType]:
    """Modelled cycles: by layer, of changed boards, and the hottest code."""
    yield table(cycles.layers(document))
    if document["what_if"]:
        yield table(cycles.what_if(document))
        yield table(cycles.what_if_layers(document))
    for heading, listing in cycles.hot(document):
        yield Text(heading, style="bold")
        yield from (Text(f"  {line}") for line in listing)
        yield Text("")


def analysis(document: Document) -> Iterable[RenderableType]:
    """The report of an analysis: everything known without running the model."""
    model, arena = document["model"], document["arena"]
    yield Text(f"{model['file']}: {model['bytes']:,} B, {model['operators']} operators", style="bold")
    for role in ("inputs", "outputs"):
        for tensor in model[role]:
            shape = "x".join(str(n) for n in tensor["shape"]) or "scalar"
            scale = f", scale {tensor['scale']:.6g}, zero point {tensor['zero_point']}" if tensor["scale"] else ""
            yield Text(f"  {role[:-1]}: {tensor['name']} {tensor['dtype']} {shape}{scale}")
    removed: dict[str, int] = {}
    for line in document["removed"]:
        removed[line["op"]] = removed.get(line["op"], 0) + 1
    operators = tuple(
        (op, str(count), "supported" + (f", {removed[op]} compiled away" if op in removed else ""))
        for op, count in document["operators"].items()
    )
    yield table(ReportTable("Operators", ("operator", "count", "coverage"), operators, frozenset({"count"})))
    layers = tuple(
        (
            str(layer["index"]),
            layer["name"],
            "+".join([layer["op"], *layer["fused"]]),
            layer["kernel"],
            f"{layer['macs']:,}",
            f"{layer['scratch']:,}",
            *(rows.number(expected[name]["value"]) for name in ("instructions", "cycles")),
            "" if expected["basis"] == "fitted" else expected["basis"],
        )
        for layer, expected in zip(document["layers"], document["expected"], strict=True)
    )
    figures = ("expected instructions", "expected modelled cycles", "by")
    columns = ("#", "layer", "op", "kernel", "MACs", "scratch B", *figures)
    note = (
        "expected: by the kernels' own cost models, which chose them; `tinyhil profile` executes the layers "
        "and costs what it sees"
    )
    where = f"{document['core']} on {document['board']}" if document["board"] else document["core"]
    right = frozenset(columns) - {"layer", "op", "kernel", "by"}
    yield table(ReportTable(f"Layers for {where}", columns, layers, right, (note,)))
    places = tuple(
        (
            f"{p['offset']:,}",
            f"{p['size']:,}",
            p["kind"],
            _life(p["first_layer"], p["last_layer"], len(document["layers"])),
            short_name(p["name"]),
        )
        for p in sorted(arena["placements"], key=lambda p: (p["offset"], p["first_layer"]))
    )
    arena_columns = ("offset", "bytes", "kind", "layers", "name")
    yield table(ReportTable("Arena", arena_columns, places, frozenset({"offset", "bytes"})))
    yield Text(f"  {rows.equation(document)}")
    yield Text(f"  {rows.arena_parts(document)}")
    yield Text(f"  {document['macs']:,} MACs; weights and tables {document['constants']:,} B")
    if document["image"]:
        yield Text(f"  {rows.flash_equation(document['image']['groups'], document['constants'])}")
    if document["flash_note"]:
        yield Text(f"  {document['flash_note']}")


def _life(first: int, last: int, layers: int) -> str:
    """Where a placement lives: before the first layer the caller writes inputs, after the last it reads outputs."""
    return f"{'input' if first < 0 else first} to {'output' if last >= layers else last}"


def error_panel(error: TinyhilError) -> Panel:
    """What failed, and what to try next."""
    return error_panel_of({**error.as_dict(), "transcript": error.transcript})


def error_panel_of(error: Document) -> Panel:
    """The same from the error's document."""
    lines = [Text(str(error["message"]))]
    if error["details"]:
        lines.append(Text(str(error["details"]), style="dim"))
    lines.append(Text.assemble(("try: ", "bold"), str(error["hint"])))
    return Panel(Group(*lines), title=f"{error['stage']}: {error['code']}", title_align="left", border_style="red")


def _memory(document: Document) -> Iterable[RenderableType]:
    if text := rows.memory_use(document["image"]):
        yield Text(f"  {text}")


def _stand_in(document: Document) -> Iterable[RenderableType]:
    if document["board"]["stand_in"]:
        yield Text(f"  {document['board']['reason']}", style="yellow")


def _notes(document: Document) -> Iterable[RenderableType]:
    for note in document["notes"]:
        yield Text(f"  {note}")
