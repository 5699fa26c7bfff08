"""Every kernel that is compiled once for all models runs at any address, on every core that has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.build.jobs import run_tool
from harness.build.port import core_flags
from harness.build.sources import COMMON_FLAGS
from harness.build.toolchain import find
from harness.compiler.emit.relocatable import hidden
from harness.errors import BuildError
from harness.hardware.cores import core
from harness.relocatable.linking import check_object
from harness.relocatable.make import POSITION_FLAGS
from tests.support.paths import FIRMWARE
from tests.support.scale import scaled

KERNELS = FIRMWARE / "kernels"
CORES = ("cortex-m4", "cortex-m7", "cortex-m55", "cortex-m0plus", "cortex-m3", "cortex-m33")
NEEDED = {"_dsp": "dsp", "_dual_issue": "dual-issue", "_mve": "mve"}
"""Parts of names of files, and the features of cores that such files need."""
INDIRECT = "fully_connected_s8_lut16_dsp"
"""A kernel that is given a function."""
NPU = ("hil_ethosu.c",)
"""The driver of the NPU has state; a model that needs it is refused."""


def _cores(source: Path) -> list[str]:
    """The cores that have a kernel: those with its features; for kernels of many layers only where they are chosen."""
    needed = {feature for part, feature in NEEDED.items() if part in source.stem}
    return [name for name in CORES if needed <= core(name).features]


def _objects() -> list[tuple[Path, str]]:
    sources = [path for path in sorted(KERNELS.glob("*.[cS]")) if path.name not in NPU]
    all_of_them = [(source, name) for source in sources for name in _cores(source)]
    last = [(source, _cores(source)[-1]) for source in sources]
    some = [pair for number, pair in enumerate(last) if number % 16 == 0 or pair[0].stem == INDIRECT]
    return scaled(some, all_of_them)


def _compile(source: Path, name: str, folder: Path, *flags: str) -> Path:
    made = folder / f"{name}_{source.name}.o"
    if source.suffix == ".c" and flags:
        text = hidden(source.read_text(encoding="utf-8"))
        source = folder / f"hidden_{source.name}"
        source.write_text(text, encoding="utf-8")
    command = [str(find("arm").cc), *COMMON_FLAGS, *core_flags(FIRMWARE, name), *flags, f"-I{KERNELS}"]
    run_tool([*command, "-c", str(source), "-o", str(made)], folder, f"{source.name} does not compile", find("arm"))
    return made


@pytest.mark.parametrize(("source", "name"), _objects(), ids=lambda one: getattr(one, "name", one))
def test_a_kernel_holds_no_address(source: Path, name: str, tmp_path: Path) -> None:
    made = _compile(source, name, tmp_path, *POSITION_FLAGS)
    check_object(made, source.name)


def test_the_driver_of_the_npu_would_be_refused_by_name(tmp_path: Path) -> None:
    made = _compile(KERNELS / NPU[0], "cortex-m55", tmp_path, *POSITION_FLAGS)
    with pytest.raises(BuildError, match=r"hil_ethosu\.c does not run at any address: .*variable in \.bss"):
        check_object(made, NPU[0])


def test_a_table_of_functions_is_refused_with_symbol_and_object(tmp_path: Path) -> None:
    source = tmp_path / "table.c"
    source.write_text(
        "int one(void); int two(void);\nstatic int (*const table[])(void) = {one, two};\n"
        "int pick(unsigned i) { return table[i](); }\n"
    )
    for flags in ((), POSITION_FLAGS):
        made = _compile(source, "cortex-m4", tmp_path, *flags)
        with pytest.raises(BuildError, match=r"table\.c does not run at any address: .*(one|table).*R_ARM_ABS32"):
            check_object(made, "model/table.c")
