"""Which troubles are a board's own, when it is quarantined, and what an agent remembers of its boards."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from harness.errors import Category, TinyhilError
from harness.files.reading import read_regular
from harness.files.writing import write_whole

AT_ONCE = frozenset({"wrong-chip", "flash-verify", "flash-protected", "reference"})
"""Codes of errors after which a board is quarantined at once: its answers cannot be trusted."""
OF_BOARD = AT_ONCE | {
    "board", "board-lost", "connect", "device-restarted", "device-stopped", "device-timeout", "flash",
    "flash-timeout", "flood", "garbage", "line-damaged", "link", "no-bytes", "port-busy", "port-lost", "port-missing",
    "probe", "probe-choice", "probe-lost", "probe-missing", "protocol", "uart-overrun", "wrong-image",
}  # fmt: skip
"""Codes of errors that are a board's."""
IN_A_ROW = 2
"""That many troubles, without a good job between them, quarantine a board."""
_MOST_BYTES = 1 << 22


def is_trouble(error: TinyhilError) -> bool:
    """Whether an error is of a board or of the farm rather than of the model, so that another board may do better."""
    of_farm = error.code in ("farm", "farm-lost", "leased")
    return error.category is Category.INFRASTRUCTURE and (of_farm or error.code in OF_BOARD)


@dataclass(frozen=True)
class BoardRecord:
    """What is known of a board.

    Attributes:
        jobs: images that were started on it.
        troubles: errors of its own, ever.
        in_a_row: troubles since its last good job.
        last: the last trouble in words; "" if there was none.
        last_at: when, in seconds since the epoch.
        quarantined: why it is given to nobody; "" if it is given.
        since: since when it is quarantined, in seconds since the epoch.
        busy_s: seconds that it was held.
        since_start: when the record began, in seconds since the epoch.
    """

    jobs: int = 0
    troubles: int = 0
    in_a_row: int = 0
    last: str = ""
    last_at: float = 0.0
    quarantined: str = ""
    since: float = 0.0
    busy_s: float = 0.0
    since_start: float = 0.0

    def good(self) -> BoardRecord:
        """After a job that went well."""
        return replace(self, in_a_row=0)

    def trouble(self, code: str, text: str, now: float) -> BoardRecord:
        """After an error; unchanged for one that is not the board's."""
        if code not in OF_BOARD:
            return self
        said = f"{text} [{code}]"
        noted = replace(
            self, troubles=self.troubles + 1, in_a_row=self.in_a_row + 1, last=said[:500], last_at=now
        )
        if code in AT_ONCE or noted.in_a_row >= IN_A_ROW:
            return noted.quarantine(said, now)
        return noted

    def quarantine(self, reason: str, now: float) -> BoardRecord:
        """Given to nobody from now on; the first reason stays."""
        return self if self.quarantined else replace(self, quarantined=reason[:500], since=now)

    def released(self) -> BoardRecord:
        """Given to workers again."""
        return replace(self, quarantined="", since=0.0, in_a_row=0)


class BoardRecords:
    """The records of an agent's boards, in a file that survives it."""

    def __init__(self, path: Path, boards: tuple[str, ...]) -> None:
        """Reads the file; one that is damaged is begun anew."""
        self._path = path
        now = time.time()
        self._records = {name: BoardRecord(since_start=now) for name in boards}
        found: Any = {}
        with contextlib.suppress(OSError, ValueError, RecursionError):
            found = json.loads(read_regular(path, _MOST_BYTES))
        for name in boards:
            with contextlib.suppress(TypeError, KeyError):
                record = BoardRecord(**found[name])
                if all(isinstance(getattr(record, key), type(value)) for key, value in asdict(BoardRecord()).items()):
                    self._records[name] = record

    def __getitem__(self, board: str) -> BoardRecord:
        return self._records[board]

    def __setitem__(self, board: str, record: BoardRecord) -> None:
        before, self._records[board] = self._records[board], record
        if (before.quarantined, before.troubles) != (record.quarantined, record.troubles):
            self.save()

    def save(self) -> None:
        """Writes the file; a disk that is full costs the memory of the next start, not this one."""
        with contextlib.suppress(OSError):
            write_whole(self._path, json.dumps({name: asdict(record) for name, record in self._records.items()}))
