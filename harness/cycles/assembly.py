"""Assembly text and functions of images -> bytes and instructions."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from harness.build import toolchain
from harness.cycles.decoder import InstructionDecoder
from harness.cycles.instruction import Instruction
from harness.cycles.tables import core_table
from harness.elf.sections import read_sections
from harness.elf.symbols import Symbol, read_symbols
from harness.errors import BuildError, CycleModelError, ImageFileError
from harness.hardware.cores import core as core_record

_TIMEOUT_S = 60.0


def assemble(text: str, core: str) -> tuple[Instruction, ...]:
    """Instructions of assembly text, at addresses from 0; raises as assemble_all."""
    return tuple(InstructionDecoder().run(assemble_bytes(text, core), 0))


def assemble_bytes(text: str, core: str) -> bytes:
    """The code of assembly text (GNU syntax, unified); raises as assemble_all."""
    return assemble_all([text], core)[0]


def assemble_all(texts: Sequence[str], core: str) -> list[bytes]:
    """The code of each text, by one call of the assembler.

    Raises:
        BuildError: the assembler refuses one; details carry its output.
        ToolchainMissingError: there is no assembler.
        CycleTableError: there is no such core, or it has no assembler options.
    """
    core_table(core)
    compiler = toolchain.find("arm")
    with tempfile.TemporaryDirectory(prefix="tinyhil-cycles-") as folder:
        source, image = Path(folder) / "loop.s", Path(folder) / "loop.elf"
        sections = [f'.section .text.{number}, "ax", %progbits\n{text}\n' for number, text in enumerate(texts)]
        source.write_text("\n".join([".syntax unified\n.thumb", *sections]), encoding="utf-8")
        command = [str(compiler.cc), *core_record(core).assembler, "-mthumb", "-c", str(source), "-o", str(image)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_TIMEOUT_S, stdin=subprocess.DEVNULL, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise BuildError(f"the assembler took over {_TIMEOUT_S:g} s", hint="give it less text") from error
        if done.returncode:
            raise BuildError(
                f"the assembly text is not {core} code",
                hint="correct it; the assembler's words are below",
                details=done.stderr.replace(str(source), "text")[:4000],
            )
        return _sections(image, len(texts))


def _sections(image: Path, count: int) -> list[bytes]:
    found = {section.name: section.data for section in read_sections(image)}
    return [found.get(f".text.{number}", b"") for number in range(count)]


def function(elf: Path, name: str) -> tuple[Instruction, ...]:
    """Instructions of a function in an image or object file, without data between them (literal pools).

    Raises:
        CycleModelError: the file cannot be read, or has no function of that name with a size.
    """
    try:
        sections, symbols = {section.number: section for section in read_sections(elf)}, read_symbols(elf)
    except ImageFileError as error:
        raise CycleModelError(error.message, hint="name an ELF file") from error
    wanted = next((s for s in symbols if s.name == name and s.kind == "function" and s.size), None)
    if wanted is None or wanted.section not in sections:
        raise CycleModelError(f"{elf} has no function {name}", hint="give it .type and .size in assembly")
    section = sections[wanted.section]
    decoder = InstructionDecoder()
    result: list[Instruction] = []
    for start, end in _code_of(wanted, symbols):
        result += decoder.run(section.data[start - section.address : end - section.address], start)
    return tuple(result)


def _code_of(wanted: Symbol, symbols: Sequence[Symbol]) -> list[tuple[int, int]]:
    """(first address, end) of each range of code in a function.

    $t and $d mark where code and data begin (ELF for the Arm Architecture, "Mapping symbols").
    """
    end = wanted.address + wanted.size
    marks = sorted(
        (symbol.address, symbol.name[1])
        for symbol in symbols
        if symbol.section == wanted.section and symbol.name[:2] in ("$t", "$d") and symbol.name[2:3] in ("", ".")
    )
    pieces = [(wanted.address, "t"), *((at, kind) for at, kind in marks if wanted.address < at < end), (end, "")]
    return [(at, until) for (at, kind), (until, _) in pairwise(pieces) if kind == "t"]
