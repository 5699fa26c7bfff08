"""Tables of a model on an NPU."""

from __future__ import annotations

from collections.abc import Iterator

from harness.report.document import Document
from harness.report.rows import number, percent
from harness.report.table import ReportTable

_BEATS = ("axi0_read", "axi0_write", "axi1_read", "axi1_write")


def layers(document: Document) -> ReportTable:
    """One line for each operator of the file."""
    npu = document["npu"]
    columns = ("#", "operator", "on", "NPU cycles", "%", "AXI0 read", "written", "AXI1 read", "written ", "CPU alone")
    lines = tuple(_line(layer) for layer in document["layers"])
    total = () if npu is None else (_total(document),)
    beat = "" if npu is None else f"read, written: beats of {npu['beat_bytes']} B; "
    notes = (
        f"{beat}CPU alone: modelled cycles of {document['cpu_only'].get('core', 'the CPU')}, estimated; folded: others do it along",
    )
    title = f"{document['name']} on {document['accelerator']}{_configuration(document)}"
    return ReportTable(
        title, (*columns, "why on the CPU"), (*lines, *total), frozenset(columns) - {"operator", "on"}, notes,
        prose=frozenset({"why on the CPU"}), drop=("written ", "#", "%"),
    )  # fmt: skip


def _configuration(document: Document) -> str:
    vela = document["vela"]
    parts = [f"Vela {vela['version']}" if vela["version"] else "", vela["optimise"] or ""]
    parts += [vela["system_config"] or "", vela["memory_mode"] or ""]
    told = ", ".join(part for part in parts if part)
    return f" ({told})" if told else ""


def _line(layer: Document) -> tuple[str, ...]:
    on_npu = layer["where"] == "npu"
    alone = layer["cpu_only"]
    return (
        "" if layer["number"] is None else str(layer["number"]),
        layer["operator"],
        layer["where"],
        number(layer["cycles"]) if on_npu else "-",
        percent(layer["share"]) if on_npu else "-",
        *(number(layer["beats"][key]) if on_npu else "-" for key in _BEATS),
        "-" if alone is None else number(alone["cycles"]["value"]),
        layer["reason"] or "",
    )


def _total(document: Document) -> tuple[str, ...]:
    npu, alone = document["npu"], document["cpu_only"]
    cycles = "-" if alone["why_not"] else number(alone["cycles"]["value"])
    beats = (number(npu["beats"][key]) for key in _BEATS)
    return ("", "all, with commands", "", number(npu["cycles"]["value"]), percent(1.0), *beats, cycles, "")


def kinds(document: Document) -> ReportTable:
    """What is moved over the ports, by kind."""
    npu = document["npu"]
    found: Iterator[tuple[str, ...]] = (
        (f"AXI{one['port']}", one["direction"], one["kind"], number(one["beats"]), number(one["beats"] * npu["beat_bytes"]))
        for one in npu["kinds"]
    )
    return ReportTable("", ("port", "direction", "kind", "beats", "about B"), tuple(found), frozenset({"beats", "about B"}))
