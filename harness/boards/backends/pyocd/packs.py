"""CMSIS packs named by the user, from which pyOCD takes a target that it has neither built in nor installed."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from harness.errors import ToolError

VARIABLE = "TINYHIL_PACKS"


def pack_files() -> list[str]:
    """The paths in $TINYHIL_PACKS, separated as in $PATH.

    Raises:
        ToolError: one is no pack.
    """
    paths = [Path(part).expanduser() for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part]
    for path in paths:
        if not _is_pack(path):
            raise ToolError(
                f"{path}, named by ${VARIABLE}, is no CMSIS pack",
                hint="name the .pack file, a ZIP archive with a .pdsc",
            )
    return [str(path) for path in paths]


def _is_pack(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(".pdsc") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return False
