"""The models of a folder, and the files of inputs and golden outputs that lie beside them.

Of NAME.tflite these are NAME_inputN and NAME_goldenN (or NAME_outputN), ending in .npy, .csv or .bin; N counts the
model's inputs or outputs from 0 and may be left out for 0; what follows it behind an underscore, such as a type, is
ignored.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import ModelFileError, VectorsError
from harness.frontends import is_model, unreadable

_FILE = re.compile(r"_(input|golden|output)_?(\d{0,3})(?:_[a-zA-Z0-9]+)?\.(?:npy|csv|bin)", re.IGNORECASE)


@dataclass(frozen=True)
class Case:
    """A model and its files.

    Attributes:
        name: its path from the folder that was given, without what such paths share.
        model: the model's file.
        files: of the folder, that its name may belong to.
    """

    name: str
    model: Path
    files: tuple[Path, ...] = field(default=(), repr=False)

    def inputs(self) -> Mapping[int, Path]:
        """Number of the model's input -> its file. Raises VectorsError."""
        return self._found("input")

    def goldens(self) -> Mapping[int, Path]:
        """Number of the model's output -> its file. Raises VectorsError."""
        return self._found("golden", "output")

    def _found(self, *kinds: str) -> dict[int, Path]:
        found: dict[int, Path] = {}
        for path in self.files:
            match = _FILE.fullmatch(path.name[len(self.model.stem) :])
            if match is None or match[1].lower() not in kinds:
                continue
            number = int(match[2] or 0)
            if number in found:
                raise VectorsError(
                    f"{path}: stands for {match[1]} {number}, and so does {found[number].name}",
                    hint="keep one of them, or number them: _input0, _input1, _golden0",
                )
            found[number] = path
        return found


def find_cases(place: Path) -> tuple[Case, ...]:
    """The models in a folder and the folders in it, or the one model that `place` is; in the order of their names.

    Raises:
        ModelFileError: there is none.
    """
    if not place.is_dir():
        if not place.exists():
            raise ModelFileError(f"{place}: no such file or folder", hint="correct the path")
        problem = unreadable(place)
        if problem is not None:
            raise problem
        return (_case(place.parent, place, _names(place.parent)),)
    cases = []
    for folder, folders, names in os.walk(place):
        folders.sort()
        here = [Path(folder) / name for name in sorted(names)]
        cases += [_case(place, path, here) for path in here if is_model(path)]
    if not cases:
        raise ModelFileError(f"{place}: no model in this folder", hint="name a folder with .tflite files, or a model")
    return tuple(cases)


def _names(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def _case(base: Path, model: Path, beside: list[Path]) -> Case:
    files = tuple(path for path in beside if path.name.startswith(model.stem) and path != model)
    return Case(model.relative_to(base).as_posix(), model, files)
