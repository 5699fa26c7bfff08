"""Captures what C code prints to standard error, so that the library never prints."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_STDERR = 2
_lock = threading.RLock()


class Captured:
    """Text printed inside `captured_stderr`."""

    text = ""


@contextmanager
def captured_stderr() -> Iterator[Captured]:
    """Redirect file descriptor 2 for the whole process; `.text` is filled on leaving, also by an exception.

    One thread at a time: descriptors belong to the process.
    """
    captured = Captured()
    with _lock, tempfile.TemporaryFile() as file:
        if sys.stderr is not None:
            sys.stderr.flush()
        try:
            kept = os.dup(_STDERR)
        except OSError:  # a process without standard error
            yield captured
            return
        os.dup2(file.fileno(), _STDERR)
        try:
            yield captured
        finally:
            os.dup2(kept, _STDERR)
            os.close(kept)
            file.seek(0)
            captured.text = file.read(65536).decode("utf-8", "replace").strip()
