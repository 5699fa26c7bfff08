"""Operators: one record each, in a file by family; a module here with a list OPERATORS is found by itself.

An installed package adds operators by an entry point of the group "tinyhil.operators" that names a module with
OPERATORS of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module, metadata
from pkgutil import iter_modules
from types import ModuleType

from harness.errors import PluginError
from harness.ir.graph import Node
from harness.ir.operators.operator import Operator
from harness.ir.operators.traits import Trait

GROUP = "tinyhil.operators"


def _modules() -> Iterator[ModuleType]:
    for found in sorted(iter_modules(__path__), key=lambda module: module.name):
        yield import_module(f"{__name__}.{found.name}")
    for point in sorted(metadata.entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        try:
            yield point.load()
        except Exception as error:  # whatever the package's code raises when it is imported
            raise PluginError(
                f"operators '{point.name}' cannot be loaded from {point.value}: {type(error).__name__}: {error}",
                hint=f"reinstall or uninstall the package; it adds to {GROUP}",
            ) from error


def _collected() -> dict[str, Operator]:
    operators: dict[str, Operator] = {}
    for module in _modules():
        for operator in getattr(module, "OPERATORS", ()):
            if operator.name in operators:
                raise PluginError(
                    f"there are two records of operator {operator.name}, the second in {module.__name__}",
                    hint=f"take one of them out; packages add to {GROUP}",
                )
            operators[operator.name] = operator
    return operators


OPERATORS: Mapping[str, Operator] = _collected()
"""Name -> record."""


def operator_of(node: Node) -> Operator:
    """The record of a node's operator, which the verifier has seen."""
    return OPERATORS[node.op]


def has(node: Node, trait: Trait) -> bool:
    """Whether a node's operator has a trait (harness/ir/operators/traits.py)."""
    return OPERATORS[node.op].has(trait)


def names_with(trait: Trait) -> frozenset[str]:
    """Names of all operators that have a trait."""
    return frozenset(operator.name for operator in OPERATORS.values() if operator.has(trait))


def names_that_move() -> frozenset[str]:
    """Names of all operators that say which elements they copy where (Operator.moves)."""
    return frozenset(operator.name for operator in OPERATORS.values() if operator.moves is not None)


def names_of(attrs: type) -> frozenset[str]:
    """Names of all operators with attributes of a class."""
    return frozenset(operator.name for operator in OPERATORS.values() if issubclass(operator.attrs, attrs))
