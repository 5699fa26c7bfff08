"""Plugins for QEMU's translator (TCG): built on first use, and told apart from other troubles where QEMU has none.

Their C includes qemu_plugin.h beside this module.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.build.host_library import host_library
from harness.errors import BoardError, ProfileError

INTERFACE = ("harness.boards.backends.qemu", "qemu_plugin.h")
"""The package and name of the interface's header."""


def plugin_library(package: str, sources: Sequence[str]) -> Path:
    """A plugin from C files of a package, see host_library."""
    return host_library(package, sources, beside=(INTERFACE,))


def escape(path: Path) -> str:
    """A path, escaped for one of QEMU's options."""
    return str(path).replace(",", ",,")


@contextmanager
def plugin_loads(what: str) -> Iterator[None]:
    """Within it QEMU starts with a plugin; `what` it is, for the error.

    Raises:
        ProfileError: QEMU does not load it.
    """
    try:
        yield
    except BoardError as error:
        if "plugin" in error.details:
            raise ProfileError(
                f"QEMU does not load {what}",
                hint="use a QEMU from 7.2 on that is built with plugins, as Debian's is",
                details=error.details,
            ) from error
        raise
