"""What an image speaks on its line: tinyhil's own frames, or another language of the same firmware."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, eq=False)
class Language:
    """The sources that make up a language.

    Attributes:
        name: for messages and the build id.
        runtime: files of firmware/runtime that go into the image; None for all.
        folder: folder of firmware/ whose C files go in besides, if any.
        files: generated C files, name -> text.
    """

    name: str
    runtime: tuple[str, ...] | None = None
    folder: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)


FRAMES = Language("frames")
