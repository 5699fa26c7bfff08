"""Files that commands write where they are told to."""

from __future__ import annotations

from pathlib import Path

from harness.errors import OutputError


def write_output(path: Path, content: str | bytes) -> None:
    """Writes a file whole, or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    from harness.files.writing import reason, write_whole, writing_hint

    try:
        write_whole(path, content)
    except OSError as error:
        raise OutputError(f"{path}: {reason(error)}", hint=writing_hint(path, error)) from None
