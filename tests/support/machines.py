"""Virtual machines with programs of a few instructions, and their memory word by word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from harness.virtual.machine import Machine
from tests.support.thumb import program

Maker: TypeAlias = Callable[..., Machine]
"""(chip, body of the program, other arguments of tests.support.thumb.program) -> the machine, reset."""


@contextmanager
def machines(folder: Path) -> Iterator[Maker]:
    """A maker of machines, which are closed at the end."""
    made: list[Machine] = []

    def make(chip: str, body: str, **parts: Any) -> Machine:
        machine = Machine(chip)
        made.append(machine)
        machine.load(program(folder, body, core=machine.chip.core, **parts))
        machine.reset()
        return machine

    yield make
    for machine in made:
        machine.close()


def read(machine: Machine, address: int) -> int:
    """The word at an address."""
    return int.from_bytes(machine.read_memory(address, 4), "little")


def write(machine: Machine, address: int, value: int) -> None:
    """Writes the word at an address."""
    machine.write_memory(address, value.to_bytes(4, "little"))
