"""The folder of a search: each step's result in a file, whole or not at all: a search that was killed goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.errors import ResultsError
from harness.files.writing import reason, write_whole, writing_hint

Document = dict[str, Any]


class SearchJournal:
    """Results of steps, by name. A step that is there is not computed again.

    Attributes:
        folder: where they are.
    """

    def __init__(self, folder: Path, key: str) -> None:
        """Raises ResultsError where the folder has a search of another key, or cannot be written."""
        self.folder = folder
        held = self._read("search")
        if held is None:
            self._write("search", {"key": key})
        elif held.get("key") != key:
            raise ResultsError(
                f"{folder} holds a search of other settings or data",
                hint="name another folder, or remove this one",
            )

    def step(self, name: str, compute: Callable[[], Document]) -> Document:
        """The result of a step, computed where it is not there yet; with the seconds that it took as `seconds`.

        What the step's own checkpoints kept of earlier sessions it counts itself.
        """
        held = self._read(name)
        if held is None:
            began = time.monotonic()
            made = compute()
            held = {"seconds": round(time.monotonic() - began, 1), **made}
            self._write(name, held)
        return held

    def checkpoint(self, name: str) -> Path:
        """File for the training of a step."""
        return self.folder / f"{name}.pt"

    def _read(self, name: str) -> Document | None:
        path = self.folder / f"{name}.json"
        if not path.exists():
            return None
        try:
            held: Document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ResultsError(f"{path} cannot be read: {error}", hint="remove it; the step is done again") from None
        return held

    def _write(self, name: str, held: Document) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(self.folder / f"{name}.json", json.dumps(held, indent=1).encode())
        except OSError as error:
            hint = writing_hint(self.folder, error)
            raise ResultsError(f"{self.folder} cannot be written: {reason(error)}", hint=hint) from None
