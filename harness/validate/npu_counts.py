"""What the NPU counted while it ran layers of an inference: by the device model, or by its own counters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.boards.session import Session
from harness.compiler.plan import Layer
from harness.ethosu.device import NpuRun
from harness.ethosu.pmu import READ, WRITE
from harness.ir.operators import names_with
from harness.ir.operators.traits import Trait


@dataclass(frozen=True)
class NpuCounts:
    """One layer on the NPU, in one inference.

    Attributes:
        layer: its index in the plan.
        accelerator: name of the NPU that was modelled; "" where hardware counted.
        active: cycles of the NPU's clock.
        idle: cycles until the driver saw that it had ended; 0 where not counted.
        axi0_read, axi0_write, axi1_read, axi1_write: beats of its ports.
    """

    layer: int
    accelerator: str
    active: int
    idle: int
    axi0_read: int
    axi0_write: int
    axi1_read: int
    axi1_write: int

    @property
    def modelled(self) -> bool:
        """Whether the figures are those of a model, and not of hardware."""
        return bool(self.accelerator)


def npu_counts(session: Session, layers: Sequence[Layer]) -> tuple[NpuCounts, ...]:
    """Counts of the inference that has just ended, by layer on the NPU.

    Hardware keeps those of its last run alone: of several layers there it is the last one's that are known.

    Args:
        session: with the device, which waits for a request.
        layers: all of the model.
    """
    there = names_with(Trait.PLACED)
    places = [layer.index for layer in layers if layer.op in there]
    if not places:
        return ()
    runs = session.npu_runs()[-len(places) :]
    if len(runs) == len(places):
        return tuple(_of_run(place, run) for place, run in zip(places, runs, strict=True))
    record = session.npu_record()
    if record is None or not record.runs:
        return ()
    beats = record.axi0_read, record.axi0_write, record.axi1_read, record.axi1_write
    return (NpuCounts(places[-1], "", record.active, record.idle, *beats),)


def npu_notes(counts: Sequence[NpuCounts]) -> tuple[str, ...]:
    """A line for the report; none without layers on the NPU."""
    if not counts:
        return ()
    each = ((c.axi0_read, c.axi0_write, c.axi1_read, c.axi1_write) for c in counts)
    beats = [sum(of_port) for of_port in zip(*each, strict=True)]
    first = counts[0]
    who = f"{first.accelerator}, modelled" if first.modelled else "the NPU's own counters"
    where = "1 layer" if len(counts) == 1 else f"{len(counts)} layers"
    return (
        f"NPU ({who}): {sum(c.active for c in counts):,} active cycles in {where}; beats: AXI0 {beats[0]:,} read, "
        f"{beats[1]:,} written; AXI1 {beats[2]:,} read, {beats[3]:,} written",
    )


def _of_run(place: int, run: NpuRun) -> NpuCounts:
    beats = (run.counters.beats(port, direction) for port in (0, 1) for direction in (READ, WRITE))
    return NpuCounts(place, run.accelerator.name, run.counters.active, 0, *beats)
