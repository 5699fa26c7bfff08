"""A model on an NPU in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.report.document import Document
from harness.units import Unit

MODELLED = Unit.MODELLED_CYCLES.value.replace("-", " ")


def is_sound(document: Document) -> bool:
    """Whether no output was found to differ."""
    check: dict[str, Any] | None = document["check"]
    return check is None or check["exact"] or not check["compared"]


def title(document: Document) -> str:
    """Model, accelerator, and how Vela was asked."""
    vela = document["vela"]
    parts = [f"Vela {vela['version']}" if vela["version"] else "compiled before", vela["optimise"] or ""]
    parts += [vela["system_config"] or "", vela["memory_mode"] or ""]
    return f"{document['name']} on {document['accelerator']} ({', '.join(part for part in parts if part)})"


def summary(document: Document) -> Iterator[str]:
    """What the run says besides its layers."""
    if document["npu"] is None:
        yield from _not_simulated(document)
    else:
        yield from _npu(document)
    yield from _left(document)
    yield from _alone(document)
    yield from memory(document)
    yield from checked(document)


def duration(seconds: float) -> str:
    """A time in words."""
    if seconds < 1e-4:
        return f"{seconds * 1e6:.3g} µs" if seconds else "0 s"
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def counted(count: int, what: str) -> str:
    """Such as 1 vector or 4 vectors."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def clock(document: Document) -> str:
    """The clock in words."""
    return f"{document['clock_hz'] / 1e6:g} MHz"


def _not_simulated(document: Document) -> Iterator[str]:
    estimate = document["vela"]["estimate"]
    yield f"{document['accelerator']}: compiled, not simulated; its command streams are of another instruction set"
    if estimate.get("cycles") is not None:
        taken = duration(estimate["cycles"] / document["clock_hz"])
        yield f"Vela's own estimate: {estimate['cycles']:,.0f} cycles, {taken} at {clock(document)}"


def _npu(document: Document) -> Iterator[str]:
    npu, estimate = document["npu"], document["vela"]["estimate"]
    waits = npu["with_waits"]
    taken = duration(npu["seconds"])
    yield f"NPU: {npu['cycles']['value']:,} {MODELLED} ({npu['basis']}), {taken} at {clock(document)}"
    if waits and waits["memories"] != npu["basis"]:
        taken = duration(waits["value"] / document["clock_hz"])
        yield f"with the waits of {waits['memories']}: {waits['value']:,} cycles, {taken}"
    beats = npu["beats"]
    yield (
        f"beats of {npu['beat_bytes']} B: AXI0 {beats['axi0_read']:,} read, {beats['axi0_write']:,} written; "
        f"AXI1 {beats['axi1_read']:,} read, {beats['axi1_write']:,} written"
    )
    if estimate.get("cycles"):
        yield f"Vela's own estimate: {estimate['cycles']:,.0f} cycles"


def _left(document: Document) -> Iterator[str]:
    cpu = document["cpu"]
    if cpu["operators"]:
        estimate = cpu["estimate"]
        cost = f"what they cost is not known ({document['image']['why_not']})"
        if estimate is not None:
            cost = (
                f"{_about(estimate)}{estimate['instructions']:,} instructions, "
                f"{estimate['cycles']['value']:,} {MODELLED}, {duration(estimate['seconds'])} "
                f"({estimate['basis']})"
            )
        yield f"CPU: {counted(len(cpu['operators']), 'operator')} left to it; {cost}"
    if document["model"]["float"]:
        yield "the model computes with floats, which the NPU does not: quantize it to int8 or int16"


def _alone(document: Document) -> Iterator[str]:
    alone, seconds = document["cpu_only"], document["seconds"]
    if alone["why_not"]:
        yield f"CPU alone: not known ({alone['why_not']})"
        return
    faster = ""
    if seconds and document["npu"]["operations"]:
        faster = f"; with the NPU {duration(seconds)}, {alone['seconds'] / seconds:.1f} times as fast"
    yield (
        f"CPU alone ({alone['core']}, {alone['basis']}): {_about(alone)}{alone['instructions']:,} instructions, "
        f"{alone['cycles']['value']:,} {MODELLED}, {duration(alone['seconds'])} at the same clock{faster}"
    )


def _about(part: Document) -> str:
    return "" if part["measured"] else "about "


def memory(document: Document) -> Iterator[str]:
    """Bytes as sums."""
    used, alone, image = document["memory"], document["cpu_only"], document["image"]
    if used is None:
        return
    fast = f" + {used['fast']:,} B memory of the NPU's own" if used["fast"] else ""
    constants = used["constants"] + used["commands"] + used["cpu_constants"]
    yield f"RAM: arena {used['arena']:,} B{fast}"
    yield (
        f"flash: {constants:,} B = weights and tables of the NPU {used['constants']:,} + commands {used['commands']:,} "
        f"+ weights of the CPU {used['cpu_constants']:,}"
    )
    if used["memories"]:
        yield "by memory: " + ", ".join(f"{name} {size:,} B" for name, size in used["memories"].items())
    if not image["why_not"]:
        told = f"arena {image['arena']:,} B, weights and tables {image['constants']:,} B, and code"
        yield f"in tinyhil's own image: {told}"
    if not alone["why_not"]:
        yield f"CPU alone: arena {alone['arena']:,} B, weights and tables {alone['constants']:,} B, and code"


def checked(document: Document) -> Iterator[str]:
    """Whether outputs are exact."""
    check = document["check"]
    if check is None:
        return
    if not check["compared"]:
        ran = f"{counted(check['vectors'], 'vector')} ran; " if check["vectors"] else ""
        yield f"outputs: {ran}{check['note']}"
        return
    on = f"on {counted(check['vectors'], 'vector')} with {check['reference']} of the model as it was"
    wrong = [diff for diff in check["outputs"] if diff["differing"]]
    if not wrong:
        yield f"outputs: exact {on}"
    for diff in wrong:
        yield (
            f"output '{diff['tensor']}' differs {on}: {diff['differing']:,} of {diff['elements']:,} elements, by up to "
            f"{diff['max_lsb']}; what Vela made asks for something else than the model (tinyhil docs ethos-u)"
        )
