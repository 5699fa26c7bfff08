"""The stack that a package's functions take, from what the compiler says of its frames and calls (GCC only).

C is compiled with -fcallgraph-info=su: frames and calls of every function. Of assembly, whose functions call nothing,
what moves the stack pointer down is summed (encodings: Arm v8-M Architecture Reference Manual, chapter C2).
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from harness import resources
from harness.build import toolchain as toolchains
from harness.build.jobs import job_count, run_tool
from harness.build.port import core_flags
from harness.build.sources import PackageSources
from harness.build.toolchain import Toolchain
from harness.compiler.emit.stack import StackNeed
from harness.compiler.emit.text import plain_text
from harness.elf.reader import open_elf, relocation_number
from harness.errors import BuildError, ImageFileError, ToolchainMissingError

_OPTIMIZATION = "-O2"
_FLAGS = ("-std=c11", _OPTIMIZATION, "-ffunction-sections", "-fcallgraph-info=su")
_INDIRECT = "__indirect_call"
_LIBRARY = re.compile(r"memcpy|memset|memmove|__\w+|hil_ethosu_wait")
"""Functions of the C library and of the compiler's own that generated code calls, and the firmware's hook of the NPU's
driver; their stack is not counted."""
_ABSOLUTE = ("R_ARM_ABS32", "R_ARM_THM_MOVW_ABS_NC", "R_ARM_THM_MOVT_ABS")
"""Relocations to an address as a value, in NAME.o and kernels; calls have others."""


class NoBoundError(Exception):
    """No bound of a stack can be told."""


@dataclass
class _Functions:
    """Functions as GCC names them: NAME, or FILE:NAME where they are weak or of one file only.

    Attributes:
        frames: bytes that each takes.
        calls: whom each calls.
        pointed: names whose address is a value somewhere: a call by a pointer may reach any function among them.
        library: names of functions of libraries that are called.
    """

    frames: dict[str, int] = field(default_factory=dict)
    calls: dict[str, set[str]] = field(default_factory=dict)
    pointed: set[str] = field(default_factory=set)
    library: set[str] = field(default_factory=set)

    def depth(self, name: str, above: tuple[str, ...] = ()) -> int:
        """Bytes of a function's frame and of the deepest of those that it calls.

        Raises:
            NoBoundError: one of them is of another library, or recursive.
        """
        if name == _INDIRECT:
            functions = {pointed for pointed in self.pointed if self._titles(pointed)} - set(above)
            return max((self.depth(function, above) for function in functions), default=0)
        if _LIBRARY.fullmatch(name):
            self.library.add(name)
            return 0
        known = self._titles(name)
        if not known or name in above:
            raise NoBoundError(name)
        return max(
            self.frames[title]
            + max((self.depth(called, (*above, name)) for called in self.calls.get(title, ())), default=0)
            for title in known
        )

    def _titles(self, name: str) -> list[str]:
        return [name] if name in self.frames else [title for title in self.frames if title.endswith(f":{name}")]


def stack_need(package: PackageSources) -> StackNeed | None:
    """The most stack that NAME_init and NAME_invoke take; None where nobody knows.

    None for the host, whose stack says nothing of a microcontroller's, without an arm-none-eabi-gcc that compiles the
    package and has room to do so, and where a function's frame has no bound.
    """
    core = package.plan.core
    if core == "host":
        return None
    try:
        toolchain = toolchains.find("arm")
        if toolchain.family != "gcc":
            return None
        functions = _compiled(package, toolchain, core_flags(resources.firmware(), core))
        name = package.plan.name
        layers = {function for function in functions.frames if function.startswith(f"{name}.c:{name}_layer_")}
        invoke = functions.calls.setdefault(f"{name}_invoke", set())
        functions.calls[f"{name}_invoke"] = (invoke - {_INDIRECT}) | layers
        deepest = max(functions.depth(f"{name}_{entry}") for entry in ("init", "invoke"))
    except (ToolchainMissingError, BuildError, ImageFileError, NoBoundError, OSError):
        return None  # a full disk, for instance, is told by what cannot do without
    found = re.search(r"\d+\.\d+(\.\d+)?", re.sub(r"\([^)]*\)", "", toolchain.version))
    compiler = f"{plain_text(toolchain.cc.name)} {found.group() if found else toolchain.major} {_OPTIMIZATION}"
    return StackNeed(deepest, compiler, tuple(sorted(functions.library)))


def _compiled(package: PackageSources, toolchain: Toolchain, flags: tuple[str, ...]) -> _Functions:
    """The functions of all files but NAME_weights.c, which has none.

    Raises:
        BuildError: a file does not compile.
        ToolchainMissingError: the compiler cannot be started, or its C library is missing.
        NoBoundError: assembly calls functions, or moves the stack pointer as nothing known does.
    """
    functions = _Functions()
    sources = [source for source in package.sources if source != f"{package.plan.name}_weights.c"]
    command = [str(toolchain.cc), *_FLAGS, *flags]
    with tempfile.TemporaryDirectory(prefix="tinyhil-stack-") as made:
        folder = Path(made)
        for name, text in package.files.items():
            if name.endswith((".c", ".h", ".S")):
                (folder / name).write_text(text, encoding="utf-8", newline="\n")

        def compile_one(source: str) -> None:
            told = f"{source} does not compile"
            run_tool([*command, "-c", source, "-o", f"{source}.o"], folder, told, toolchain)

        with ThreadPoolExecutor(max_workers=job_count(), thread_name_prefix="tinyhil-cc") as pool:
            list(pool.map(compile_one, sources))
        for source in sources:
            if source.endswith(".S"):
                functions.frames.update(assembly_frames(folder / f"{source}.o"))
            else:
                _read_call_graph((folder / f"{source}.ci").read_text(encoding="utf-8"), functions)
                functions.pointed |= _pointed(folder / f"{source}.o")
    return functions


def _read_call_graph(text: str, functions: _Functions) -> None:
    """Adds the functions of a file that GCC wrote for -fcallgraph-info=su."""
    for title, label in re.findall(r'^node: \{ title: "([^"]+)" label: "([^"]*)"', text, re.MULTILINE):
        size = re.search(r"(\d+) bytes \((static|dynamic,bounded)\)", label)
        if size is not None:
            functions.frames[title] = int(size.group(1))
            functions.calls.setdefault(title, set())
        elif " bytes (" in label:
            raise NoBoundError(title)
    for caller, called in re.findall(r'^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"', text, re.MULTILINE):
        functions.calls.setdefault(caller, set()).add(called)


def _pointed(path: Path) -> set[str]:
    """Names of functions and data elsewhere whose address an object takes."""
    with open_elf(path) as elf:
        symbols = elf.get_section_by_name(".symtab")
        wanted = {relocation_number(name) for name in _ABSOLUTE}
        numbers = {
            relocation["r_info_sym"]
            for section in elf.iter_sections()
            if section["sh_type"] == "SHT_REL" and not section.name.startswith(".rel.debug")
            for relocation in section.iter_relocations()
            if relocation["r_info_type"] in wanted
        }
        found = [symbols.get_symbol(number) for number in numbers]
        return {s.name for s in found if s["st_shndx"] == "SHN_UNDEF"}


def assembly_frames(path: Path) -> Mapping[str, int]:
    """Function -> bytes by which it moves the stack pointer down, for an object of Thumb code that calls nothing.

    Raises:
        ImageFileError: the file is no ELF object.
        NoBoundError: a function calls another, or sets the stack pointer from a register.
    """
    frames: dict[str, int] = {}
    with open_elf(path) as elf:
        symbols = elf.get_section_by_name(".symtab")
        code = {}
        for index, section in enumerate(elf.iter_sections()):
            if section["sh_type"] == "SHT_PROGBITS":
                code[index] = section.data()
        places = [
            (s.name, s["st_shndx"], s["st_value"], s["st_size"], s["st_info"]["type"]) for s in symbols.iter_symbols()
        ]
    marks = sorted((section, at, name[1]) for name, section, at, _, _ in places if re.match(r"\$[td](\.|$)", name))
    for name, section, value, size, kind in places:
        if kind == "STT_FUNC" and section in code:
            start = value & ~1
            data = [(at, mark == "d") for where, at, mark in marks if where == section]
            frames[name] = sum(map(_lowered, _instructions(code[section][start : start + size], start, data)))
    return frames


def _instructions(code: bytes, start: int, marks: list[tuple[int, bool]]) -> Iterator[tuple[int, int]]:
    """The two halfwords of each instruction (the second 0 of a short one), without data between them."""
    halves = [int.from_bytes(code[i : i + 2], "little") for i in range(0, len(code) - 1, 2)]
    at = 0
    while at < len(halves):
        place = start + 2 * at
        in_data = next((data for mark, data in reversed(marks) if mark <= place), False)
        first = halves[at]
        wide = first >= 0xE800 and at + 1 < len(halves)
        if not in_data:
            yield first, halves[at + 1] if wide else 0
        at += 2 if wide and not in_data else 1


def _lowered(instruction: tuple[int, int]) -> int:
    """Bytes by which an instruction moves the stack pointer down."""
    first, second = instruction
    if first & 0xFE00 == 0xB400:  # push
        return 4 * (first & 0x1FF).bit_count()
    if first & 0xFF80 == 0xB080:  # sub sp, #
        return 4 * (first & 0x7F)
    if first == 0xE92D:  # push.w
        return 4 * second.bit_count()
    if first == 0xF84D and second & 0x0F00 == 0x0D00:  # str rt, [sp, #-n]!
        return second & 0xFF
    if first == 0xE96D:  # strd rt, rt2, [sp, #-n]!
        return 4 * (second & 0xFF)
    if first & 0xFFBF == 0xED2D:  # vpush; of MVE a vstr to [sp, #-n]!, at most this
        return 4 * (second & 0xFF)
    if first & 0xFBFF == 0xF2AD and second & 0x8F00 == 0x0D00:  # subw sp, sp, #
        return (first >> 10 & 1) << 11 | (second >> 12 & 7) << 8 | second & 0xFF
    if first & 0xFBEF == 0xF1AD and second & 0x8F00 == 0x0D00 and second & 0x7000 == 0 and first & 0x0400 == 0:
        return second & 0xFF  # sub.w sp, sp, #, of a byte
    calls = first & 0xFF87 == 0x4780 or (first & 0xF800 == 0xF000 and second & 0xD000 == 0xD000)
    moves = first & 0xFF87 == 0x4685 or (first & 0xFBEF == 0xF1AD and second & 0x8F00 == 0x0D00)
    if calls or moves:
        raise NoBoundError("assembly")
    return 0
