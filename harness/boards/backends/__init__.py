"""The table of backends: tinyhil's own, and those of other packages by entry points."""

from __future__ import annotations

from functools import cache

from harness.boards.backends.backend import Absent as Absent
from harness.boards.backends.backend import Backend as Backend
from harness.errors import BoardConfigError, PluginError
from harness.plugins import Table

BACKENDS: Table[Backend | type[Backend]] = Table(
    "backend",
    "tinyhil.backends",
    {
        "host": "harness.boards.backends.host.backend:BACKEND",
        "qemu": "harness.boards.backends.qemu.backend:BACKEND",
        "pyocd": "harness.boards.backends.pyocd.backend:BACKEND",
        "virtual": "harness.boards.backends.virtual.backend:BACKEND",
        "fvp": "harness.boards.backends.fvp.backend:BACKEND",
    },
)
"""Name -> a backend; packages may name its class as well."""


@cache
def find_backend(name: str) -> Backend:
    """The backend of a name.

    Raises:
        BoardConfigError: there is none; the hint names those there are.
        PluginError: the package that has it cannot be imported, or names something else by that entry point.
    """
    if name not in BACKENDS:
        raise BoardConfigError(f"no backend is named {name!r}", hint=f"known backends: {', '.join(BACKENDS.names())}")
    found = BACKENDS.get(name)
    backend = found() if isinstance(found, type) else found
    if not isinstance(backend, Backend) or backend.name != name:
        raise PluginError(
            f"what is registered as backend {name} is no Backend of that name",
            hint=f"an entry point of group {BACKENDS.group} names an object whose class is derived from Backend",
        )
    return backend
