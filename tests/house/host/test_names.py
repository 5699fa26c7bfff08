"""One record, one name: no two classes of harness are named alike."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

from tests.support.paths import REPOSITORY

HARNESS = REPOSITORY / "harness"


def sources() -> dict[str, str]:
    """Text by path within harness."""
    return {str(path.relative_to(HARNESS)): path.read_text() for path in sorted(HARNESS.rglob("*.py"))}


def classes(files: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """(name, place) of every class, those inside functions and classes too."""
    for path, text in files.items():
        for node in ast.walk(ast.parse(text, filename=path)):
            if isinstance(node, ast.ClassDef):
                yield node.name, f"{path}:{node.lineno}"


def named_alike(files: Mapping[str, str]) -> dict[str, list[str]]:
    """Names that more than one class has, whether private or not, with the places of all of them."""
    places: dict[str, list[str]] = {}
    for name, place in classes(files):
        places.setdefault(name.lstrip("_").lower(), []).append(f"{name} in {place}")
    return {name: found for name, found in places.items() if len(found) > 1}


def test_no_two_classes_have_one_name() -> None:
    alike = named_alike(sources())
    assert not alike, "\n".join(f"{name}: {', '.join(found)}" for name, found in alike.items())


def test_names_that_differ_only_in_case_or_an_underscore_would_be_found() -> None:
    files = {"a.py": "class Core: ...", "b.py": "def f():\n    class _Core: ...", "c.py": "class Score: ..."}
    assert named_alike(files) == {"core": ["Core in a.py:1", "_Core in b.py:2"]}
