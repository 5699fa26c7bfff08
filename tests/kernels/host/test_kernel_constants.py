"""Numbers that kernels in C and their descriptions in Python share: read from the headers, where each stands once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import CompileError
from harness.kernels import constants as module
from harness.kernels.constants import constant, constants
from harness.kernels.requant_linear import FRACTION_BITS, SCALE_BITS
from harness.resources import firmware, package

OTHERWISE = ("HIL_S8", "HIL_U8", "HIL_CAST_U8")
"""Types that the code takes when it is none of the others."""


@pytest.fixture
def headers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that headers are read from."""
    monkeypatch.setattr(module, "kernel_file", lambda name: tmp_path / name if (tmp_path / name).is_file() else None)
    constants.cache_clear()
    yield tmp_path
    constants.cache_clear()


def test_numbers_are_read_and_nothing_else(headers: Path) -> None:
    text = "#ifndef HIL_X_H\n#define HIL_X_H\n#define HIL_A 21 /* bits */\n#define HIL_B -0x1f\n#define HIL_C(x) 3\n"
    (headers / "x.h").write_text(text + "#define HIL_D (1 + 2)\n#define OTHER 4\n  #define HIL_E 5u\n")
    assert constants("x.h") == {"HIL_A": 21, "HIL_B": -31}


def test_what_is_missing_is_told(headers: Path) -> None:
    (headers / "x.h").write_text("#define HIL_A 1\n")
    with pytest.raises(CompileError, match="x.h defines no number HIL_B"):
        constant("x.h", "HIL_B")
    with pytest.raises(CompileError, match="no kernel has a header y.h"):
        constant("y.h", "HIL_B")


def test_a_number_that_python_reads_is_used_by_the_code() -> None:
    """By its name: a kernel that writes the number itself would not follow when it changes."""
    code = {path.name: path.read_text(encoding="utf-8") for path in (firmware() / "kernels").iterdir()}
    read = set()
    for path in (package() / "kernels").glob("*.py"):
        read |= set(re.findall(r'constant\("([a-z0-9_]+\.h)", "(HIL_\w+)"\)', path.read_text(encoding="utf-8")))
    assert len(read) >= 10
    for header, name in sorted(read):
        constant(header, name)
        uses = sum(len(re.findall(rf"\b{name}\b", text)) for text in code.values())
        assert uses >= 2 or name in OTHERWISE, f"{name} of {header} is used nowhere"


def test_the_proof_and_the_code_speak_of_the_same_shifts() -> None:
    assert (SCALE_BITS, FRACTION_BITS) == (8, 9)
    text = (firmware() / "kernels" / "scale_s8.c").read_text(encoding="utf-8")
    assert "<< HIL_LINEAR_SCALE_BITS" in text and ">> HIL_LINEAR_FRACTION_BITS" in text
