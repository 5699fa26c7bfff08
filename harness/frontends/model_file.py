"""The bytes of a model file."""

from __future__ import annotations

from pathlib import Path

from harness.errors import ModelFileError
from harness.files.reading import TooLargeError, read_regular


def read_model_file(path: Path, most: int) -> bytes:
    """All bytes of a model file of at most `most` bytes.

    Raises:
        ModelFileError: it cannot be read, or is larger.
    """
    try:
        return read_regular(path, most)
    except TooLargeError as error:
        raise ModelFileError(
            f"{path}: {error.strerror}, which is more than tinyhil reads",
            hint="give a model that is meant for a microcontroller",
        ) from None
    except OSError as error:
        raise ModelFileError(f"{path}: {error.strerror or error}", hint="check the path and its permissions") from None
