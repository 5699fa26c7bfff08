"""Where the bytes of an image went: sizes per object and for model, kernels and runtime, from the ELF and its link map.

The ELF's section headers say what each output section is and how large; the link map (GNU ld) says which object every
part of it came from. Parts add up to the ELF's sizes exactly: what the map does not explain is padding, and is shown as
such.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

Kind = Literal["text", "rodata", "data", "bss"]
PADDING = "(padding)"
HOT_SECTION = ".hil_code"

_SECTION = re.compile(
    r"^(?P<name>\.?[^\s*(]\S*)?\s+0x(?P<address>[0-9a-f]+)\s+0x(?P<size>[0-9a-f]+)(?:\s+(?P<rest>.*))?$"
)
_CLONE = re.compile(r"\.(?:constprop|isra|part|cold|lto_priv)(?:\.\d+)?")


@dataclass(frozen=True)
class Sections:
    """Bytes of code, constants, initialised and zeroed variables."""

    text: int = 0
    rodata: int = 0
    data: int = 0
    bss: int = 0

    def __add__(self, other: Sections) -> Sections:
        return Sections(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def flash(self) -> int:
        """Bytes of flash: code, constants and the initial values of variables."""
        return self.text + self.rodata + self.data

    @property
    def ram(self) -> int:
        """Bytes of RAM for variables, and for code and constants that are copied there."""
        return self.data + self.bss


@dataclass(frozen=True)
class Sizes:
    """Sizes of an image.

    Attributes:
        groups: "model" (the generated code and weights, and the arena), "kernels" (functions NAME_layer_* and those
            named after a kernel), "runtime" (everything else: the harness itself, its tables, the C library, padding).
            They add up to `total`.
        models: the model and kernels groups of each model in the image by its name, without the arena, which they
            share; a kernel's code counts for each model that uses it.
        objects: per object file.
        arena: bytes of the shared arena, which `groups` counts under "model".
        stack: bytes that the linker script sets aside for the stack, counted in no group.
    """

    groups: Mapping[str, Sections] = field(default_factory=dict)
    models: Mapping[str, Mapping[str, Sections]] = field(default_factory=dict)
    objects: Mapping[str, Sections] = field(default_factory=dict)
    arena: int = 0
    stack: int = 0

    @property
    def total(self) -> Sections:
        """All groups together."""
        return sum(self.groups.values(), Sections())

    @property
    def network(self) -> Sections:
        """What the network itself takes: its code, weights, kernels and arena, without the harness around it."""
        return sum((self.groups[name] for name in ("model", "kernels") if name in self.groups), Sections())

    def as_dict(self) -> dict[str, Any]:
        """The sizes as JSON-ready data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Sizes:
        """The inverse of `as_dict`."""
        return cls(
            groups={name: Sections(**sizes) for name, sizes in content["groups"].items()},
            models={
                model: {name: Sections(**sizes) for name, sizes in groups.items()}
                for model, groups in content["models"].items()
            },
            objects={name: Sections(**sizes) for name, sizes in content["objects"].items()},
            arena=content["arena"],
            stack=content["stack"],
        )


@dataclass(frozen=True)
class Part:
    """One input section as placed in an output section."""

    output: str
    section: str
    size: int
    file: str


@dataclass(frozen=True)
class Origin:
    """What the builder knows of an object file.

    Attributes:
        label: name in messages and size tables.
        model: the model it belongs to, if any.
        kernels: names of that model's kernels.
        users: models that share the object, which is then a kernel's code as a whole.
    """

    label: str
    model: str | None = None
    kernels: frozenset[str] = frozenset()
    users: tuple[str, ...] = ()


def parse_map(text: str) -> Iterator[Part]:
    """The input sections in a GNU ld link map, with fill as parts of file "" ."""
    start = text.find("Linker script and memory map")
    output = ""
    pending = ""
    for line in text[max(start, 0) :].splitlines():
        if line.startswith((".", "_")) and not line.startswith(" "):
            output = line.split()[0]
            pending = ""
            continue
        if not line.startswith(" "):
            continue
        body = line[1:]
        if body.startswith("*fill*"):
            numbers = body.split()
            if len(numbers) >= 3:
                yield Part(output, PADDING, int(numbers[2], 16), "")
            continue
        if not line.startswith("  ") and " " not in body.rstrip() and not body.startswith("*"):
            pending = body.strip()  # a long name: its numbers are on the next line
            continue
        match = _SECTION.match(body if not line.startswith("  ") else f"{pending} {body.lstrip()}")
        pending = ""
        if match and match["name"] and match["rest"]:
            yield Part(output, match["name"], int(match["size"], 16), match["rest"].strip())


def output_sections(elf: Path) -> dict[str, tuple[Kind, int]]:
    """Name -> kind and bytes of every section that is in memory at run time."""
    from elftools.elf.constants import SH_FLAGS
    from elftools.elf.elffile import ELFFile

    found: dict[str, tuple[Kind, int]] = {}
    with elf.open("rb") as file:
        for section in ELFFile(file).iter_sections():
            flags = section["sh_flags"]
            if not flags & SH_FLAGS.SHF_ALLOC or section["sh_size"] == 0:
                continue
            kind: Kind
            if section["sh_type"] == "SHT_NOBITS":
                kind = "bss"
            elif flags & SH_FLAGS.SHF_EXECINSTR:
                kind = "text"
            elif flags & SH_FLAGS.SHF_WRITE:
                kind = "data"
            else:
                kind = "rodata"
            found[section.name] = (kind, section["sh_size"])
    return found


def measure_sizes(
    elf: Path,
    link_map: str,
    origin: Callable[[str], Origin],
    copied: frozenset[str] = frozenset(),
    stack_section: str = ".stack",
) -> Sizes:
    """Sizes of a linked image.

    Args:
        elf: the image.
        link_map: text of its GNU ld map; "" where the linker writes none, and then everything is "runtime".
        origin: what is known of the object file that the map names.
        copied: output sections of code and constants that are copied to RAM at start: they count as data.
        stack_section: the output section that only reserves the stack.
    """
    outputs = output_sections(elf)
    outputs.update((name, ("data", outputs[name][1])) for name in copied & outputs.keys())
    groups: dict[str, Sections] = {name: Sections() for name in ("model", "kernels", "runtime")}
    models: dict[str, dict[str, Sections]] = {}
    objects: dict[str, Sections] = defaultdict(Sections)
    arena = 0
    stack = outputs.pop(stack_section, ("bss", 0))[1]
    explained: dict[str, int] = defaultdict(int)
    for part in parse_map(link_map):
        if part.output not in outputs or part.size == 0:
            continue
        explained[part.output] += part.size
        size = Sections(**{_kind(outputs[part.output][0], part.section): part.size})
        source = origin(part.file) if part.file else Origin(PADDING)
        symbol = _symbol(part.section)
        if symbol == "hil_arena":
            arena += part.size
            group = "model"
        elif source.users:
            group = "kernels"
            for model in source.users:
                models.setdefault(model, {"model": Sections(), "kernels": Sections()})["kernels"] += size
        elif source.model is None:
            group = "runtime"
        else:
            is_kernel = symbol in source.kernels or symbol.startswith(f"{source.model}_layer_")
            group = "kernels" if is_kernel and size.text or part.section == HOT_SECTION else "model"
            of_model = models.setdefault(source.model, {"model": Sections(), "kernels": Sections()})
            of_model[group] += size
        groups[group] += size
        objects[source.label] += size
    for name, (kind, total) in outputs.items():
        rest = total - explained[name]
        if rest:
            size = Sections(**{kind: rest})
            groups["runtime"] += size
            objects[PADDING if explained[name] else f"({name})"] += size
    return Sizes(groups, models, dict(objects), arena, stack)


def _kind(output: Kind, section: str) -> Kind:
    """Linker scripts put constants beside code, so the input section's name decides between the two."""
    if output == "text" and section.startswith((".rodata", ".ARM.ex", ".eh_frame", ".constdata")):
        return "rodata"
    return output


def _symbol(section: str) -> str:
    """The function or variable that -ffunction-sections and -fdata-sections named a section after."""
    name = re.sub(r"^\.(?:text|rodata|data|bss)(?:\.(?:unlikely|startup|hot|exit))?\.?", "", section)
    return _CLONE.sub("", name)
