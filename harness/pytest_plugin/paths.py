"""Where tests of the user's own find the models, cards and vectors that they name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.errors import CardError, InputError, ModelFileError, VectorsError
from harness.frontends.foreign import is_url
from harness.validate.card import FILES

_KINDS: dict[str, type[InputError]] = {".yaml": CardError, ".yml": CardError} | dict.fromkeys(FILES, VectorsError)


def folders_of(item: pytest.Item | None, config: pytest.Config) -> tuple[Path, ...]:
    """Folders that a relative path may start from, first to last: of the test's file, pytest's rootdir, the current."""
    own = [] if item is None else [item.path.parent]
    return tuple(dict.fromkeys((*own, config.rootpath, Path.cwd())))


def find(name: str | Path, folders: Sequence[Path]) -> Path:
    """The path that is meant by `name`: itself where it is absolute, else that of the first folder that has it.

    Raises:
        InputError: no folder has it; of the class that fits the file's suffix. The message names all of them.
    """
    path = Path(name)
    if path.is_absolute() or is_url(str(path)):
        return path
    for folder in folders:
        if (folder / path).exists():
            return folder / path
    looked = ", ".join(str(folder) for folder in folders)
    raise _KINDS.get(path.suffix.lower(), ModelFileError)(
        f"{path}: no such file; looked in {looked}",
        hint="write the path from the test's own folder or from pytest's rootdir, or an absolute one",
    )
