"""Images that an agent was sent: kept by the hash of their bytes, so that each is sent once."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from harness.build.image import Image
from harness.elf.sizes import Sizes
from harness.errors import FarmError
from harness.files.private import private_folder
from harness.files.writing import publish, staging, write_new

MOST_BYTES = 64 << 20
"""Of one image."""
MOST_KEPT = 1 << 30
"""Of all images together; the ones not used for longest go."""
_HASH = re.compile(r"[0-9a-f]{64}")
_SENT = (
    "build_id", "board", "core", "link", "language", "packages", "toolchain", "stack_size", "sanitize", "placement",
    "regions",
)  # fmt: skip


def record_of(image: Image) -> dict[str, Any]:
    """What an agent needs to know of an image besides its bytes, JSON-ready."""
    return {name: getattr(image, name) for name in _SENT} | {"packages": list(image.packages)}


def image_of(record: Any, elf: Path) -> Image:
    """The image of a record. Raises FarmError if it is none."""
    kinds = {"packages": list, "stack_size": int, "sanitize": bool, "placement": dict | None, "regions": dict}
    known = {field.name for field in fields(Image)}
    if not isinstance(record, dict) or not set(_SENT) <= set(record) or not set(_SENT) <= known:
        raise FarmError("an image was sent without its facts", hint="is tinyhil of the same version at both ends?")
    for name in _SENT:
        if not isinstance(record[name], kinds.get(name, str)):
            raise FarmError(f"an image's {name} is sent as {record[name]!r}", hint="this is a bug, please report it")
    own = {name: record[name] for name in _SENT}
    own["packages"] = tuple(map(str, own["packages"]))
    return Image(elf=elf, sizes=Sizes(), compiled=0, seconds=0.0, **own)


class ImageStore:
    """A folder of images, each named after its hash."""

    def __init__(self, folder: Path) -> None:
        """Raises FarmError if the folder cannot be made or is not this user's alone."""
        self._folder = folder
        try:
            private_folder(folder)
        except OSError as error:
            raise FarmError(
                f"{folder}: images cannot be kept there: {error.strerror or error}",
                hint="name a folder of your own with --state",
            ) from error

    def find(self, digest: str) -> Path | None:
        """The image of a hash; None if it was not sent yet, or is damaged."""
        if not _HASH.fullmatch(digest):
            return None
        path = self._folder / f"{digest}.elf"
        try:
            if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
                path.unlink(missing_ok=True)
                return None
            os.utime(path)
        except OSError:
            return None
        return path

    def put(self, digest: str, data: bytes) -> Path:
        """Keeps an image. Raises FarmError if its bytes have another hash, or it cannot be written."""
        if hashlib.sha256(data).hexdigest() != digest or len(data) > MOST_BYTES:
            raise FarmError(f"an image of {len(data)} bytes came damaged", hint="run it again")
        name = f"{digest}.elf"
        try:
            with staging(self._folder) as staged:
                write_new(staged / name, data)
                (staged / name).chmod(0o700)
                publish(staged, self._folder, [name])
        except OSError as error:
            raise FarmError(
                f"{self._folder}: an image cannot be kept: {error.strerror or error}", hint="is its disk full?"
            ) from error
        self._prune(self._folder / name)
        return self._folder / name

    def _prune(self, kept: Path) -> None:
        with contextlib.suppress(OSError):
            by_age = sorted((path.stat().st_mtime, path.stat().st_size, path) for path in self._folder.glob("*.elf"))
            total = sum(size for _, size, _ in by_age)
            for _, size, path in by_age:
                if total <= MOST_KEPT:
                    break
                if path != kept:
                    path.unlink(missing_ok=True)
                    total -= size
