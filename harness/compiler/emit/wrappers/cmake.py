"""CMake: CMakeLists.txt, a library target of C and assembly; in every package."""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.compiler.emit.templates import render
from harness.compiler.emit.wrappers.wrapper import Facts, Wrapper

_TAKEN_TARGET = re.compile(
    "all|c|clean|continuous|debug|default_target|depend|doc|docs|edit_cache|experimental|flash|gcc|general|help|install|m|"
    "nightly|none|nosys|optimized|package|package_source|preinstall|rebuild_cache|stdc|test|uninstall"
)
"""Names that mean something else to CMake's generators or to target_link_libraries."""


def _files(facts: Facts) -> Mapping[str, str]:
    target = f"tinyhil_{facts.name}" if _TAKEN_TARGET.fullmatch(facts.name) else facts.name
    return {"CMakeLists.txt": render("CMakeLists.txt.j2", m=facts, target=target)}


def _usage(facts: Facts, folder: str) -> str:
    return f"add_subdirectory({folder}), then target_link_libraries(... PRIVATE tinyhil::{facts.name})"


CMAKE = Wrapper("cmake", _files, _usage)
