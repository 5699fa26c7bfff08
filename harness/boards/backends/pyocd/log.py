"""Captures pyOCD's log messages for the details of errors, instead of printing them."""

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
    """A handler that takes all of pyOCD's messages while it is attached."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._lines: deque[tuple[int, str]] = deque(maxlen=_KEPT)
        self._before: tuple[int, bool] | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps a message, without its traceback."""
        with contextlib.suppress(Exception):  # a message of pyOCD that cannot be formatted
            self._lines.append((record.levelno, f"pyocd {record.levelname.lower()}: {record.getMessage()}"))

    def attach(self) -> None:
        """Takes over pyOCD's logger."""
        logger = logging.getLogger(_LOGGER)
        if self._before is None:
            self._before = (logger.level, logger.propagate)
            logger.addHandler(self)
            logger.setLevel(logging.INFO)
            logger.propagate = False

    def detach(self) -> None:
        """Restores the logger; may be called again."""
        logger = logging.getLogger(_LOGGER)
        if self._before is not None:
            logger.removeHandler(self)
            level, logger.propagate = self._before
            logger.setLevel(level)
            self._before = None

    def clear(self) -> None:
        """Removes all messages."""
        self._lines.clear()

    def text(self) -> str:
        """The last messages: warnings and errors if there are any, else all."""
        serious = [line for level, line in self._lines if level >= logging.WARNING]
        lines = serious or [line for _, line in self._lines]
        return "\n".join(lines[-_SHOWN:])


@contextmanager
def unprinted() -> Iterator[None]:
    """Discards what pyOCD and its drivers print to standard output in the block."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
