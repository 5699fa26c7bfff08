"""What the kernels for Armv8.1-M MVE share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TypeAlias

from harness.kernels.base import Kernel
from harness.kernels.context import Context
from harness.kernels.work import Reuse, Work

MVE = frozenset({"mve"})

Loops: TypeAlias = Mapping[str, float]
"""Name of a loop -> how often a layer runs it."""


class MveKernel(Kernel):
    """A kernel whose work is given by its parts: loops, scratch, bytes of weights and how often they are read."""

    features = MVE

    @abstractmethod
    def loops(self, context: Context) -> Loops:
        """How often each loop runs."""

    def scratch(self, context: Context) -> int:
        """Bytes of scratch."""
        return 0

    def flash(self, context: Context) -> int:
        """Bytes of packed weights and tables."""
        return 0

    def reads(self, context: Context) -> float:
        """How often they are read."""
        return 1

    def work(self, context: Context) -> Work:
        size = self.flash(context)
        reuse = (Reuse("weights", size, self.reads(context)),) if size else ()
        return Work(self.loops(context), reuse, self.scratch(context))
