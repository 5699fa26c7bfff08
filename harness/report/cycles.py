"""Tables of modelled cycles; they are never compared with measured cycles or executed instructions."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.document import Document
from harness.report.rows import number, percent, ratio
from harness.report.table import ReportTable

STALLS = ("fetch", "data", "load-use", "interlock", "branch")


def layers(document: Document) -> ReportTable:
    """One line per layer: instructions, modelled cycles with bounds, and their causes."""
    shown = ("#", "layer", "kernel", "MACs", "instructions", "modelled cycles", "low", "high", "ms", "load", "±")
    columns = (*shown, "/MAC", "%", *STALLS)
    rows = [
        (
            str(layer["index"]),
            layer["name"],
            layer["kernel"],
            number(layer["macs"]) if layer["macs"] else "-",
            *_figures(layer),
            interval(layer.get("milliseconds")),  # which results of before do not have
            layer.get("kind", "-"),
            _error(layer),
            f"{layer['per_mac']:.2f}" if layer["per_mac"] is not None else "-",
            percent(layer["share"]),
            *(number(layer["causes"][cause]["value"]) for cause in STALLS),
        )
        for layer in document["layers"]
    ]
    macs, cycles = document["macs"], document["cycles"]["value"]
    rows.append(
        (
            "",
            "inference",
            "",
            number(macs),
            *_figures(document),
            interval(document["milliseconds"]),
            "",
            _error(document),
            f"{cycles / macs:.2f}" if macs else "-",
            "",
            *(number(document["causes"][cause]["value"]) for cause in STALLS),
        )
    )
    right = frozenset(columns) - {"layer", "kernel", "load"}
    title = f"Modelled cycles, {where(document)}: {document['label']}"
    drop = ("kernel", "/MAC", "load-use", "interlock", "branch", "MACs", "instructions", "fetch", "data", "load", "#")
    return ReportTable(title, columns, tuple(rows), right, notes(document), drop=drop)


def _figures(part: Document) -> tuple[str, ...]:
    return tuple(number(part[name]["value"]) for name in ("instructions", "cycles", "low", "high"))


def interval(time: Document | None) -> str:
    """Milliseconds with their bounds; "-" for a core alone."""
    return "-" if time is None else f"{time['estimate']:.3g} ({time['low']:.3g} to {time['high']:.3g})"


def _error(part: Document) -> str:
    return f"{100 * part['error']:.1f} %" if "error" in part else "-"


def where(document: Document) -> str:
    """What the figures are modelled for: a board with its set-up, or a core alone."""
    if document["setup"] is None:
        return f"{document['core']} alone (memory that never keeps it waiting)"
    return str(document["setup"])


def notes(document: Document) -> tuple[str, ...]:
    """Notes on the model and the run that the figures are from."""
    profile, causes = document["profile"], document["causes"]
    stalled, cycles = sum(causes[cause]["value"] for cause in STALLS), document["cycles"]["value"]
    lines = [f"  {percent(stalled / cycles)} of the cycles are stalls"] if cycles else []
    if time := milliseconds(document):
        lines.append(f"  {time}")
    reason = f": {profile['reason']}" if profile["reason"] else ""
    lines.append(f"  executed once under {profile['emulator']}{reason}")
    lines += [f"  {_kind(kind, cycles)}" for kind in document.get("kinds", ()) if kind["cycles"]["value"]]
    lines += [f"  {text}" for text in document["validation"]]
    if document["unknown"]:
        unknown = ", ".join(f"{name} ({times:,})" for name, times in document["unknown"].items())
        lines.append(f"  not in the core's table, and taken for a cycle each: {unknown}")
    return tuple(lines)


def _kind(kind: Document, cycles: int) -> str:
    results = kind["results"]
    backed = "no result of its own" if results is None else f"{results} published result{'s' * (results != 1)}"
    state = backed if kind["validated"] else f"not validated, {backed}"
    share = percent(kind["cycles"]["value"] / cycles)
    return f"{share} of the cycles are of kind {kind['kind']}, ±{100 * kind['error']:.1f} %: {state}"


def milliseconds(document: Document) -> str:
    """Time on the board in milliseconds with the placement it is for; "" for a core alone."""
    time = document["milliseconds"]
    if time is None:
        return ""
    by_memory: dict[str, list[str]] = {}
    for part, memory in document["placement"].items():
        by_memory.setdefault(memory, []).append(part)
    placed = "; ".join(f"{', '.join(parts)} in {memory}" for memory, parts in by_memory.items())
    waits = document.get("wait_states")
    many = "s" * (waits != 1)
    flash = "" if waits is None else f", flash set up as {document['flash']} with {waits} wait state{many}"
    return f"{interval(time).replace(' (', ' ms (')} on {document['setup']}{flash}, with {placed}: {document['label']}"


def what_if(document: Document) -> ReportTable:
    """One line per what-if: the same run on the board with another set-up."""
    columns = ("what if", "modelled cycles", "low", "high", "ratio", "ms", "fetch", "data", "status")
    rows = []
    for change in [{**document, "change": "as it is", "ratio": 1.0}, *document["what_if"]]:
        time = change["milliseconds"]
        rows.append(
            (
                change["change"],
                *(number(change[name]["value"]) for name in ("cycles", "low", "high")),
                ratio(change["ratio"]),
                interval(time),
                *(number(change["causes"][cause]["value"]) for cause in ("fetch", "data")),
                change["label"],
            )
        )
    right = frozenset(columns) - {"what if", "status"}
    shown = tuple(rows) if document["what_if"] else ()
    drop = ("fetch", "data", "ms", "ratio")
    return ReportTable("What if: the same run, costed otherwise", columns, shown, right, drop=drop)


def what_if_layers(document: Document) -> ReportTable:
    """Modelled cycles of each layer for each what-if."""
    changes = document["what_if"]
    columns = ("#", "layer", "as it is", *(change["change"] for change in changes))
    rows = tuple(
        (
            str(layer["index"]),
            layer["name"],
            number(layer["cycles"]["value"]),
            *(number(change["layers"][place]["cycles"]["value"]) for change in changes),
        )
        for place, layer in enumerate(document["layers"])
    )
    return ReportTable("Layers, modelled cycles", columns, rows if changes else (), frozenset(columns) - {"layer"})


def modes(document: Document) -> ReportTable:
    """One line per flash set-up and memory of weights and arena, with a column of milliseconds per clock."""
    found = document["modes"]
    clocks = sorted({(mode["clock_hz"], mode["wait_states"]) for mode in found})
    heads = tuple(f"{hz / 1e6:g} MHz, {waits} WS" for hz, waits in clocks)
    columns = ("flash", "weights", "arena", *heads, "±")
    rows: dict[tuple[str, str, str], list[Document]] = {}
    for mode in found:
        rows.setdefault((mode["flash"], mode["placement"]["weights"], mode["placement"]["arena"]), []).append(mode)
    cells = []
    for key, row in rows.items():
        by_clock = {mode["clock_hz"]: mode for mode in row}
        times = (by_clock[hz] for hz, _ in clocks)
        shown = (f"{mode['milliseconds']['estimate']:.4g}" + "*" * mode["as_it_is"] for mode in times)
        cells.append((*key, *shown, f"{100 * max(mode['error'] for mode in row):.1f} %"))
    right = frozenset((*heads, "±"))
    said = (
        "  * as it is; WS: the flash's wait states, each at its highest clock",
        "  only what the table above says is validated: other clocks were not compared",
        "  whether all parts of an image fit beside each other, only linking shows",
    )
    title = "Milliseconds in every mode of the board: the same run, costed otherwise"
    return ReportTable(title, columns, tuple(cells), right, said if cells else (), drop=heads[:-1])


def side_by_side(documents: Sequence[Document]) -> list[str]:
    """A line on the modelled cycles of several runtimes' runs of one model; none for a single one."""
    modelled = [(run["runtime"], run["modelled"]) for run in documents if run.get("modelled")]
    if len(modelled) < 2:
        return []
    (first, ours), *others = modelled
    return [
        f"modelled cycles, {ours['core']}: {name} {theirs['cycles']['value']:,}, {first} {ours['cycles']['value']:,}: "
        f"{theirs['cycles']['value'] / max(ours['cycles']['value'], 1):.2f} times as many ({ours['label']})"
        for name, theirs in others
    ]


def hot(document: Document, whole: str = "the inference") -> list[tuple[str, list[str]]]:
    """(heading, lines of its listing) of each hot block; `whole` is what their shares are of."""
    found = []
    for block in document["hot"]:
        kind = "loop" if block["loops"] else "block"
        names = block["layers"]
        layers_text = names[0] if len(names) == 1 else f"{len(names)} layers, first {names[0]}"
        found.append(
            (
                f"{percent(block['share'])} of {whole}: {kind} at 0x{block['address']:08x}, {block['place']}, "
                f"{block['count']:,} times, {block['per_execution']:.2f} modelled cycles for {block['instructions']} "
                f"instructions ({layers_text})",
                block["listing"],
            )
        )
    return found
