"""Profile: what a run of a model executed, exactly, and independent of the time of any core or emulator.

A profile has addresses of the image: blocks and edges follow from its counts and transfers, and do not depend on the
emulator's translation blocks. The order of events is in a trace file beside it; caches are simulated for any memory
system by replaying that file, without running again: `replay.simulate` gives a Misses for each layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.cycles.image import Code
from harness.cycles.memory import Part, Span
from harness.units import Quantity, Unit


@dataclass(frozen=True)
class LayerProfile:
    """The executed code of one layer, without that of the runtime meanwhile (interrupts, observer).

    Attributes:
        name: of the layer, as in the plan.
        index: its number in the plan.
        counts: address of an instruction -> number of executions. An instruction whose condition (IT) did not hold
            counts as well, since it was issued.
        transfers: (address of a branch, target) -> number of times that it was taken. A conditional branch was not
            taken counts[a] - sum(transfers[a, ...]) times. The layer's return to its caller is included.
        accesses: (address of an instruction, part of the image that it accessed) -> (loads, stores). One execution of
            an instruction counts once however many bytes it moves, except for gathers and scatters, which count each
            run of adjacent bytes. An instruction whose condition did not hold does not count.
    """

    name: str
    index: int
    counts: Mapping[int, int]
    transfers: Mapping[tuple[int, int], int]
    accesses: Mapping[tuple[int, Part], tuple[int, int]]

    @property
    def instructions(self) -> Quantity:
        """Executed instructions."""
        return Quantity(sum(self.counts.values()), Unit.INSTRUCTIONS)


@dataclass(frozen=True)
class Misses:
    """Cache misses of one layer in one memory system. Keys: (address of the instruction, name of the memory).

    Caches keep their contents from layer to layer; they are empty before the first.

    Attributes:
        fetch: lines that fetching the instruction brought in.
        sequential: those of `fetch` whose line follows the line fetched before: a prefetcher may hide part of their
            time.
        loads: lines that its loads brought in.
        next_loads: those of `loads` whose line follows the line that a load brought in before from the same memory.
        stores: lines that its stores brought in, where the memory allocates on writes.
    """

    fetch: Mapping[tuple[int, str], int]
    sequential: Mapping[tuple[int, str], int]
    loads: Mapping[tuple[int, str], int]
    stores: Mapping[tuple[int, str], int]
    next_loads: Mapping[tuple[int, str], int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Profile:
    """The profile of one inference.

    Attributes:
        model: name of the model in the image.
        layers: in the order of execution.
        elf: the image that ran.
        code: its instructions by address.
        spans: the addresses of each part of the image; addresses in no span are `other`.
        board: the board that the image was built for, which may be a stand-in.
        core: of that board.
        emulator: name and version of the emulator: "QEMU 7.2.22".
        toolchain: compiler of the image, with its version.
        trace: file with the order of events; harness.cycles.trace reads it.
    """

    model: str
    layers: tuple[LayerProfile, ...]
    elf: Path
    code: Code
    spans: tuple[Span, ...]
    board: str
    core: str
    emulator: str
    toolchain: str
    trace: Path

    @property
    def total(self) -> Quantity:
        """Executed instructions of all layers."""
        return Quantity(sum(layer.instructions.value for layer in self.layers), Unit.INSTRUCTIONS)

