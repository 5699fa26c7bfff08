"""No test fails because its machine is busy: none holds a clock against a limit, but `tests/support/patience.py`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.support.paths import REPOSITORY

CLOCKS = {"monotonic", "perf_counter", "time", "process_time", "now"}
TESTS = REPOSITORY / "tests"
ALLOWED = {TESTS / "support" / "patience.py"}


def limits(tree: ast.AST) -> Iterator[int]:
    """Lines of assertions that a reading of a clock, or what was made of one, is below something."""
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Module)):
        timed = {
            target.id
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp) and _reads_clock(node.value)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(function):
            if isinstance(node, ast.Assert):
                yield from (found.lineno for found in ast.walk(node) if _bounded(found, timed))


def _reads_clock(node: ast.AST) -> bool:
    return any(
        isinstance(found, ast.Call) and isinstance(found.func, ast.Attribute) and found.func.attr in CLOCKS
        for found in ast.walk(node)
    )


def _bounded(node: ast.AST, timed: set[str]) -> bool:
    if not isinstance(node, ast.Compare):
        return False
    sides = [node.left, *node.comparators]
    for left, sign, right in zip(sides, node.ops, sides[1:], strict=False):
        smaller = left if isinstance(sign, ast.Lt | ast.LtE) else right if isinstance(sign, ast.Gt | ast.GtE) else None
        if isinstance(smaller, ast.BinOp) and _reads_clock(smaller):
            return True
        if isinstance(smaller, ast.Name) and smaller.id in timed:
            return True
    return False


def test_no_test_holds_a_clock_against_a_limit() -> None:
    found = [
        f"{path.relative_to(REPOSITORY)}:{line}"
        for path in sorted(TESTS.rglob("*.py"))
        if path not in ALLOWED and "bench" not in path.parts
        for line in sorted(set(limits(ast.parse(path.read_text(encoding="utf-8")))))
    ]
    assert not found, "a busy machine fails these: " + ", ".join(found)


def test_what_the_walk_sees() -> None:
    text = "import time\ndef f():\n    start = time.monotonic()\n    took = time.monotonic() - start\n"
    for line, seen in (
        ("assert took < 3", True),
        ("assert 0 < took <= 3", True),
        ("assert 3 > time.monotonic() - start", True),
        ("assert took > 0.2", False),
        ("assert start < limit", False),
    ):
        assert bool(list(limits(ast.parse(text + "    " + line + "\n")))) is seen, line
