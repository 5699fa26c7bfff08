"""Names of cores as people write them."""

from __future__ import annotations

import pytest

from harness.errors import CompileError
from harness.hardware.cores import CORES, core, core_hint


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        *(
            (written, "cortex-m4")
            for written in ("m4", "M4", "cortex_m4", "CORTEX-M4", "cortexm4", "Arm Cortex-M4F", "cm4")
        ),
        *((written, "cortex-m0plus") for written in ("m0+", "M0PLUS", "cortex-m0+", "cortex_m0plus")),
        *(("M" + number, "cortex-m" + number) for number in ("3", "7", "33", "55")),
        *(("Host", "host"), ("hsot", "host"), ("cortex-m44", "cortex-m4")),
    ],
)
def test_another_spelling_is_told_the_name(written: str, meant: str) -> None:
    with pytest.raises(CompileError) as raised:
        core(written)
    assert raised.value.hint.startswith(f"did you mean {meant}?")


@pytest.mark.parametrize(
    ("name", "runs"), [("cortex-m85", "cortex-m55"), ("m0", "cortex-m0plus"), ("m23", "cortex-m0plus")]
)
def test_a_core_without_kernels_is_told_whose_code_it_runs(name: str, runs: str) -> None:
    assert core_hint(name, CORES.names()).startswith(f"code for {runs} runs on it")


def test_anything_else_is_told_all_names() -> None:
    assert core_hint("z80", CORES.names()) == "one of: " + ", ".join(CORES.names())
