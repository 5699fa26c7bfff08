"""What a kernel's loops cost on a core: fitted to profiles by `python -m tests.bench costs --fit`, kept in data/costs.

A file a core. `instructions` and `cycles` are per run of a loop (harness/kernels/work.py), cycles those of the core
table (harness/cycles) with memory that never keeps it waiting; `apart` is what they are more where weights and
activations lie in different memories. `code` is what is fetched for a layer that finds none of it in the cache;
`fetch` and `data` are lines missed per run of a loop in the caches of `board` beside that, and beside those of reused
bytes: of code, and of constants. What a missed line costs is the target's to say.

A kernel without coefficients on a core that has a file is not chosen there (harness/compiler/choice.py). Packages that
add kernels (discovery.py) keep files of the same form, with their kernels alone, in a folder `costs` beside the module.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness import resources
from harness.errors import CostTableError
from harness.hardware.cores import core as core_record
from harness.kernels.discovery import added_folders, all_kernels

FORMAT = 1

Row = Mapping[str, Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Function(_Strict):
    """A function of a kernel's code.

    Attributes:
        loop: it is executed by layers that run this loop.
        lines: of the cache, executed.
    """

    name: str
    loop: str
    lines: Annotated[float, Field(ge=0)]


class KernelCoefficients(_Strict):
    """Cost coefficients of one kernel on one core; every row has the same loops.

    Attributes:
        layers: how many were profiled.
        error: largest relative error of predicted instructions among them.
        instructions, cycles, apart: per run of a loop.
        code: functions that layers share; their lines are missed where they are not in the cache from a layer before.
        fetch, data: missed lines per run of a loop, beside those.
    """

    layers: Annotated[int, Field(ge=1)]
    error: Annotated[float, Field(ge=0)]
    instructions: Row
    cycles: Row
    apart: Row = Field(default_factory=dict)
    code: tuple[Function, ...] = ()
    fetch: Row = Field(default_factory=dict)
    data: Row = Field(default_factory=dict)


class CoreCoefficients(_Strict):
    """Cost coefficients of all kernels on one core.

    Attributes:
        board: whose memories `fetch` and `data` were counted in; None: none were.
        code_line: bytes of a line of its instruction cache.
        compiler: that the profiled code was made with.
        fitted_on: which layers.
        kernels: by the kernel's class name.
        absent: class names of kernels that have the core's features, but were found to compute no layer on it.
    """

    format: Literal[1]
    core: Annotated[str, Field(pattern=r"^cortex-m[0-9]+(plus)?$")]
    board: str | None = None
    code_line: Annotated[int, Field(ge=1)] = 1
    compiler: str
    fitted_on: str
    kernels: Mapping[str, KernelCoefficients]
    absent: tuple[str, ...] = ()


def folder() -> Path:
    """Where the files lie."""
    return resources.data("costs")


def cores() -> tuple[str, ...]:
    """Cores that have coefficients."""
    return tuple(sorted(path.stem for path in folder().glob("*.json")))


@functools.cache
def core_coefficients(core: str) -> CoreCoefficients | None:
    """The coefficients of a core, those of added kernels among them, or None when there are none.

    Raises:
        CostTableError: a file breaks the schema, or counts in lines of another size than the one of data/costs.
    """
    paths = [place / f"{core}.json" for place in (folder(), *(added / "costs" for added in added_folders()))]
    tables = [(path, read_coefficients(path)) for path in paths if path.is_file()]
    if not tables:
        return None
    first = tables[0][1]
    kernels = dict(first.kernels)
    for path, table in tables[1:]:
        if table.code_line != first.code_line:
            raise CostTableError(
                f"{path}: code_line: {table.code_line}, where the other kernels have {first.code_line}",
                hint=f"fit on a board with the same caches: {first.board}",
            )
        kernels |= {name: entry for name, entry in table.kernels.items() if name not in kernels}
    return first.model_copy(update={"kernels": kernels})


def without_coefficients(core: str) -> tuple[str, ...]:
    """Class names of kernels that are used on a core and were not fitted there: they are chosen only where alone."""
    table = core_coefficients(core)
    fitted = set() if table is None else {*table.kernels, *table.absent}
    used = [kernel for kernel in all_kernels() if kernel.costs_itself and kernel.runs_on(core_record(core).features)]
    return tuple(sorted({kernel.costed_as for kernel in used} - fitted))


def read_coefficients(path: Path) -> CoreCoefficients:
    """Coefficients from a file.

    Raises:
        CostTableError: it is not JSON or breaks the schema.
    """
    hint = "write it anew: python -m tests.bench costs --fit"
    try:
        found = CoreCoefficients.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:  # json's and pydantic's errors are ValueErrors
        told = str(error)
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            told = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
        raise CostTableError(f"{path}: {told}", hint=hint, details=str(error)) from error
    if found.core != path.stem:
        raise CostTableError(f"{path}: core: these are coefficients of {found.core}", hint=hint)
    return found


def loop_cycles(kernel: str, core: str, loops: Mapping[str, float]) -> float:
    """Core cycles of a kernel's loops, to weigh ways of using it.

    By the coefficients of the core or the nearest one that has some; the number of runs where none has.
    """
    for table in map(core_coefficients, (core, *core_record(core).nearest)):
        if table is not None and kernel in table.kernels:
            row = table.kernels[kernel].cycles
            return sum(row.get(loop, 0.0) * times for loop, times in loops.items())
    return sum(loops.values())


def coefficients_text(table: CoreCoefficients) -> str:
    """The text of a file: a line a row."""
    document = table.model_dump(mode="json")
    kernels = document.pop("kernels")
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}," for key, value in document.items()]
    entries = []
    for name, entry in sorted(kernels.items()):
        filled = [(key, value) for key, value in entry.items() if value not in ({}, [])]
        rows = [f"      {json.dumps(key)}: {json.dumps(value)}" for key, value in filled]
        entries.append("\n".join([f"    {json.dumps(name)}: {{", ",\n".join(rows), "    }"]))
    return "\n".join(["{", *lines, '  "kernels": {', ",\n".join(entries), "  }", "}", ""])
