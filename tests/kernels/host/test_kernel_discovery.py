"""Kernels are found where they are: in the folder, and in packages that name them by entry points."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import harness.kernels
from harness.compiler.choice import candidates
from harness.compiler.compile import compile_graph
from harness.compiler.cost.flash import is_shared
from harness.compiler.cost.model import cost_of
from harness.compiler.emit.package import emit
from harness.errors import CostTableError, PluginError
from harness.hardware.target import Target
from harness.ir.graph import Graph
from harness.kernels.constants import constant
from harness.kernels.context import Context
from harness.kernels.cost_coefficients import core_coefficients, folder, without_coefficients
from harness.kernels.discovery import GROUP, added_folders, all_kernels, kernel_file
from tests.support.compiled import VECTORS, check_on_board
from tests.support.generated import random_graph
from tests.support.installed import install

MODULE = """
from harness.kernels.base import Call, In, Lowered, Out
from harness.kernels.constants import constant
from harness.kernels.elementwise import MulS8Portable

class MulS8Added(MulS8Portable):
    function = "mul_s8_added"
    unit = constant("mul_s8_added.h", "HIL_ADDED_UNIT")

KERNELS = (MulS8Added(),)
"""
HEADER = """
#ifndef HIL_KERNELS_MUL_S8_ADDED_H
#define HIL_KERNELS_MUL_S8_ADDED_H
#include "mul_s8_portable.h"
#define HIL_ADDED_UNIT 1
typedef mul_s8_portable_shape mul_s8_added_shape;
void mul_s8_added(const int8_t *a, const int8_t *b, int8_t *output, const mul_s8_added_shape *s);
#endif
"""
SOURCE = """
#include "mul_s8_added.h"
HIL_SHARED void mul_s8_added(const int8_t *a, const int8_t *b, int8_t *output, const mul_s8_added_shape *s)
{
    mul_s8_portable(a, b, output, s);
}
"""


def forget() -> None:
    all_kernels.cache_clear()
    added_folders.cache_clear()
    core_coefficients.cache_clear()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Path]]:
    """Installs a package whose entry point names a module; returns the folder of that package."""

    def _install(module: str) -> Path:
        install(tmp_path, "added", GROUP, f"added = {module}")
        made = tmp_path / "added_kernels"
        made.mkdir()
        (made / "__init__.py").write_text("")
        (made / "mul.py").write_text(MODULE)
        (made / "mul_s8_added.h").write_text(HEADER)
        (made / "mul_s8_added.c").write_text(SOURCE)
        monkeypatch.syspath_prepend(str(tmp_path))
        forget()
        return made

    yield _install
    monkeypatch.undo()
    for name in [name for name in sys.modules if name.partition(".")[0] == "added_kernels"]:
        del sys.modules[name]
    forget()


def product() -> Graph:
    return next(
        graph for seed in range(99) if len((graph := random_graph(np.random.default_rng(seed), op="MUL")).nodes) == 1
    )


# --- the folder ------------------------------------------------------------------------------------------------------


def test_every_module_of_the_folder_is_asked() -> None:
    found = [type(kernel) for kernel in all_kernels()]
    assert len(set(found)) == len(found) and len({kernel.__name__ for kernel in found}) == len(found)
    modules = [kernel.__module__ for kernel in found if kernel.__module__.startswith("harness.")]
    assert modules == sorted(modules)
    paths = list(Path(harness.kernels.__file__).parent.glob("*.py"))
    assert len(paths) > 20 and len(found) > 40
    for path in paths:
        if path.stem == "__init__":
            continue
        listed = getattr(import_module(f"harness.kernels.{path.stem}"), "KERNELS", ())
        assert set(listed) <= set(all_kernels())
        assert listed or "\nKERNELS" not in path.read_text(encoding="utf-8")


def test_a_file_in_the_folder_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "from harness.kernels.elementwise import AddS8Portable\nclass Mine(AddS8Portable):\n    pass\n"
    (tmp_path / "elementwise_mine.py").write_text(text + "KERNELS = (Mine(),)\n")
    before = all_kernels()
    monkeypatch.setattr(harness.kernels, "__path__", [*harness.kernels.__path__, str(tmp_path)])
    forget()
    try:
        after = all_kernels()
        names = [type(kernel).__name__ for kernel in after]
        assert names.count("Mine") == 1 and set(before) < set(after)
        assert names.index("AddS8Portable") < names.index("Mine") < names.index("AddLinearS8Mve")  # by module
    finally:
        monkeypatch.undo()
        sys.modules.pop("harness.kernels.elementwise_mine", None)
        forget()
    assert all_kernels() == before


# --- entry points ----------------------------------------------------------------------------------------------------


def test_a_kernel_of_another_package_is_compiled_and_exact(installed: Callable[[str], Path]) -> None:
    made = installed("added_kernels.mul")
    assert [type(kernel).__name__ for kernel in all_kernels()][-1] == "MulS8Added"
    assert kernel_file("mul_s8_added.c") == made / "mul_s8_added.c" and is_shared("mul_s8_added")
    assert constant("mul_s8_added.h", "HIL_ADDED_UNIT") == 1
    graph = product()
    package = emit(compile_graph(graph, core="cortex-m4", prefer={"MulS8Added"}))
    assert {"mul_s8_added.h", "mul_s8_added.c", "mul_s8_portable.h", "nest.h"} <= set(package.files)
    assert check_on_board([graph], "host", prefer={"MulS8Added"}) == VECTORS


def test_it_is_chosen_by_coefficients_of_its_own(installed: Callable[[str], Path]) -> None:
    made = installed("added_kernels.mul")
    graph = product()
    context = Context(graph, graph.nodes[0], Target("cortex-m4"))
    assert "MulS8Added" not in [type(kernel).__name__ for kernel in candidates(context)]
    assert without_coefficients("cortex-m4") == ("MulS8Added",)
    (made / "costs").mkdir()
    table = json.loads((folder() / "cortex-m4.json").read_text(encoding="utf-8"))
    row = dict.fromkeys((*all_kernels()[-1].work(context).loops, "layer"), 0.001)
    own = {"layers": 1, "error": 0.0, "instructions": row, "cycles": row}
    (made / "costs" / "cortex-m4.json").write_text(json.dumps(table | {"kernels": {"MulS8Added": own}}))
    core_coefficients.cache_clear()
    best = candidates(context)[0]
    assert type(best).__name__ == "MulS8Added" and cost_of(best, context).basis == "fitted"
    assert without_coefficients("cortex-m4") == ()
    (made / "costs" / "cortex-m4.json").write_text(json.dumps(table | {"code_line": 64, "kernels": {}}))
    core_coefficients.cache_clear()
    with pytest.raises(CostTableError, match="code_line: 64"):
        candidates(context)


@pytest.mark.parametrize(
    ("module", "told"),
    [
        ("added_kernels.nothing", "No module named 'added_kernels.nothing'"),
        ("added_kernels", "it has no KERNELS"),
        ("added_kernels.mul:OTHERS", "OTHERS"),
    ],
)
def test_an_entry_point_that_gives_no_kernels_is_told(installed: Callable[[str], Path], module: str, told: str) -> None:
    installed(module)
    with pytest.raises(PluginError, match=f"the entry point added of {GROUP} names .*{told}"):
        all_kernels()
