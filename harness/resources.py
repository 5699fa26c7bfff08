"""Where data/, firmware/, docs/ and boards.yaml lie, in a checkout and in an installed wheel; optional packages."""

from __future__ import annotations

from importlib.resources import files
from importlib.util import find_spec
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


def docs() -> Path:
    """The folder with the pages of the documentation.

    Raises:
        ToolError: the installation is incomplete.
    """
    return _find("_docs", "docs")


def has_package(module: str) -> bool:
    """Whether an optional package is installed, by the name of its module; imports nothing."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def data(*parts: str) -> Path:
    """A file or folder of harness/data."""
    return package().joinpath("data", *parts)
