"""Where files that are not Python lie: data/, firmware/ and boards.yaml, in a checkout and in an installed wheel."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from harness.errors import ToolError


def package() -> Path:
    """The folder of the Python package."""
    return Path(str(files("harness")))


def _find(packed: str, beside: str) -> Path:
    """The resource inside the package (wheel) or beside it (checkout)."""
    folder = package()
    for path in (folder / packed, folder.parent / beside):
        if path.exists():
            return path
    raise ToolError(
        f"{beside} is missing from the installation ({folder})",
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


def data(*parts: str) -> Path:
    """A file or folder of harness/data."""
    return package().joinpath("data", *parts)
