"""labgrid's own environment: where it is, how it is made, and its programs.

Never in this one: labgrid depends on pyserial-labgrid, which installs over the files of pyserial.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import platformdirs

from harness.errors import FarmError, LabgridMissingError
from harness.resources import package

VARIABLE = "TINYHIL_LABGRID"
REQUIREMENTS = "labgrid.txt"
_HINT = f"`tinyhil farm setup` makes it (80 MB, ten seconds); or name one that has labgrid in {VARIABLE}"


def default_environment() -> Path:
    """Where `tinyhil farm setup` makes the environment: $TINYHIL_LABGRID, else in the user's cache folder."""
    named = os.environ.get(VARIABLE)
    return Path(named).expanduser().absolute() if named else Path(platformdirs.user_cache_dir("tinyhil")) / "labgrid"


def find_environment() -> Path:
    """The environment that has labgrid: $TINYHIL_LABGRID alone if set, else one within this one, else the user's.

    Raises:
        LabgridMissingError: there is none.
    """
    named = os.environ.get(VARIABLE)
    places = [default_environment()] if named else [Path(sys.prefix) / "labgrid", default_environment()]
    for place in places:
        if _python(place).is_file() and any(place.glob("lib/python3*/site-packages/labgrid/remote/coordinator.py")):
            return place
    raise LabgridMissingError(f"no environment with labgrid in {' or '.join(map(str, places))}", hint=_HINT)


def labgrid_command(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of labgrid's, such as "labgrid.remote.coordinator".

    Raises:
        LabgridMissingError: there is no environment with labgrid.
    """
    return [str(_python(find_environment())), "-m", module, *arguments]


def bridge_command() -> list[str]:
    """The command that runs our bridge in labgrid's environment. Raises LabgridMissingError."""
    # by its path, in isolated mode: nothing of this environment can be imported there
    return [str(_python(find_environment())), "-I", str(package() / "farm" / "labgrid_bridge.py")]


def make_environment(place: Path | None = None) -> Path:
    """Makes the environment and installs labgrid in it; one that is there is brought to our version of labgrid.

    Raises:
        FarmError: it cannot be made; details carry pip's messages.
    """
    place = default_environment() if place is None else place
    try:
        if not _python(place).is_file():
            venv.create(place, with_pip=True)
        command = [str(_python(place)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        wanted = str(package() / "data" / REQUIREMENTS)
        done = subprocess.run([*command, "-r", wanted], capture_output=True, text=True, errors="replace", check=False)
    except (OSError, subprocess.SubprocessError) as error:
        raise FarmError(
            f"{place}: labgrid's environment cannot be made: {error}", hint=f"name another folder in {VARIABLE}"
        ) from error
    if done.returncode:
        raise FarmError(
            f"{place}: pip could not install labgrid",
            hint="the details show why; is the package index reached?",
            details=done.stderr.strip(),
        )
    return place


def _python(place: Path) -> Path:
    return place / "bin" / "python"
