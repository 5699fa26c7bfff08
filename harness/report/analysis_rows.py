"""Tables of an analysis, which does not run the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from harness.report import rows
from harness.report.document import Document
from harness.report.table import ReportTable


def tensors(document: Document) -> Iterator[str]:
    """A line for each input and output of the model, and what its file leaves open."""
    for role in ("inputs", "outputs"):
        for tensor in document["model"][role]:
            shape = "x".join(str(n) for n in tensor["shape"]) or "scalar"
            scale = f", scale {tensor['scale']:.6g}, zero point {tensor['zero_point']}" if tensor["scale"] else ""
            yield f"{role[:-1]}: {tensor['name']} {tensor['dtype']} {shape}{scale}"
    yield from (f"note: {note}" for note in document["model"]["notes"])


def operators(document: Document) -> ReportTable:
    """One line per kind of operator: how many there are, and how many of them no layer computes."""
    removed = Counter(line["op"] for line in document["removed"])
    lines = tuple(
        (op, str(count), "supported" + (f", {removed[op]} compiled away" if op in removed else ""))
        for op, count in document["operators"].items()
    )
    return ReportTable("Operators", ("operator", "count", "coverage"), lines, frozenset({"count"}))


def fit(document: Document) -> Iterator[str]:
    """Lines on whether the model fits the board's memory, by what is known before anything is built."""
    found = document["fit"]
    if found is None:
        return
    verdict = "fits" if found["fits"] else "does not fit"
    yield f"{verdict} {document['board']}, before building and without the test harness:"
    for use in found["regions"]:
        parts = " + ".join(f"{p['name']}{' about' if p['estimated'] else ''} {p['bytes']:,}" for p in use["parts"])
        over = f": {use['excess']:,} B too many" if use["excess"] else ""
        yield f"  {use['region']} ({use['kind']}) {use['used']:,} of {use['size']:,} B = {parts}{over}"
    if found["try"]:
        yield f"  try: {found['try']}"


def layers(document: Document) -> ReportTable:
    """One line per layer: its kernel and its expected cost."""
    lines = tuple(
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
    return ReportTable(f"Layers for {where}", columns, lines, right, (note,), drop=("by", "scratch B", "op", "#"))


def arena(document: Document) -> ReportTable:
    """One line per tensor, state and scratch buffer in the arena."""
    count = len(document["layers"])
    shown = rows.tensor_names(document)
    lines = tuple(
        (
            f"{place['offset']:,}",
            f"{place['size']:,}",
            place["kind"],
            _lifetime(place["first_layer"], place["last_layer"], count),
            shown[place["name"]],
        )
        for place in sorted(document["arena"]["placements"], key=lambda p: (p["offset"], p["first_layer"]))
    )
    columns = ("offset", "bytes", "kind", "layers", "name")
    return ReportTable("Arena", columns, lines, frozenset({"offset", "bytes"}))


def _lifetime(first: int, last: int, layers: int) -> str:
    """A lifetime in words: before the first layer the caller writes inputs, after the last it reads outputs."""
    return f"{'input' if first < 0 else first} to {'output' if last >= layers else last}"
