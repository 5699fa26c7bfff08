"""Private names of harness/ that a test file reaches into: by import, as an attribute, by name, or in code it runs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

BY_NAME = {"setattr", "delattr", "getattr", "hasattr"}
"""Functions, and methods of monkeypatch, that take an object and a name."""

IN_TEXT = re.compile(
    r"\bharness(?:\.\w+)*\.(_[a-z]\w*)|\bfrom harness[\w.]* import [^;\n]*?\b(_[a-z]\w*)",
    re.IGNORECASE,
)


LIKELY = re.compile(r"(?<!\w)_[a-zA-Z]")
"""What every file with a private name has; the others need not be parsed."""


def private(name: str) -> bool:
    """Whether a name is private: one underscore before it, or two that do not close behind it."""
    return name.startswith("_") and name != "_" and not (name.startswith("__") and name.endswith("__"))


def reached_into(source: str) -> list[tuple[int, str]]:
    """(line, name) of every private name that is not the file's own, nor one of another package that it imports."""
    if not LIKELY.search(source):
        return []
    tree = ast.parse(source)
    ours, others, own = _imported(tree, True), _imported(tree, False), _own(tree)
    found = []
    for node in ast.walk(tree):
        for base, name in _reached(node):
            if base in ours or (base not in others and name not in own):
                found.append((getattr(node, "lineno", 0), name))
    return sorted(set(found))


def _reached(node: ast.AST) -> Iterator[tuple[str, str]]:
    """(the name that an access begins with, the private name): `a.b._c` gives (a, _c); harness where text says so."""
    if isinstance(node, ast.ImportFrom) and _is_ours(node.module or ""):
        yield from (("harness", alias.name) for alias in node.names if private(alias.name))
        yield from (("harness", part) for part in (node.module or "").split(".") if private(part))
    elif isinstance(node, ast.Import):
        named = [alias.name for alias in node.names if _is_ours(alias.name)]
        yield from (("harness", part) for name in named for part in name.split(".") if private(part))
    elif isinstance(node, ast.Attribute) and private(node.attr):
        yield _base(node), node.attr
    elif isinstance(node, ast.Call) and _called(node.func) in BY_NAME and len(node.args) > 1:
        name = node.args[1]
        if isinstance(name, ast.Constant) and isinstance(name.value, str) and private(name.value):
            yield _base(node.args[0]), name.value
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from (("harness", one or other) for one, other in IN_TEXT.findall(node.value))


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == "harness"


def _imported(tree: ast.AST, ours: bool) -> set[str]:
    """Names that imports of harness, or of anything else but harness and tests, bind."""
    found = {"harness"} if ours else set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            bound = [(module, alias.asname or alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            bound = [(alias.name, alias.asname or alias.name.partition(".")[0]) for alias in node.names]
        else:
            continue
        for module, name in bound:
            if _is_ours(module) == ours and module.partition(".")[0] != "tests":
                found.add(name)
    return found


def _own(tree: ast.AST) -> set[str]:
    """Private names that the file itself defines: functions, classes, variables, and what its classes keep in self."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _base(node) in ("self", "cls"):
            found.add(node.attr)
    return {name for name in found if private(name)}


def _called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _base(node: ast.expr) -> str:
    """The name that a chain of attributes, calls and items begins with; "" where it begins with something else."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
