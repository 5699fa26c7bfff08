"""A model on an NPU as a JSON-ready document, and as tables and sentences; docs/npu.md describes the fields."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.ethosu.pmu import BEAT, READ, WRITE
from harness.offload.checking import OutputCheck
from harness.offload.counting import Beats
from harness.offload.cpu import CpuCost, CpuEstimate
from harness.offload.layers import NpuLayer
from harness.offload.memory import NpuMemoryUse
from harness.offload.running import NpuRun
from harness.offload.timeline import timeline
from harness.report.document import SCHEMA_VERSION, Document, finite
from harness.report.verdict import diff_document
from harness.units import Unit

_VELA = {
    "cycles_total": "cycles",
    "cycles_npu": "cycles_npu",
    "sram_memory_used": "sram_kib",
    "dram_memory_used": "dram_kib",
    "on_chip_flash_memory_used": "on_chip_flash_kib",
    "off_chip_flash_memory_used": "off_chip_flash_kib",
    "inference_time": "seconds",
}
"""Columns of Vela's summary -> names here."""


def npu_document(run: NpuRun) -> Document:
    """The document of a model on an NPU."""
    compilation, cpu = run.compilation, run.cpu
    return finite(
        {
            "kind": "npu",
            "schema": SCHEMA_VERSION,
            "name": run.subject.path.stem,
            "model": _model(run),
            "accelerator": compilation.options.accelerator,
            "simulated": compilation.simulated,
            "vela": _vela(run),
            "clock_hz": run.clock_hz,
            "npu": _npu(run) if compilation.simulated else None,
            "cpu": {
                "operators": [
                    {"number": one.number, "operator": one.name, "reason": one.reason or None} for one in run.left
                ],
                "estimate": None if cpu is None else _cost(cpu, run.clock_hz),
            },
            "seconds": None if cpu is None or not compilation.simulated else (run.active + cpu.cycles) / run.clock_hz,
            "cpu_only": _alone(run.alone, run.clock_hz),
            "memory": None if run.memory is None else _memory(run.memory),
            "layers": [_layer(run, layer) for layer in run.layers],
            "timeline": [
                {"layer": one.layer, "where": one.where.value, "cycles": one.cycles} for one in timeline(run)
            ],
            "check": None if run.check is None else _check(run.check),
        }
    )


def _model(run: NpuRun) -> Document:
    subject = run.subject
    return {
        "file": subject.path.name,
        "path": str(Path(subject.path)),
        "bytes": len(subject.data),
        "sha256": subject.sha256,
        "operators": len(subject.subgraph.operators),
        "compiled_before": subject.compiled,
        "float": subject.is_float,
    }


def _vela(run: NpuRun) -> Document:
    compilation = run.compilation
    options, summary = compilation.options, {} if compilation.result is None else compilation.result.summary
    return {
        "version": run.vela or None,
        "program": options.program or None,
        "system_config": None if compilation.system is None else compilation.system.name,
        "memory_mode": None if compilation.mode is None else compilation.mode.name,
        "assumed": compilation.assumed,
        "optimise": None if run.subject.compiled else options.optimise,
        "config": options.config or None,
        "estimate": {name: _figure(summary[column]) for column, name in _VELA.items() if column in summary},
    }


def _figure(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _npu(run: NpuRun) -> Document:
    compilation = run.compilation
    assert compilation.accelerator is not None and compilation.timing is not None
    waits = compilation.waits
    return {
        "cycles": {"value": run.active, "unit": Unit.MODELLED_CYCLES.value},
        "basis": compilation.timing.name,
        "with_waits": None
        if waits is None
        else {"value": run.waiting, "unit": Unit.MODELLED_CYCLES.value, "memories": waits.name},
        "seconds": run.active / run.clock_hz,
        "operations": sum(len(one.operations) for one in run.counts),
        "streams": len(run.counts),
        "beat_bytes": BEAT[compilation.accelerator.product],
        "beats": _beats(run.beats),
        "kinds": _kinds(run.beats),
    }


def _beats(beats: Beats) -> dict[str, int]:
    found = {f"axi{port}_{direction}": 0 for port in (0, 1) for direction in (READ, WRITE)}
    for (port, direction, _), value in beats.items():
        found[f"axi{port}_{direction}"] += value
    return found


def _kinds(beats: Beats) -> list[Document]:
    return [
        {"port": port, "direction": direction, "kind": kind, "beats": value}
        for (port, direction, kind), value in sorted(beats.items())
        if value
    ]


def _cost(cost: CpuCost, clock_hz: float) -> Document:
    return {
        "instructions": round(cost.instructions),
        "cycles": {"value": round(cost.cycles), "unit": Unit.MODELLED_CYCLES.value},
        "seconds": cost.cycles / clock_hz,
    }


def _alone(alone: CpuEstimate | str, clock_hz: float) -> Document:
    if isinstance(alone, str):
        return {"why_not": alone}
    return {
        "why_not": None,
        "core": alone.core,
        "basis": f"estimated by cost models, {alone.basis}",
        "instructions": alone.instructions,
        "cycles": {"value": alone.cycles, "unit": Unit.MODELLED_CYCLES.value},
        "seconds": alone.cycles / clock_hz,
        "arena": alone.arena,
        "constants": alone.constants,
    }


def _memory(use: NpuMemoryUse) -> Document:
    return {
        "arena": use.arena,
        "fast": use.fast,
        "constants": use.constants,
        "commands": use.commands,
        "cpu_constants": use.cpu_constants,
        "memories": dict(use.memories),
    }


def _layer(run: NpuRun, layer: NpuLayer) -> Document:
    alone = layer.alone
    return {
        "number": layer.number,
        "operator": layer.name,
        "output": layer.output,
        "where": layer.where.value,
        "cycles": layer.cycles,
        "share": layer.cycles / run.active if run.active else 0.0,
        "operations": [
            {"word": one.word, "name": one.name, "start": one.start, "end": one.end, "computing": one.computing,
             "cycles": one.spent, "kinds": _kinds(one.beats)}
            for one in layer.operations
        ],
        "beats": _beats(layer.beats),
        "kinds": _kinds(layer.beats),
        "reason": layer.reason or None,
        "cpu_only": None if alone is None else {**_cost(alone, run.clock_hz), "operators": list(alone.sources)},
    }  # fmt: skip


def _check(check: OutputCheck) -> Document:
    return {
        "vectors": check.vectors,
        "reference": check.reference or None,
        "compared": check.compared,
        "exact": check.compared and not check.differing,
        "outputs": [diff_document(diff) for diff in check.outputs],
        "note": check.note or None,
    }


def is_sound(document: Document) -> bool:
    """Whether no output was found to differ."""
    check: dict[str, Any] | None = document["check"]
    return check is None or check["exact"] or not check["compared"]


def summary(document: Document) -> Iterator[str]:
    """Sentences after the table."""
    yield from _npu_lines(document)
    yield from _cpu_lines(document)
    yield from _memory_lines(document)
    yield from _check_lines(document)


def _npu_lines(document: Document) -> Iterator[str]:
    npu, estimate = document["npu"], document["vela"]["estimate"]
    clock = f"{document['clock_hz'] / 1e6:g} MHz"
    if npu is None:
        yield f"{document['accelerator']}: compiled, not simulated; its command streams are of another instruction set"
        if estimate.get("cycles") is not None:
            yield f"Vela's own estimate: {estimate['cycles']:,.0f} cycles, {_ms(estimate['cycles'] / document['clock_hz'])} at {clock}"
        return
    waits = npu["with_waits"]
    told = f"; {waits['value']:,} with the waits of {waits['memories']}" if waits and waits["memories"] != npu["basis"] else ""
    yield f"NPU: {npu['cycles']['value']:,} modelled cycles ({npu['basis']}{told}), {_ms(npu['seconds'])} at {clock}"
    beats = npu["beats"]
    yield (
        f"beats of {npu['beat_bytes']} B: AXI0 {beats['axi0_read']:,} read, {beats['axi0_write']:,} written; "
        f"AXI1 {beats['axi1_read']:,} read, {beats['axi1_write']:,} written"
    )
    if estimate.get("cycles"):
        yield f"Vela's own estimate: {estimate['cycles']:,.0f} cycles"


def _cpu_lines(document: Document) -> Iterator[str]:
    cpu, alone = document["cpu"], document["cpu_only"]
    if cpu["operators"]:
        estimate = cpu["estimate"]
        cost = "cost not known" if estimate is None else (
            f"about {estimate['instructions']:,} instructions, {estimate['cycles']['value']:,} modelled cycles, "
            f"{_ms(estimate['seconds'])}"
        )  # fmt: skip
        yield f"CPU: {len(cpu['operators'])} operators fall back to it; {cost}"
    if document["model"]["float"]:
        yield "the model computes with floats, which the NPU does not: quantize it to int8 or int16"
    if alone["why_not"]:
        yield f"CPU alone: not known ({alone['why_not']})"
        return
    faster = ""
    if document["seconds"] and document["layers"]:
        faster = f"; with the NPU {_ms(document['seconds'])}, {alone['seconds'] / document['seconds']:.1f}x as fast"
    yield (
        f"CPU alone ({alone['core']}, {alone['basis']}): about {alone['instructions']:,} instructions, "
        f"{alone['cycles']['value']:,} modelled cycles, {_ms(alone['seconds'])} at the same clock{faster}"
    )


def _memory_lines(document: Document) -> Iterator[str]:
    memory, alone = document["memory"], document["cpu_only"]
    if memory is None:
        return
    fast = f" + {memory['fast']:,} B fast memory" if memory["fast"] else ""
    constants = memory["constants"] + memory["commands"] + memory["cpu_constants"]
    where = ", ".join(f"{name} {size:,}" for name, size in memory["memories"].items())
    yield (
        f"memory: arena {memory['arena']:,} B{fast}; constants {constants:,} B = NPU {memory['constants']:,} + commands "
        f"{memory['commands']:,} + CPU {memory['cpu_constants']:,}" + (f" ({where})" if where else "")
    )
    if not alone["why_not"]:
        yield f"CPU alone: arena {alone['arena']:,} B, weights and tables {alone['constants']:,} B, and code"


def _check_lines(document: Document) -> Iterator[str]:
    check = document["check"]
    if check is None:
        return
    if not check["compared"]:
        ran = f"{check['vectors']} vectors ran; " if check["vectors"] else ""
        yield f"outputs: {ran}{check['note']}"
        return
    on = f"on {check['vectors']} vectors with {check['reference']} of the model as it was"
    wrong = [diff for diff in check["outputs"] if diff["differing"]]
    if not wrong:
        yield f"outputs: exact {on}"
    for diff in wrong:
        yield (
            f"output '{diff['tensor']}' differs {on}: {diff['differing']:,} of {diff['elements']:,} elements, by up to "
            f"{diff['max_lsb']}; Vela's stream asks for something else than the model (tinyhil docs ethos-u)"
        )


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
