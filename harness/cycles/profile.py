"""What a run of a model executed: exact, free of any core's or emulator's notion of time.

A profile keeps to addresses of the image: blocks and edges follow from its counts and transfers, and do not depend on
how an emulator cuts code into translation blocks. The order of events lies in a trace file beside it; caches are
simulated by replaying that, for any memory system, without running again: `replay.simulate` gives a Misses per layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.cycles.image import Code
from harness.cycles.memory import Part, Span
from harness.units import Quantity, Unit


@dataclass(frozen=True)
class LayerProfile:
    """One layer's executed code. What ran on behalf of the runtime meanwhile (interrupts, observer) is left out.

    Attributes:
        name: of the layer, as in the plan.
        index: its number in the plan.
        counts: address of an instruction -> times it was executed. An instruction whose condition (IT) did not hold
            counts as well: it was issued.
        transfers: (address of the last instruction before, target) -> times that control did not simply go on to the
            next address. A conditional branch was not taken counts[a] - sum(transfers[a, ...]) times. The layer's
            return to its caller is among them.
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

    Caches are as the layers before have left them, and empty before the first.

    Attributes:
        fetch: lines that fetching the instruction brought in.
        sequential: those of `fetch` whose line follows the line fetched before in the address space: a prefetcher may
            have hidden part of their time.
        loads: lines that its loads brought in.
        stores: lines that its stores brought in, where the memory allocates on writes.
    """

    fetch: Mapping[tuple[int, str], int]
    sequential: Mapping[tuple[int, str], int]
    loads: Mapping[tuple[int, str], int]
    stores: Mapping[tuple[int, str], int]


@dataclass(frozen=True, eq=False)
class Profile:
    """One inference, observed.

    Attributes:
        model: name of the model in the image.
        layers: in the order of execution.
        elf: the image that ran.
        code: its instructions by address.
        spans: which addresses belong to which part of the image; addresses in none are `other`.
        board: the board that the image was built for, which may be a stand-in.
        core: of that board.
        emulator: what ran it, and its version: "QEMU 7.2.22".
        toolchain: what compiled the image.
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

