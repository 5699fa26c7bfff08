"""What tables and lines of a report say of a compiled model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import emit
from harness.frontends.tflite import reader
from harness.frontends.tflite.serialize import SubgraphDraft, TensorDraft, serialize
from harness.ir.operators.tflite import OperatorDraft
from harness.quantization.types import Quantization
from harness.report import analysis_rows, rows
from harness.report.document import analysis_document
from harness.report.rows import ReportTable
from tests.support.paths import FIXTURES
from tests.support.tiny import tiny_graph

Q = Quantization((0.5,), (3,))


def analysis(graph, core: str = "cortex-m4") -> dict[str, Any]:
    return analysis_document(graph, emit(compile_graph(graph, core=core)), "model.tflite", None, "")


def test_columns_without_content_are_left_out():
    table = ReportTable("T", ("a", "b", "c", "d"), (("1", "", "-", "0"), ("2", "", "", "0")), frozenset({"b", "d"}))
    assert table.columns == ("a", "d")
    assert table.rows == (("1", "0"), ("2", "0"))
    assert table.plain() == ["a  d", "1  0", "2  0"]
    assert ReportTable("T", ("a", "b"), ()).columns == ("a", "b")
    layers = analysis_rows.layers(analysis(tiny_graph()))
    assert all(any(cell not in ("", "-") for cell in column) for column in zip(*layers.rows, strict=True))


@pytest.mark.parametrize(("unread", "read"), [((1, 40, 40), (1, 4)), ((1, 3), (1, 4)), ((1, 16), (1, 16))])
@pytest.mark.parametrize("first", [True, False])
def test_an_input_that_nothing_reads_is_an_input_and_no_gap(unread, read, first):
    drafts = [TensorDraft("unread", unread, "int8", Q), TensorDraft("x", read, "int8", Q)]
    drafts.append(TensorDraft("y", read, "int8", Q))
    inputs = (0, 1) if first else (1, 0)
    main = SubgraphDraft("main", inputs, (2,), drafts, [OperatorDraft("RELU", (1,), (2,))])
    document = analysis(reader.load(serialize([main])))
    arena = document["arena"]
    assert arena["loss"] < 16
    assert sum(term["bytes"] for term in arena["sum"]) == arena["size"]
    sizes = {term["name"]: term["of"] for term in arena["sum"]}
    text = rows.equation(document)
    if np.prod(unread) > 16:
        assert sizes["unread"] == np.prod(unread) and sizes["x"] == np.prod(read)
        assert "before the first layer" in text
    else:
        assert "at layer" in text or "before the first layer" in text


def test_macs_of_the_file_and_macs_computed_are_both_named_where_they_differ():
    document = analysis(reader.load(FIXTURES / "digits.tflite"))
    assert rows.macs_equation(document) == f"{document['macs']:,} MACs"
    plan = compile_graph(tiny_graph())
    assert plan.macs_of_file == plan.macs > 0
    told = rows.macs_equation({**document, "macs": 1_000, "macs_of_file": 2_500})
    assert "MACs of the file 2,500" in told and "computed 1,000" in told
    fewer = emit(replace(plan, macs_of_file=plan.macs + 7))
    header = fewer.files[f"{plan.name}.h"]
    assert f"{plan.macs} multiply-accumulates an inference ({plan.macs + 7} in the model file);" in header


def test_macs_that_no_output_needs_count_for_the_file_only():
    drafts = [TensorDraft("x", (1, 4), "int8", Q), TensorDraft("y", (1, 2), "int8", Q)]
    main = SubgraphDraft("main", (0,), (1,), drafts)
    w = main.constant("w", np.ones((2, 4), np.int8), Quantization((0.1,), (0,)))
    dead = main.add(TensorDraft("dead", (1, 2), "int8", Q))
    main.operators += [OperatorDraft("FULLY_CONNECTED", (0, w), (t,), "FullyConnected") for t in (1, dead)]
    document = analysis(reader.load(serialize([main])))
    assert (document["macs"], document["macs_of_file"]) == (8, 16)
