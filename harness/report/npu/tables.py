"""Tables of a model on an NPU."""

from __future__ import annotations

from harness.report.document import Document
from harness.report.npu.words import title
from harness.report.rows import number, percent
from harness.report.table import ReportTable

_BEATS = ("axi0_read", "axi0_write", "axi1_read", "axi1_write")
_FIGURES = ("NPU cycles", "%", "AXI0 read", "AXI0 write", "AXI1 read", "AXI1 write", "CPU", "CPU alone")


def layers(document: Document, *, reasons: bool = True) -> ReportTable:
    """One line for each operator of the file; of a file compiled before, for each operation."""
    npu = document["npu"]
    lines = [_line(layer, npu is not None) for layer in document["layers"]]
    beats = "" if npu is None else f"read, write: beats of {npu['beat_bytes']} B; "
    notes = (
        f"{beats}CPU, CPU alone: modelled cycles of the Cortex-M55 for what is left to it, and without NPU; folded: "
        "others do it along",
    )
    if npu is not None:
        lines.append(_total(document))
    columns: tuple[str, ...] = ("#", "operator", "on", *_FIGURES, "why on the CPU")
    if not reasons:
        columns, lines = columns[:-1], [line[:-1] for line in lines]
    return ReportTable(
        title(document), columns, tuple(lines), frozenset({"#", *_FIGURES}), notes,
        prose=frozenset({"why on the CPU"}), drop=("AXI1 write", "#", "%", "AXI1 read", "AXI0 write"),
    )  # fmt: skip


def fallback(document: Document) -> ReportTable:
    """The operators that stay on the CPU, and why."""
    lines = tuple(
        ("" if one["number"] is None else str(one["number"]), one["operator"], one["reason"] or "Vela does not say")
        for one in document["cpu"]["operators"]
    )
    return ReportTable(
        "Left to the CPU", ("#", "operator", "why"), lines, frozenset({"#"}), prose=frozenset({"why"})
    )


def _line(layer: Document, simulated: bool) -> tuple[str, ...]:
    ran = simulated and layer["where"] == "npu"
    alone, cpu = layer["cpu_only"], layer["cpu"]
    return (
        "" if layer["number"] is None else str(layer["number"]),
        layer["operator"],
        layer["where"],
        number(layer["cycles"]) if ran else "-",
        percent(layer["share"]) if ran else "-",
        *(number(layer["beats"][key]) if ran else "-" for key in _BEATS),
        "-" if cpu is None else number(cpu["cycles"]["value"]),
        "-" if alone is None else number(alone["cycles"]["value"]),
        layer["reason"] or "",
    )


def _total(document: Document) -> tuple[str, ...]:
    npu, alone, left = document["npu"], document["cpu_only"], document["cpu"]["estimate"]
    return (
        "",
        "all, with commands",
        "",
        number(npu["cycles"]["value"]),
        percent(1.0) if npu["cycles"]["value"] else "-",
        *(number(npu["beats"][key]) for key in _BEATS),
        number(left["cycles"]["value"]) if left and document["cpu"]["operators"] else "-",
        "-" if alone["why_not"] else number(alone["cycles"]["value"]),
        "",
    )


def kinds(document: Document) -> ReportTable:
    """What is moved over the ports in an inference, by kind."""
    npu = document["npu"]
    lines = tuple(
        (f"AXI{one['port']}", one["direction"], one["kind"], number(one["beats"]),
         number(one["beats"] * npu["beat_bytes"]))
        for one in npu["kinds"]
    )  # fmt: skip
    return ReportTable(
        "Memory traffic by port and kind", ("port", "direction", "kind", "beats", "about B"), lines,
        frozenset({"beats", "about B"}),
    )  # fmt: skip
