"""The imports of harness/, read from its source: those at the top of a file, inside functions and for types alike."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.support.paths import REPOSITORY

Imports = dict[str, dict[str, int]]
"""module -> module that it imports -> the line."""


def modules(root: Path = REPOSITORY) -> dict[str, Path]:
    """Dotted name -> file of every module of harness/."""
    found = {}
    for path in sorted((root / "harness").rglob("*.py")):
        parts = list(path.relative_to(root).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        found[".".join(parts)] = path
    return found


def imports(root: Path = REPOSITORY) -> Imports:
    """Every import of one module of harness/ by another."""
    known = modules(root)
    return {name: _imported(name, path, known) for name, path in known.items()}


def _imported(name: str, path: Path, known: dict[str, Path]) -> dict[str, int]:
    found: dict[str, int] = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            wanted = [(node.module or "", alias.name) for alias in node.names]
            named = [f"{module}.{leaf}" if f"{module}.{leaf}" in known else module for module, leaf in wanted]
        elif isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        else:
            continue
        for other in named:
            if other in known and other != name:
                found.setdefault(other, node.lineno)
    return found


def circles(graph: Imports) -> list[list[str]]:
    """Groups of modules that import each other, directly or not (Tarjan's strongly connected components)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in graph[name]:
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            group = []
            while not group or group[-1] != name:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(sorted(group))

    for name in graph:
        if name not in index:
            visit(name)
    return found
