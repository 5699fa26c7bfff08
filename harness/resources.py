"""Where the files that are not Python live: firmware/ and boards.yaml, in a checkout and in an installed wheel."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from harness.errors import ToolError


def _find(packed: str, beside: str) -> Path:
    """The resource inside the package (wheel) or beside it (checkout)."""
    package = Path(str(files("harness")))
    for path in (package / packed, package.parent / beside):
        if path.exists():
            return path
    raise ToolError(
        f"{beside} is missing from the installation ({package})",
        hint="reinstall tinyhil (python -m pip install --force-reinstall tinyhil)",
    )


def firmware() -> Path:
    """The folder with runtime/, kernels/ and ports/.

    Raises:
        ToolError: the installation is incomplete.
    """
    return _find("_firmware", "firmware")


def boards_file() -> Path:
    """The boards.yaml that ships with tinyhil.

    Raises:
        ToolError: the installation is incomplete.
    """
    return _find("_boards.yaml", "boards.yaml")
