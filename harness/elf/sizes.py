"""Where the bytes of an image went: sizes per object and for model, kernels and runtime, from the ELF and its link map.

The ELF's section headers say what each output section is and how large; the link map (GNU ld) says which object every
part of it came from. Parts add up to the ELF's sizes exactly: what the map does not explain is padding, and is shown as
such.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from harness.elf.link_map import PADDING, InputSection, parse_map
from harness.elf.sections import Kind, read_sections
from harness.kernels.symbols import short_name

HOT_SECTION = ".hil_code"

_CLONE = re.compile(r"\.(?:constprop|isra|part|cold|lto_priv)(?:\.\d+)?")


@dataclass(frozen=True)
class SectionSizes:
    """Bytes of code, constants, initialised and zeroed variables."""

    text: int = 0
    rodata: int = 0
    data: int = 0
    bss: int = 0

    def __add__(self, other: SectionSizes) -> SectionSizes:
        return SectionSizes(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

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

    groups: Mapping[str, SectionSizes] = field(default_factory=dict)
    models: Mapping[str, Mapping[str, SectionSizes]] = field(default_factory=dict)
    objects: Mapping[str, SectionSizes] = field(default_factory=dict)
    arena: int = 0
    stack: int = 0

    @property
    def total(self) -> SectionSizes:
        """All groups together."""
        return sum(self.groups.values(), SectionSizes())

    @property
    def network(self) -> SectionSizes:
        """What the network itself takes: its code, weights, kernels and arena, without the harness around it."""
        return sum((self.groups[name] for name in ("model", "kernels") if name in self.groups), SectionSizes())

    def as_dict(self) -> dict[str, Any]:
        """The sizes as JSON-ready data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Sizes:
        """The inverse of `as_dict`."""
        return cls(
            groups={name: SectionSizes(**sizes) for name, sizes in content["groups"].items()},
            models={
                model: {name: SectionSizes(**sizes) for name, sizes in groups.items()}
                for model, groups in content["models"].items()
            },
            objects={name: SectionSizes(**sizes) for name, sizes in content["objects"].items()},
            arena=content["arena"],
            stack=content["stack"],
        )


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
    outputs = {section.name: (section.kind, section.size) for section in read_sections(elf)}
    outputs.update((name, ("data", outputs[name][1])) for name in copied & outputs.keys())
    _, stack = outputs.pop(stack_section, ("bss", 0))
    tally = _Tally()
    for part in parse_map(link_map):
        if part.output in outputs and part.size:
            tally.add(part, outputs[part.output][0], origin(part.file) if part.file else Origin(PADDING))
    for name, (kind, size) in outputs.items():
        tally.add_unexplained(name, kind, size)
    return Sizes(tally.groups, tally.models, dict(tally.objects), tally.arena, stack)


class _Tally:
    """Sums over input sections, see Sizes.

    Attributes:
        groups, models, objects, arena: as in Sizes.
        explained: output section -> bytes of it that the map told of.
    """

    def __init__(self) -> None:
        self.groups: dict[str, SectionSizes] = {name: SectionSizes() for name in ("model", "kernels", "runtime")}
        self.models: dict[str, dict[str, SectionSizes]] = {}
        self.objects: dict[str, SectionSizes] = defaultdict(SectionSizes)
        self.arena = 0
        self.explained: dict[str, int] = defaultdict(int)

    def add(self, part: InputSection, output: Kind, source: Origin) -> None:
        """Count an input section; `output` is the kind of the output section that it lies in."""
        self.explained[part.output] += part.size
        size = SectionSizes(**{_kind(output, part.name): part.size})
        symbol = _symbol(part.name)
        if symbol in ("hil_arena", "hil_scratch"):
            self.arena += part.size if symbol == "hil_arena" else 0
            group = "model"
        elif source.users:
            group = "kernels"
            for model in source.users:
                self._add_to_model(model, group, size)
        elif source.model is None:
            group = "runtime"
        else:
            is_kernel = symbol in source.kernels or symbol.startswith(f"{source.model}_layer_")
            group = "kernels" if is_kernel and size.text or part.name == HOT_SECTION else "model"
            self._add_to_model(source.model, group, size)
        self.groups[group] += size
        self.objects[source.label] += size

    def add_unexplained(self, output: str, kind: Kind, size: int) -> None:
        """Count what of an output section of `size` bytes the map did not tell of."""
        rest = size - self.explained[output]
        if rest:
            missing = SectionSizes(**{kind: rest})
            self.groups["runtime"] += missing
            self.objects[PADDING if self.explained[output] else f"({output})"] += missing

    def _add_to_model(self, model: str, group: str, size: SectionSizes) -> None:
        groups = self.models.setdefault(model, {"model": SectionSizes(), "kernels": SectionSizes()})
        groups[group] += size


def _kind(output: Kind, section: str) -> Kind:
    """Linker scripts put constants beside code, so the input section's name decides between the two."""
    if output == "text" and section.startswith((".rodata", ".ARM.ex", ".eh_frame", ".constdata")):
        return "rodata"
    return output


def _symbol(section: str) -> str:
    """The function or variable that -ffunction-sections and -fdata-sections named a section after."""
    name = re.sub(r"^\.(?:text|rodata|data|bss)(?:\.(?:unlikely|startup|hot|exit))?\.?", "", section)
    return _CLONE.sub("", short_name(name))
