"""Commands are printed as Vela prints them; words that are none are errors."""

from __future__ import annotations

import re

import numpy as np
import pytest
from ethosu.vela.ethos_u55_regs import ethos_u55_regs

from harness.ethosu.commands import COMMANDS
from harness.ethosu.disassembly import commands
from harness.ethosu.fault import FaultError
from tests.support.builders import BUILDERS
from tests.support.draft import Draft
from tests.support.vela import compile_model

LINE = re.compile(r"0x(\w+): +(\w{8} )? *(\w{4}) (\w{4}) - (\w+) +-?\d+(?:, (.*))?$")
"""Offset, payload, parameter, code, name and fields as Vela prints them."""


@pytest.mark.parametrize("accelerator", ["ethos-u55-64", "ethos-u65-512"])
@pytest.mark.parametrize("name", ["CONV_2D", "ADD", "LOGISTIC", "AVERAGE_POOL_2D", "RESIZE_NEAREST_NEIGHBOR"])
def test_commands_are_printed_as_vela_prints_them(name: str, accelerator: str) -> None:
    for seed in range(20):  # Vela leaves some to the CPU
        draft = Draft(np.random.default_rng(seed))
        graph = draft.finish("one", (BUILDERS[name](draft, None),))
        compiled = compile_model(graph.model, accelerator, "--verbose-register-command-stream")
        theirs = [match.groups() for line in compiled.printed.splitlines() if (match := LINE.match(line))]
        if theirs:
            break
    words = np.concatenate([operator.words for _, operator in compiled.model.operators])
    ours = list(commands(words.tolist()))
    assert len(ours) == len(theirs) > 20
    for command, (offset, payload, parameter, code, form, fields) in zip(ours, theirs, strict=True):
        assert (command.word * 4, command.form.name) == (int(offset, 16), form)
        wanted = f"0x{offset}: {payload or '':8.8} {parameter} {code} {form:28} {fields or ''}".rstrip()
        assert str(command) == wanted


def test_codes_and_names_are_those_of_vela() -> None:
    wanted = {(0, command.value): command.name for command in ethos_u55_regs.cmd0}
    wanted |= {(1, command.value): command.name for command in ethos_u55_regs.cmd1}
    assert {key: form.name for key, form in COMMANDS.items()} == wanted


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ([0x0000_0104, 0x0000_03FF], "word 1"),
        ([0x0000_8104], "word 0"),
        ([0x0000_0504], "word 0"),
        ([0x0000_0104, 0x0000_4000], "word 1, NPU_SET_IFM_BASE0"),
    ],
)
def test_words_that_are_no_commands_are_named(words: list[int], place: str) -> None:
    with pytest.raises(FaultError) as caught:
        list(commands(words))
    assert caught.value.place == place
