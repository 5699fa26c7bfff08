"""What measures energy: one protocol for all meters, and the trace that it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from harness.errors import MeterError
from harness.units import Quantity, Unit


@dataclass(frozen=True, eq=False)
class PowerTrace:
    """Energy over time.

    Attributes:
        started: time.monotonic() of this machine when the first sample began.
        edges: [samples + 1], seconds from `started` at which samples begin and the last ends; growing.
        joules: [samples], energy of each.
    """

    started: float
    edges: NDArray[np.float64]
    joules: NDArray[np.float64]

    def energy(self, first_s: float, last_s: float) -> Quantity:
        """Measured nanojoules between two times, seconds from `started`; a sample counts by the share that lies within.

        Raises:
            MeterError: the trace does not reach from one to the other.
        """
        # Half a millisecond: the clock of the machine and that of the meter are not the same
        if not len(self.joules) or first_s < self.edges[0] - 5e-4 or last_s > self.edges[-1] + 5e-4 or last_s < first_s:
            span = f"{self.edges[0]:.3f} to {self.edges[-1]:.3f}" if len(self.joules) else "nothing"
            raise MeterError(
                f"the meter's trace covers {span} s, not {first_s:.3f} to {last_s:.3f} s",
                hint="is the meter fast enough for its line? Try a lower sampling rate",
            )
        total = np.concatenate(([0.0], np.cumsum(self.joules)))
        joules = float(np.interp(last_s, self.edges, total) - np.interp(first_s, self.edges, total))
        return Quantity(round(joules * 1e9), Unit.NANOJOULES)

    @property
    def seconds(self) -> float:
        """What the trace covers."""
        return float(self.edges[-1] - self.edges[0]) if len(self.joules) else 0.0


class Meter(Protocol):
    """A power meter between supply and board."""

    @property
    def name(self) -> str:
        """What reports call it, with its own identity where it tells one."""

    def start(self) -> None:
        """Begins to sample.

        Raises:
            MeterError: the meter does not answer, or refuses.
        """

    def stop(self) -> PowerTrace:
        """Ends sampling.

        Raises:
            MeterError: the meter does not answer, or samples were lost.
        """

    def close(self) -> None:
        """Lets go of the meter; may be called again."""
