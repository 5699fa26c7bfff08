"""A sweep of accelerators, memories and Vela's optimisation, as a document and as one table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from harness.offload.sweep import Sweep, SweepPoint
from harness.report.document import SCHEMA_VERSION, Document, finite
from harness.report.npu.document import cpu_only, npu_document
from harness.report.npu.words import duration
from harness.report.rows import number
from harness.report.table import ReportTable

_FIGURES = ("MHz", "ms", "NPU cycles", "no waits", "RAM B", "flash B", "on CPU", "Vela's cycles")


def sweep_document(found: Sweep) -> Document:
    """The document of a sweep; points carry no layers, which a run of their options has."""
    return finite(
        {
            "kind": "npu-sweep",
            "schema": SCHEMA_VERSION,
            "name": found.subject.path.stem,
            "model": {"file": found.subject.path.name, "path": str(found.subject.path),
                      "bytes": len(found.subject.data), "sha256": found.subject.sha256},
            "cpu_only": cpu_only(found.alone, None),
            "points": [_point(point) for point in found.points],
        }
    )  # fmt: skip


def _point(point: SweepPoint) -> Document:
    options = point.options
    asked = {
        "accelerator": options.accelerator,
        "system_config": options.system_config or None,
        "memory_mode": options.memory_mode or None,
        "optimise": options.optimise,
    }
    if point.run is None:
        return {**asked, "status": "refused", "why": point.refused, "best": False}
    run = npu_document(point.run)
    vela, npu = run["vela"], run["npu"]
    return {
        **asked,
        "system_config": vela["system_config"],
        "memory_mode": vela["memory_mode"],
        "status": "simulated" if run["simulated"] else "compiled, not simulated",
        "why": None,
        "best": point.best,
        "seconds": point.seconds,
        "clock_hz": run["clock_hz"],
        "npu": None if npu is None else {key: npu[key] for key in ("no_waits", "with_waits", "beat_bytes", "beats")},
        "cpu": run["cpu"],
        "memory": run["memory"],
        "vela_cycles": vela["estimate"].get("cycles"),
        "check": run["check"],
    }  # fmt: skip


def points(document: Document) -> ReportTable:
    """One line for each point; those that differ in nothing but names are one."""
    lines = []
    for _, same in groupby(document["points"], key=_likeness):
        lines.append(_line(list(same)))
    notes = (
        "ms, NPU cycles: with the memories' waits; ms: also what is left to the CPU, at the same clock, estimated",
        "*: no other is as fast with as little RAM and as few multipliers; what gives the same shares a line",
    )
    return ReportTable(
        f"{document['name']} on {len(document['points'])} configurations",
        ("", "accelerator", "system config", "memory mode", "optimise", *_FIGURES, "outputs"), tuple(lines),
        frozenset(_FIGURES), notes, prose=frozenset({"outputs"}),
        drop=("Vela's cycles", "no waits", "on CPU", "flash B", "MHz"),
    )  # fmt: skip


def _likeness(point: Document) -> tuple[object, ...]:
    """What lines are told apart by."""
    head = (point["accelerator"], point["system_config"], point["status"], point["why"])
    if point["status"] != "simulated":
        return (*head, point["memory_mode"], point["optimise"])
    memory = point["memory"]
    ram, flash = memory["arena"] + memory["fast"], memory["constants"] + memory["commands"] + memory["cpu_constants"]
    waits = point["npu"]["with_waits"]
    return (*head, point["seconds"], waits and waits["value"], ram, flash, point["best"])


def _line(same: Sequence[Document]) -> tuple[str, ...]:
    point = same[0]
    head = (
        "*" if point["best"] else "",
        point["accelerator"],
        point["system_config"] or "",
        _names([one["memory_mode"] or "" for one in same]),
        _names([one["optimise"] for one in same]),
    )
    if point["status"] == "refused":
        return (*head, *[""] * len(_FIGURES), f"refused: {point['why']}")
    vela = "-" if point["vela_cycles"] is None else number(point["vela_cycles"])
    clock = f"{point['clock_hz'] / 1e6:g}"
    if point["npu"] is None:
        return (*head, clock, *["-"] * (len(_FIGURES) - 2), vela, point["status"])
    memory, waits = point["memory"], point["npu"]["with_waits"]
    return (
        *head,
        clock,
        "?" if point["seconds"] is None else f"{point['seconds'] * 1e3:.4g}",
        "?" if waits is None else number(waits["value"]),
        number(point["npu"]["no_waits"]),
        number(memory["arena"] + memory["fast"]),
        number(memory["constants"] + memory["commands"] + memory["cpu_constants"]),
        str(len(point["cpu"]["operators"])),
        vela,
        _outputs(point["check"]),
    )


def _names(names: Sequence[str]) -> str:
    """Names of some modes, where one begins like the one before, only with what is new."""
    told: list[str] = []
    for name in dict.fromkeys(names):
        first = told[0] if told else None
        told.append(name.removeprefix(first) if first and name.startswith(f"{first}_") else name)
    return ", ".join(told)


def _outputs(check: Document | None) -> str:
    if check is None:
        return "not run"
    if not check["compared"]:
        return "not compared"
    return "exact" if check["exact"] else "differ"


def summary(document: Document) -> Iterator[str]:
    """Lines after the table."""
    count = {status: sum(point["status"] == status for point in document["points"]) for status in
             ("simulated", "compiled, not simulated", "refused")}  # fmt: skip
    yield ", ".join(f"{number} {status}" for status, number in count.items() if number)
    fastest = next((point for point in document["points"] if point.get("seconds") is not None), None)
    if fastest is not None:
        where = ", ".join(str(fastest[key]) for key in ("accelerator", "system_config", "memory_mode", "optimise"))
        yield f"the fastest: {where}: {duration(fastest['seconds'])}"
    for note in dict.fromkeys(p["check"]["note"] for p in document["points"] if p.get("check") and p["check"]["note"]):
        yield f"outputs: {note}"


def is_sound(document: Document) -> bool:
    """Whether no output was found to differ, and something compiled."""
    checks = [point["check"] for point in document["points"] if point.get("check")]
    compiled = any(point["status"] != "refused" for point in document["points"])
    return compiled and not any(check["compared"] and not check["exact"] for check in checks)
