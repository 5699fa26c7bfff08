"""The table of backends: tinyhil's own, and those of other packages by entry points."""

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
"""Group of the entry points by which other packages add backends."""

_BUILT_IN: tuple[Backend, ...] = (HostBackend(), QemuBackend(), PyocdBackend(), VirtualBackend(), FvpBackend())
BACKENDS: dict[str, Backend] = {backend.name: backend for backend in _BUILT_IN}
"""Name -> backend: tinyhil's own, and those of other packages once they were looked up."""


def find_backend(name: str) -> Backend:
    """The backend of this name. Entry points are searched only for a name that tinyhil does not have.

    Raises:
        BoardConfigError: there is no such backend; the hint lists all names.
        ToolError: the entry point cannot be imported, or is not a Backend.
    """
    if name not in BACKENDS:
        BACKENDS[name] = _load(name)
    return BACKENDS[name]


def backend_names() -> list[str]:
    """Names of all backends, with those of other packages."""
    from importlib.metadata import entry_points

    return list(dict.fromkeys((*BACKENDS, *entry_points(group=GROUP).names)))


def _load(name: str) -> Backend:
    from importlib.metadata import entry_points

    for entry_point in entry_points(group=GROUP, name=name):
        try:
            found = entry_point.load()
            backend = found() if isinstance(found, type) else found
        except Exception as error:  # the import of another package can raise anything
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
