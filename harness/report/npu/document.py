"""A model on an NPU as a JSON-ready document; docs/npu.md describes the fields."""

from __future__ import annotations

from harness.ethosu.pmu import BEAT, READ, WRITE
from harness.offload.checking import OutputCheck
from harness.offload.counting import Beats
from harness.offload.cpu import CpuCost, CpuEstimate
from harness.offload.layers import NpuLayer
from harness.offload.memory import NpuMemoryUse
from harness.offload.running import OffloadRun
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


def npu_document(run: OffloadRun) -> Document:
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
                "estimate": None if cpu is None else {**_cost(cpu, run.clock_hz), **_basis(run)},
            },
            "seconds": None if cpu is None or not compilation.simulated else (run.active + cpu.cycles) / run.clock_hz,
            "cpu_only": cpu_only(run.alone, run.clock_hz),
            "memory": None if run.memory is None else _memory(run.memory),
            "image": {"why_not": run.image}
            if isinstance(run.image, str)
            else {
                "why_not": None,
                "basis": run.image.basis,
                "measured": run.image.measured,
                "arena": run.image.arena,
                "constants": run.image.constants,
            },
            "layers": [_layer(run, layer) for layer in run.layers],
            "timeline": [
                {"layer": one.layer, "where": one.where.value, "cycles": one.cycles} for one in timeline(run)
            ],
            "check": None if run.check is None else _check(run.check),
        }
    )


def _model(run: OffloadRun) -> Document:
    subject = run.subject
    return {
        "file": subject.path.name,
        "path": str(subject.path),
        "bytes": len(subject.data),
        "sha256": subject.sha256,
        "operators": len(subject.subgraph.operators),
        "compiled_before": subject.compiled,
        "float": subject.is_float,
    }


def _vela(run: OffloadRun) -> Document:
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


def _npu(run: OffloadRun) -> Document:
    compilation = run.compilation
    assert compilation.accelerator is not None and run.basis is not None
    waits = compilation.waits
    return {
        "cycles": {"value": run.active, "unit": Unit.MODELLED_CYCLES.value},
        "basis": run.basis.name,
        "with_waits": None
        if waits is None
        else {"value": run.waiting, "unit": Unit.MODELLED_CYCLES.value, "memories": waits.name},
        "no_waits": run.unhindered,
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


def _basis(run: OffloadRun) -> Document:
    """How it is known what is left to the CPU."""
    source = run.alone if isinstance(run.image, str) else run.image
    if isinstance(source, str):
        return {"basis": None, "measured": False}
    return {"basis": source.basis, "measured": source.measured}


def cpu_only(alone: CpuEstimate | str, clock_hz: float | None) -> Document:
    """The model on the CPU alone; without a clock no time."""
    if isinstance(alone, str):
        return {"why_not": alone}
    return {
        "why_not": None,
        "core": alone.core,
        "basis": alone.basis,
        "measured": alone.measured,
        "instructions": alone.instructions,
        "cycles": {"value": alone.cycles, "unit": Unit.MODELLED_CYCLES.value},
        "seconds": None if clock_hz is None else alone.cycles / clock_hz,
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


def _layer(run: OffloadRun, layer: NpuLayer) -> Document:
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
        "cpu": None if layer.cost is None else _cost(layer.cost, run.clock_hz),
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
