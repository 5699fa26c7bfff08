"""Words of a command stream -> commands with their place, and how they are printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.ethosu.commands import COMMANDS, PAYLOAD, CommandForm
from harness.ethosu.fault import FaultError

WORD = 4
"""Bytes of a word."""


@dataclass(frozen=True)
class NpuCommand:
    """One command of a stream.

    Attributes:
        word: number of its first word, from 0.
        form: what it is.
        bits: the parameter (16 bits), and above it the payload (32 bits) where it has one.
    """

    word: int
    form: CommandForm
    bits: int

    @property
    def parameter(self) -> int:
        """The 16 bits beside the code."""
        return self.bits & 0xFFFF

    @property
    def place(self) -> str:
        """How errors name it."""
        return f"word {self.word}, {self.form.name}"

    def field(self, name: str) -> int:
        """The value of one of its fields."""
        return next(field.of(self.bits) for field in self.form.fields if field.name == name)

    def __str__(self) -> str:
        head = f"0x{self.word * WORD:06x}: "
        payload = "" if self.form.kind == 0 else f"{self.bits >> PAYLOAD:08x}"
        code = self.form.code | self.form.kind << 14
        fields = ", ".join(
            f"{f.name} = {_number(f.of(self.bits)) if f.name == 'addr' else f.text(self.bits)}"
            for f in self.form.fields
            if f.name != "addr_hi" or f.of(self.bits)
        )
        return f"{head}{payload:8} {self.parameter:04x} {code:04x} {self.form.name:28} {fields}".rstrip()


def _number(value: int) -> str:
    return f"0x{value:x}"


def commands(words: Sequence[int]) -> Iterator[NpuCommand]:
    """The commands of a stream, in order, up to its end; those after NPU_OP_STOP too.

    Raises:
        FaultError: a word is no command, or the last one lacks its payload. The commands before it have been given.
    """
    at = 0
    while at < len(words):
        word = int(words[at])
        kind, code = word >> 14 & 3, word & 0x3FF
        form = COMMANDS.get((kind, code))
        if form is None or word & 0x3C00:
            raise FaultError(f"0x{word:08x} is no command of an Ethos-U55 or U65", f"word {at}")
        bits = word >> 16
        if kind:
            if at + 1 >= len(words):
                raise FaultError("the stream ends before its payload", f"word {at}, {form.name}")
            bits |= int(words[at + 1]) << PAYLOAD
        yield NpuCommand(at, form, bits)
        at += 1 + kind
