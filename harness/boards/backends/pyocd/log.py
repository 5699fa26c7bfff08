"""What pyOCD says, kept for the details of an error instead of being printed."""

from __future__ import annotations

import contextlib
import io
import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

_LOGGER = "pyocd"
_KEPT = 200
_SHOWN = 12


class PyocdLog(logging.Handler):
    """Takes pyOCD's messages for as long as it is attached; they reach nobody else."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._lines: deque[tuple[int, str]] = deque(maxlen=_KEPT)
        self._before: tuple[int, bool] | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message, without its traceback."""
        with contextlib.suppress(Exception):  # a message that cannot be formatted is pyOCD's mistake
            self._lines.append((record.levelno, f"pyocd {record.levelname.lower()}: {record.getMessage()}"))

    def attach(self) -> None:
        """Begin to listen."""
        logger = logging.getLogger(_LOGGER)
        if self._before is None:
            self._before = (logger.level, logger.propagate)
            logger.addHandler(self)
            logger.setLevel(logging.INFO)
            logger.propagate = False

    def detach(self) -> None:
        """Leave the logger as it was; may be called again."""
        logger = logging.getLogger(_LOGGER)
        if self._before is not None:
            logger.removeHandler(self)
            level, logger.propagate = self._before
            logger.setLevel(level)
            self._before = None

    def clear(self) -> None:
        """Forget what was said."""
        self._lines.clear()

    def text(self) -> str:
        """The last that it said: warnings and errors if there are any, else all."""
        serious = [line for level, line in self._lines if level >= logging.WARNING]
        lines = serious or [line for _, line in self._lines]
        return "\n".join(lines[-_SHOWN:])


@contextmanager
def unprinted() -> Iterator[None]:
    """Keep what pyOCD and its drivers print to standard output away from ours."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
