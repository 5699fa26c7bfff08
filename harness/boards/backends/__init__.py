"""The table of backends: those of tinyhil, and those that other packages name by entry points."""

from __future__ import annotations

from harness.boards.backends.backend import Absent as Absent
from harness.boards.backends.backend import Backend as Backend
from harness.boards.backends.fvp.backend import FvpBackend
from harness.boards.backends.host.backend import HostBackend
from harness.boards.backends.pyocd.backend import PyocdBackend
from harness.boards.backends.qemu.backend import QemuBackend
from harness.boards.backends.virtual.backend import VirtualBackend
from harness.errors import BoardConfigError, ToolError

GROUP = "tinyhil.backends"
"""Entry points of this group name backends of other packages."""

_BUILT_IN: tuple[Backend, ...] = (HostBackend(), QemuBackend(), PyocdBackend(), VirtualBackend(), FvpBackend())
BACKENDS: dict[str, Backend] = {backend.name: backend for backend in _BUILT_IN}
"""Name -> the backends of tinyhil; others join as they are looked for."""


def find_backend(name: str) -> Backend:
    """The backend of a name. Entry points are looked at only where tinyhil has none of that name.

    Raises:
        BoardConfigError: there is none; the hint names those there are.
        ToolError: the package that has it cannot be imported, or names something else by that entry point.
    """
    if name not in BACKENDS:
        BACKENDS[name] = _load(name)
    return BACKENDS[name]


def backend_names() -> list[str]:
    """Names of all backends, those of other packages included."""
    from importlib.metadata import entry_points

    return list(dict.fromkeys((*BACKENDS, *entry_points(group=GROUP).names)))


def _load(name: str) -> Backend:
    from importlib.metadata import entry_points

    for entry_point in entry_points(group=GROUP, name=name):
        try:
            found = entry_point.load()
            backend = found() if isinstance(found, type) else found
        except Exception as error:  # whatever another package does as it is imported
            raise ToolError(
                f"backend {name} ({entry_point.value}) cannot be loaded: {type(error).__name__}: {error}",
                hint="update or remove the package that names it",
            ) from error
        if not isinstance(backend, Backend) or backend.name != name:
            raise ToolError(
                f"{entry_point.value}, named as backend {name}, is no Backend of that name",
                hint=f"an entry point of group {GROUP} names an object whose class is derived from Backend",
            )
        return backend
    raise BoardConfigError(f"no backend is named {name!r}", hint=f"known backends: {', '.join(backend_names())}")
