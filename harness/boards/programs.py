"""Programs named by environment variables."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from harness.errors import EmulatorMissingError


def named_program(variable: str) -> Path | None:
    """The program that an environment variable names; None if it is not set.

    Raises:
        EmulatorMissingError: the variable names no program; there is no search for another.
    """
    named = os.environ.get(variable)
    if not named:
        return None
    program = shutil.which(os.path.expanduser(named))
    if program is None:
        raise EmulatorMissingError(f"{variable}={named} is not a program", hint=f"correct or unset {variable}")
    return Path(program)
