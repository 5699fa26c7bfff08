"""Objects -> code that runs at any address, or an error that names what does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.build.jobs import run_tool
from harness.build.toolchain import Toolchain
from harness.elf.attributes import read_attributes
from harness.elf.position import Bound, addresses_held, variables
from harness.elf.sections import read_sections
from harness.elf.symbols import read_symbols
from harness.errors import BuildError

SECTION = ".model"
LINK_FLAGS = (
    "-nostartfiles", "-static", "-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments", "-Wl,--fatal-warnings",
    "-Wl,--build-id=none", "-Wl,--emit-relocs",
)  # fmt: skip
_MOST_NAMED = 5


@dataclass(frozen=True, eq=False)
class LinkedModel:
    """Code and constants as linked for the place `base` in the file.

    Attributes:
        code: their bytes.
        init, invoke: offsets of the entries from the file's first byte.
        features: that the code was compiled for, see harness.relocatable.numbers.FEATURES.
        elf: the same with symbols and lines.
    """

    code: bytes
    init: int
    invoke: int
    features: frozenset[str]
    elf: bytes


def check_object(path: Path, label: str) -> None:
    """Checks that an object holds no address and no variable.

    Raises:
        BuildError: it does, with their names.
        ImageFileError: it cannot be read.
    """
    _refuse((*addresses_held(path), *variables(path)), label)


def link_model(
    toolchain: Toolchain, flags: Sequence[str], objects: Sequence[Path], script: str, name: str, folder: Path
) -> LinkedModel:
    """Links the objects of model `name`, and checks that nothing is left that depends on an address.

    Raises:
        BuildError: it does not link, or something depends on an address.
        ToolchainMissingError: the linker cannot be started, or its C library is missing.
    """
    elf = folder / "model.elf"
    (folder / "model.ld").write_text(script, encoding="utf-8", newline="\n")
    listed = folder / "model.rsp"
    listed.write_text("\n".join('"' + str(path).replace("\\", "\\\\") + '"' for path in objects), encoding="utf-8")
    command = [str(toolchain.cc), *flags, *LINK_FLAGS, f"-T{folder / 'model.ld'}", f"@{listed}", "-o", str(elf)]
    run_tool(command, folder, f"the relocatable model {name} does not link", toolchain)
    _refuse(addresses_held(elf), f"{name} as linked")
    sections = read_sections(elf)
    others = [section.name for section in sections if section.name != SECTION]
    if others or not sections:
        raise BuildError(
            f"{name} as linked has sections {', '.join(others)} that a relocatable model cannot have",
            hint="this is a bug of tinyhil, please report it",
        )
    entries = {symbol.name: symbol.address for symbol in read_symbols(elf)}
    return LinkedModel(
        code=sections[0].data,
        init=entries[f"{name}_init"],
        invoke=entries[f"{name}_invoke"],
        features=read_attributes(elf).features,
        elf=elf.read_bytes(),
    )


def _refuse(bound: Sequence[Bound], label: str) -> None:
    if bound:
        named = [f"{one.symbol} ({one.what} in {one.section})" for one in bound]
        more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
        raise BuildError(
            f"{label} does not run at any address: {', '.join(named[:_MOST_NAMED])}{more}",
            hint="a kernel of such a model has no variables and no tables of addresses: tinyhil docs relocatable",
        )
