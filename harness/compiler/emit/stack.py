"""StackNeed: what a package's header says of stack."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StackNeed:
    """The most stack that the model's functions take, as one compiler makes them.

    Attributes:
        bytes: beneath the frame that calls NAME_init or NAME_invoke, without interrupts and an observer's own.
        compiler: which, and with which options.
        library: functions of libraries that are called, whose stack is not counted.
    """

    bytes: int
    compiler: str
    library: tuple[str, ...] = ()
