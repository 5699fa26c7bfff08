"""Language: the protocol that an image speaks on its link, tinyhil's frames or another one of the firmware."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, eq=False)
class Language:
    """The sources of a protocol.

    Attributes:
        name: for messages and the build id.
        runtime: files of firmware/runtime that are compiled; None for all.
        folder: folder of firmware/ whose C files are compiled, too; None for no such folder.
        files: generated C files, name -> text.
    """

    name: str
    runtime: tuple[str, ...] | None = None
    folder: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)


FRAMES = Language("frames")
