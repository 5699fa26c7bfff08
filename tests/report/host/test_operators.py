"""The support matrix: its page is current, its document holds what the registries hold."""

from __future__ import annotations

import json

import pytest

from harness.ir.operators import OPERATORS
from harness.kernels.discovery import all_kernels
from harness.kernels.support import support_matrix
from harness.report import operators
from tests.cli.host.test_cli import tinyhil
from tests.support.paths import REPOSITORY


def test_the_page_is_current() -> None:
    written = (REPOSITORY / "docs" / "operators.md").read_text(encoding="utf-8")
    made = operators.page(support_matrix())
    assert written == made, "run: tinyhil analyze --ops --markdown > docs/operators.md"


def test_the_document_has_every_operator_type_and_kernel() -> None:
    document = json.loads(tinyhil("analyze", "--ops", "--json").stdout)
    lines = document["operators"]
    wanted = {name for name, operator in OPERATORS.items() if operator.tflite is not None}
    assert {line["op"] for line in lines} == wanted
    assert len(lines) == sum(len(OPERATORS[name].types) for name in wanted)
    named = {kernel["name"] for line in lines for found in line["kernels"].values() for kernel in found}
    assert named == {type(kernel).__name__ for kernel in all_kernels() if kernel.ops & wanted}
    by_op = {(line["op"], line["types"]): line for line in lines}
    conv = by_op["CONV_2D", "int8 x int8 + int32"]["kernels"]
    assert {kernel["variant"] for kernel in conv["cortex-m55"]} >= {"MVE", "C"}
    assert {kernel["variant"] for kernel in conv["cortex-m0plus"]} == {"C"}
    assert by_op["TANH", "int8"]["ulp"] == 0 and by_op["TANH", "float32"]["ulp"] > 0


def test_an_operator_has_kernels_on_every_core_or_on_none() -> None:
    for one in support_matrix():
        assert one.folded or all(one.kernels.values()), (one.operator.name, operators.types_text(one.types))


def test_types_are_told_in_words() -> None:
    told = {operators.types_text(types) for operator in OPERATORS.values() for types in operator.types}
    assert {"int8", "int16 x int8 + int64", "int8 (int32 at input 1)", "int8 -> int32"} <= told
    assert not [text for text in told if len(text) > 80]


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [(("--markdown",), "--ops"), (("--ops", "x.tflite"), "leave MODEL out"), ((), "analyze --ops")],
)
def test_wrong_options_are_told(arguments: tuple[str, ...], hint: str) -> None:
    done = tinyhil("analyze", *arguments)
    assert done.returncode == 2 and hint in done.stderr
