"""GNU make: NAME.mk, to be included; in every package."""

from __future__ import annotations

from collections.abc import Mapping

from harness.compiler.emit.templates import render
from harness.compiler.emit.wrappers.wrapper import Facts, Wrapper


def _files(facts: Facts) -> Mapping[str, str]:
    return {f"{facts.name}.mk": render("model.mk.j2", m=facts)}


def _usage(facts: Facts, folder: str) -> str:
    return f"include {folder}/{facts.name}.mk, then link $({facts.upper}_OBJECTS)"


MAKE = Wrapper("make", _files, _usage)
