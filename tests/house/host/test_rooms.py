"""The rooms of harness/: data flows along one arrow, no import runs against it, and none in a circle."""

from __future__ import annotations

import ast

from tests.support.imports import circles, imports, modules
from tests.support.paths import REPOSITORY

ROOMS = (
    "version", "errors", "units", "resources", "plugins", "files",
    "quantization", "ethosu", "ir", "frontends", "oracle", "npu", "passes", "hardware", "kernels", "compiler", "elf",
    "build", "link", "relocatable", "virtual", "boards", "farm", "runtimes", "tflm", "cycles", "mlperf", "fit",
    "energy", "compression", "validate", "ptq", "training", "search", "recipes",
    "offload", "report", "history", "nightly", "pytest_plugin", "cli",
)  # fmt: skip
"""From the first to the last: a room imports from itself and from those before it."""

COMPILER = (
    *("names", "goals", "plan", "cost", "memory", "choice", "ahead", "fusion", "control"),
    *("flash_budget", "flash_mode", "selection", "compile", "emit"),
)
"""The same within the compiler."""

GRAPH = imports()


def room(name: str, depth: int = 1) -> str:
    """`harness.kernels.base` -> `kernels`."""
    parts = name.split(".")
    return parts[depth] if len(parts) > depth else ""


def test_every_module_has_a_room_and_few_stand_outside() -> None:
    files = [name for name, path in modules().items() if path.parent == REPOSITORY / "harness" and "." in name]
    assert len(files) + 1 <= 6, f"modules directly in harness/: {files} and __init__"
    assert {room(name) for name in modules()} - {""} == set(ROOMS)


def test_no_import_runs_against_the_arrow() -> None:
    against = [
        f"{name}:{line} imports {other}"
        for name, imported in GRAPH.items()
        for other, line in imported.items()
        if name != "harness" and (room(other) == "" or ROOMS.index(room(other)) > ROOMS.index(room(name)))
    ]
    assert not against, "\n".join(against)


def test_nor_within_the_compiler() -> None:
    inside = {name: imported for name, imported in GRAPH.items() if name.startswith("harness.compiler.")}
    assert {room(name, 2) for name in inside} == set(COMPILER)
    against = [
        f"{name}:{line} imports {other}"
        for name, imported in inside.items()
        for other, line in imported.items()
        if other in inside and COMPILER.index(room(other, 2)) > COMPILER.index(room(name, 2))
    ]
    assert not against, "\n".join(against)


def test_there_are_no_circles() -> None:
    assert circles(GRAPH) == []


def test_a_circle_and_a_backward_import_would_be_found() -> None:
    assert circles({"a": {"b": 1}, "b": {"c": 1}, "c": {"a": 1}, "d": {"a": 1}}) == [["a", "b", "c"]]


def test_functions_read_as_lists_of_steps() -> None:
    """No function of harness/ has more than 60 lines."""
    longest = {
        f"{name}:{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for name, path in modules().items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert len(longest) > 2_000
    assert not {name: lines for name, lines in longest.items() if lines > 60}
