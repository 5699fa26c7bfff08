"""Which kernels there are, and where their files lie: nothing is listed, a kernel's file is enough.

Kernels are those in `KERNELS` of each module in this folder, their code lies in firmware/kernels. An installed package
adds kernels by an entry point of the group tinyhil.kernels that names a module with KERNELS of its own; its C and
assembly lie beside that module, and its cost coefficients in the folder costs there (cost_coefficients.py).
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import PluginError
from harness.resources import firmware

if TYPE_CHECKING:
    from harness.kernels.base import Kernel

GROUP = "tinyhil.kernels"


@cache
def all_kernels() -> tuple[Kernel, ...]:
    """Every kernel, in an order that is always the same: by module, then as in its KERNELS; entry points after those.

    Raises:
        PluginError: the module of an entry point cannot be imported, or has no KERNELS.
    """
    own = sorted(module.name for module in pkgutil.iter_modules(import_module("harness.kernels").__path__))
    found: list[Kernel] = []
    for name in own:
        found += getattr(import_module(f"harness.kernels.{name}"), "KERNELS", ())
    for point in _entry_points():
        found += _kernels_of(point)
    return tuple(found)


@cache
def added_folders() -> tuple[Path, ...]:
    """Folders of the modules that entry points name.

    Raises:
        PluginError: such a module is not there.
    """
    return tuple(dict.fromkeys(_folder(point.name, point.module) for point in _entry_points()))


def kernel_files() -> Iterator[Path]:
    """Headers, C and assembly of all kernels."""
    for folder in (firmware() / "kernels", *added_folders()):
        yield from (path for path in folder.iterdir() if path.suffix in (".h", ".c", ".S"))


def kernel_file(name: str) -> Path | None:
    """The file of this name among them; None where there is none."""
    path = firmware() / "kernels" / name
    if path.is_file():
        return path
    return next((folder / name for folder in added_folders() if (folder / name).is_file()), None)


def _entry_points() -> Sequence[metadata.EntryPoint]:
    return sorted(metadata.entry_points(group=GROUP), key=lambda point: (point.name, point.value))


def _folder(name: str, module: str) -> Path:
    try:
        spec = find_spec(module)
    except ImportError as error:
        raise _broken(name, module, str(error)) from error
    if spec is None or spec.origin is None:
        raise _broken(name, module, "there is no such module")
    return Path(spec.origin).parent


def _kernels_of(point: metadata.EntryPoint) -> Sequence[Kernel]:
    try:
        loaded = point.load()
    except (ImportError, AttributeError) as error:
        raise _broken(point.name, point.module, str(error)) from error
    found = getattr(loaded, "KERNELS", None)
    if not isinstance(found, tuple | list):
        raise _broken(point.name, point.module, "it has no KERNELS")
    return found


def _broken(name: str, module: str, why: str) -> PluginError:
    return PluginError(
        f"the entry point {name} of {GROUP} names {module}, which gives no kernels: {why}",
        hint="name a module with KERNELS, a tuple of kernels; or uninstall the package that has this entry point",
    )
