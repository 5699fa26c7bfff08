"""Which modules an installation has because of an extra, and not without."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import metadata

from packaging.requirements import Requirement

from tests.support.paths import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def plain(name: str) -> str:
    """A package's name as packages are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def required(texts: list[str]) -> set[str]:
    """Names of the packages that these requirements install, with what they require."""
    found: set[tuple[str, str]] = set()
    left = [(Requirement(text), "") for text in texts]
    while left:
        wanted, of_extra = left.pop()
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": of_extra}):
            continue
        for extra in ("", *wanted.extras):
            key = (plain(wanted.name), extra)
            if key in found:
                continue
            found.add(key)
            if key[0] == plain(PROJECT["name"]):
                left += [(Requirement(text), "") for text in EXTRAS.get(extra, ())]
                continue
            try:
                more = metadata.requires(wanted.name) or ()
            except metadata.PackageNotFoundError:
                continue
            left += [(Requirement(text), extra) for text in more]
    return {name for name, _ in found}


@cache
def of_extras_alone() -> frozenset[str]:
    """Modules that are here because of an extra, and that an installation without extras has not."""
    core = required(PROJECT["dependencies"]) | {"pip", "setuptools", plain(PROJECT["name"])}
    only = {name for texts in EXTRAS.values() for name in required(texts)} - core
    modules = metadata.packages_distributions()
    return frozenset(
        module
        for module, owners in modules.items()
        if module.isidentifier() and {plain(owner) for owner in owners} <= only
    )
