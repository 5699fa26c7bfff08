"""Objects -> ELF."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.build.jobs import run_tool
from harness.build.memory import does_not_fit
from harness.build.port import Port
from harness.build.sources import SANITIZE_FLAGS
from harness.build.toolchain import Toolchain
from harness.errors import BuildError

if TYPE_CHECKING:
    from harness.hardware.board import Board, Placement


def linker_scripts(firmware: Path, port: Port) -> list[str]:
    """Texts of all linker scripts that a port may use. Raises BuildError when one cannot be read."""
    if port.ldscript is None:
        return []
    paths = [firmware / port.ldscript]
    for folder in port.library_dirs:
        paths += sorted((firmware / folder).glob("*.ld"))
    try:
        return [path.read_text(encoding="utf-8") for path in paths]
    except OSError as error:
        raise BuildError(
            f"{error.filename}: {error.strerror}", hint=f"firmware/ports/{port.name}/port.yaml names it"
        ) from error


def link_flags(port: Port, sanitize: bool, stack_size: int) -> list[str]:
    """Flags for the linker; `stack_size` in bytes."""
    flags = [*port.cflags, *(SANITIZE_FLAGS if sanitize else ()), *port.ldflags]
    if port.ldscript:
        flags += [f"-Wl,--defsym=HIL_STACK_SIZE={stack_size}", "-Wl,--fatal-warnings"]
    return flags


def link_objects(
    toolchain: Toolchain,
    firmware: Path,
    port: Port,
    flags: Sequence[str],
    objects: Sequence[Path],
    elf: Path,
    board: Board,
    placed: Placement | None,
) -> str:
    """Link the objects; returns the text of the link map ("" where the linker writes none).

    Raises:
        BuildError: the linker fails; details carry its output.
        ToolchainMissingError: it cannot be started, or its C library is missing.
    """
    scripts = [f"-L{firmware / folder}" for folder in port.library_dirs]
    if port.memory_of_board:
        scripts.append(f"-L{elf.parent}")
    if port.ldscript:
        scripts.append(f"-T{firmware / port.ldscript}")
    link_map = elf.with_suffix(".map")
    gnu = toolchain.kind == "arm" or os.name == "posix" and os.uname().sysname == "Linux"
    # a list of many models is longer than a command line may be
    listed = elf.with_suffix(".rsp")
    listed.write_text("\n".join('"' + str(path).replace("\\", "\\\\") + '"' for path in objects), encoding="utf-8")
    command = [
        str(toolchain.cc),
        *flags,
        *scripts,
        *([f"-Wl,-Map={link_map}"] if gnu else []),
        f"@{listed}",
        *port.libs,
    ]
    try:
        run_tool([*command, "-o", str(elf)], elf.parent, f"the image for {board.name} does not link", toolchain)
    except BuildError as error:
        excess = does_not_fit(board, placed, error)
        if excess is None:
            raise
        raise excess from error
    return link_map.read_text(encoding="utf-8", errors="replace") if gnu else ""
