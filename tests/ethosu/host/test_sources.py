"""Commands are led back to operators of the file by Vela's debug database; damaged ones are errors."""

from __future__ import annotations

import numpy as np
import pytest

from harness.errors import InputError
from harness.ethosu.disassembly import commands
from harness.ethosu.sources import SourceOperator, read_sources
from tests.support.builders import BUILDERS
from tests.support.draft import Draft
from tests.support.vela import compile_model

TINY = """<?xml version='1.0'?>
<debug source="a"><table name="cmdstream"><![CDATA[
"id"
1
]]></table><table name="queue"><![CDATA[
"offset","cmdstream_id","optimised_id"
20,1,7
8,1,6
]]></table><table name="optimised"><![CDATA[
"id","source_id"
6,1
7,2
]]></table><table name="source"><![CDATA[
"id","operator","ext_key"
1,"Conv2D",0
2,"Add",1
]]></table></debug>"""


def test_a_command_belongs_to_the_operator_that_ends_at_it_or_after() -> None:
    (sources,) = read_sources(TINY, "db")
    assert [sources.of(word) for word in (0, 2, 3, 5, 6)] == [
        *[SourceOperator(0, "Conv2D")] * 2,
        *[SourceOperator(1, "Add")] * 2,
        None,
    ]


def test_operations_of_a_network_are_led_back() -> None:
    draft = Draft(np.random.default_rng(4))
    x = BUILDERS["CONV_2D"](draft, None)
    graph = draft.finish("two", (BUILDERS["LOGISTIC"](draft, x),))
    compiled = compile_model(graph.model, "ethos-u55-128", "--enable-debug-db")
    (sources,) = read_sources(compiled.database, "db")
    words = compiled.model.operators[0][1].words.tolist()
    computing = [c for c in commands(words) if c.form.name in ("NPU_OP_CONV", "NPU_OP_POOL")]
    assert {sources.of(c.word) for c in computing if c.form.name == "NPU_OP_CONV"} == {SourceOperator(0, "Conv2D")}
    assert {sources.of(c.word).number for c in computing} == {0, 1}


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda t: t[:-9], "damaged"),
        (lambda t: "", "damaged"),
        (lambda t: t.replace('name="queue"', 'name="line"'), "no table 'queue'"),
        (lambda t: t.replace("20,1,7", "20,1,9"), "no row '9'"),
        (lambda t: t.replace("20,1,7", "x,1,7"), "the row"),
        (lambda t: t.replace("20,1,7", "20"), "the row"),
        (lambda t: t.replace("<debug", '<!DOCTYPE a [<!ENTITY b "c">]><debug'), "declarations"),
    ],
)
def test_damaged_databases_are_errors(damage, why: str) -> None:
    with pytest.raises(InputError, match=why):
        read_sources(damage(TINY), "db")
