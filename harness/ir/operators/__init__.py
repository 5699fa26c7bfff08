"""Operators: one record each, in a file of its family. Adding one is a file here: it is found by its OPERATORS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from harness.ir.graph import Node
from harness.ir.operators.operator import Operator
from harness.ir.operators.traits import Trait


def _modules() -> Iterator[ModuleType]:
    for found in sorted(iter_modules(__path__), key=lambda module: module.name):
        yield import_module(f"{__name__}.{found.name}")


def _collected() -> dict[str, Operator]:
    operators: dict[str, Operator] = {}
    for module in _modules():
        for operator in getattr(module, "OPERATORS", ()):
            assert operator.name not in operators, f"two records of {operator.name}"
            operators[operator.name] = operator
    return operators


OPERATORS: Mapping[str, Operator] = _collected()
"""Name -> record."""


def operator_of(node: Node) -> Operator:
    """The record of a node's operator, which the verifier has seen."""
    return OPERATORS[node.op]


def has(node: Node, trait: Trait) -> bool:
    """Whether a node's operator has a trait."""
    return OPERATORS[node.op].has(trait)


def names_with(trait: Trait) -> frozenset[str]:
    """Names of all operators that have a trait."""
    return frozenset(operator.name for operator in OPERATORS.values() if operator.has(trait))


def names_of(attrs: type) -> frozenset[str]:
    """Names of all operators with attributes of a class."""
    return frozenset(operator.name for operator in OPERATORS.values() if issubclass(operator.attrs, attrs))
