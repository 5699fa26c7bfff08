"""Tests reach into no private name of harness: what they need is public, or shows in behaviour."""

from __future__ import annotations

import pytest

from tests.support.paths import REPOSITORY
from tests.support.private_names import reached_into

FILES = sorted((REPOSITORY / "tests").rglob("*.py"))
HERE = REPOSITORY / "tests" / "house" / "host" / "test_private_names.py"


def test_no_file_reaches_into_private_names() -> None:
    assert len(FILES) > 150
    found = [
        f"{path.relative_to(REPOSITORY)}:{line}: {name}"
        for path in FILES
        if path != HERE  # which holds the examples
        for line, name in reached_into(path.read_text(encoding="utf-8"))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("from harness.a import _b", "_b"),
        ("from harness._a import b", "_a"),
        ("import harness._a.b", "_a"),
        ("from harness.a import b\nb._c", "_c"),
        ("from harness.a import b\nb.C._d(1)", "_d"),
        ("from harness.a import b\nb._c = 1", "_c"),
        ("import harness.a\nharness.a._b", "_b"),
        ("from harness.a import C\nc = C()\nc._d", "_d"),
        ("from harness.a import C\nC()._d", "_d"),
        ("def test(made):\n    made[0]._d", "_d"),
        ("from harness.a import C\nclass D(C):\n    def f(self):\n        return self._e", "_e"),
        ("from harness import a\nmonkeypatch.setattr(a, '_b', 1)", "_b"),
        ("from harness import a\nmonkeypatch.setattr(a.C, '_b', 1)", "_b"),
        ("monkeypatch.setattr('harness.a._b', 1)", "_b"),
        ("from harness import a\ngetattr(a, '_b')", "_b"),
        ("run(['python', '-c', 'from harness.a import c, _b'])", "_b"),
        ("run(['python', '-c', 'import harness.a as x; harness.a._b()'])", "_b"),
    ],
)
def test_what_reaches_is_found(source: str, name: str) -> None:
    assert name in [found for _, found in reached_into(source)]


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos._exit(1)",
        "from harness.a import b\nb.c",
        "from harness.a import b as _b\n_b.c",
        "import harness.a\nharness.a.__path__",
        "class A:\n    def __init__(self):\n        self._b = 1\nA()._b",
        "from harness.a import C\nclass D(C):\n    def _e(self):\n        return self._e()",
        "def _f():\n    return 1\n_f()",
        "from tests.support.a import b\nfor _ in b():\n    pass",
        "package / 'harness/_firmware'",
        "import sys\nmonkeypatch.setattr(sys, '_b', 1)",
        "x = 'from harness.a import b; print(_c)'",
    ],
)
def test_what_does_not_reach_is_left_alone(source: str) -> None:
    assert reached_into(source) == []
