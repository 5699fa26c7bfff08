"""What ecosystems of firmware expect beside C files: one file each, and a line here."""

from __future__ import annotations

from collections.abc import Iterable

from harness.compiler.emit.wrappers.wrapper import Wrapper
from harness.plugins import Table

WRAPPERS: Table[Wrapper] = Table(
    "ecosystem",
    "tinyhil.wrappers",
    {
        "cmake": "harness.compiler.emit.wrappers.cmake:CMAKE",
        "make": "harness.compiler.emit.wrappers.make:MAKE",
        "zephyr": "harness.compiler.emit.wrappers.zephyr:ZEPHYR",
        "platformio": "harness.compiler.emit.wrappers.platformio:PLATFORMIO",
        "arduino": "harness.compiler.emit.wrappers.arduino:ARDUINO",
        "cmsis-pack": "harness.compiler.emit.wrappers.cmsis_pack:CMSIS_PACK",
    },
)

ALWAYS = ("cmake", "make")
"""Those that every package brings."""


def chosen(names: Iterable[str]) -> tuple[Wrapper, ...]:
    """The wrappers that every package brings, then those of `names`, each once.

    Raises:
        OptionError: there is no such ecosystem.
        PluginError: another package's wrapper cannot be loaded.
    """
    return tuple(WRAPPERS.get(name) for name in dict.fromkeys((*ALWAYS, *names)))
