"""Two runs of a model on NPUs, such as of two versions of Vela: which operators got slower, and what grew.

A base is a document of harness.report.npu.document, of this run or of a file, so it is checked before it is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import InputError
from harness.ethosu.pmu import NO_WAITS
from harness.files.reading import read_regular
from harness.report.document import SCHEMA_VERSION, Document
from harness.report.npu.words import title
from harness.report.rows import number
from harness.report.table import ReportTable

MOST_BYTES = 256 << 20
LEAST_SHARE = 0.001
"""Of the whole: what an operator's cycles must change by to count, besides the threshold of its own."""

_Count = Annotated[float, Field(ge=0, le=1e18, allow_inf_nan=False)]
CYCLES = "NPU cycles"
_JUDGED = (CYCLES, "cycles left to the CPU", "operators on the CPU", "RAM B", "flash B")
"""Figures of which more is worse; beats are only told."""


class _BasePart(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _BaseCycles(_BasePart):
    value: _Count


class _BaseBeats(_BasePart):
    axi0_read: _Count
    axi0_write: _Count
    axi1_read: _Count
    axi1_write: _Count


class _BaseNpu(_BasePart):
    cycles: _BaseCycles
    basis: str
    beats: _BaseBeats


class _BaseEstimate(_BasePart):
    cycles: _BaseCycles


class _BaseCpu(_BasePart):
    operators: list[dict[str, Any]]
    estimate: _BaseEstimate | None


class _BaseMemory(_BasePart):
    arena: _Count
    fast: _Count
    constants: _Count
    commands: _Count
    cpu_constants: _Count


class _BaseLayer(_BasePart):
    number: int | None
    operator: str
    output: str
    where: Literal["npu", "cpu", "folded"]
    cycles: _Count


class _BaseFile(_BasePart):
    sha256: str


class _BaseVela(_BasePart):
    version: str | None
    system_config: str | None
    memory_mode: str | None
    optimise: str | None


class NpuBase(_BasePart):
    """What is read of a base."""

    kind: Literal["npu"]
    schema_: Annotated[Literal[1], Field(alias="schema")]
    name: str
    model: _BaseFile
    accelerator: str
    vela: _BaseVela
    npu: _BaseNpu | None
    cpu: _BaseCpu
    memory: _BaseMemory | None
    layers: Annotated[list[_BaseLayer], Field(max_length=1_000_000)]


def read_base(path: Path) -> Document:
    """The document of an earlier run.

    Raises:
        InputError: the file cannot be read, or is none.
    """
    hint = "tinyhil npu MODEL --output FILE.json writes one"
    try:
        document = json.loads(read_regular(path, MOST_BYTES))
        NpuBase.model_validate(document)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}", hint=hint) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "document"
        raise InputError(f"{path}: no document of tinyhil npu: {where}: {first['msg']}", hint=hint) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: no JSON: {error}", hint=hint) from None
    found: Document = document
    return found


def comparison_document(base: Document, run: Document, threshold: float) -> Document:
    """What changed from a base to a run.

    Args:
        base, run: documents of runs.
        threshold: share by which a figure must grow to be worse.
    """
    before, after, alike = _figures(base), _figures(run), _alike(base, run)
    judged = [name for name in _JUDGED if alike or name != CYCLES]
    figures = [
        {"figure": name, "base": before[name], "run": after[name],
         "change": _change(before[name], after[name], threshold) if name in judged else "told"}
        for name in after if name in before
    ]  # fmt: skip
    operators = list(_operators(base, run, threshold, alike))
    worse = any(one["change"] == "worse" for one in (*figures, *operators))
    return {
        "kind": "npu-comparison",
        "schema": SCHEMA_VERSION,
        "threshold": threshold,
        "same_basis": alike,
        "same_model": base["model"]["sha256"] == run["model"]["sha256"],
        "base": _head(base),
        "run": _head(run),
        "figures": figures,
        "operators": operators,
        "worse": worse,
    }


def _alike(base: Document, run: Document) -> bool:
    """Whether cycles of both are counted in the same way: both with waits of some memories, or both without."""
    both = [one["npu"]["basis"] for one in (base, run) if one["npu"] is not None]
    return len(both) == 2 and (both[0] == NO_WAITS.name) == (both[1] == NO_WAITS.name)


def _figures(run: Document) -> dict[str, float]:
    """Figures of the whole model, those that are known."""
    npu, left, used = run["npu"], run["cpu"]["estimate"], run["memory"]
    found: dict[str, float] = {}
    if npu is not None:
        found[CYCLES] = npu["cycles"]["value"]
    if left is not None:
        found["cycles left to the CPU"] = left["cycles"]["value"]
    found["operators on the CPU"] = len(run["cpu"]["operators"])
    if used is not None:
        found["RAM B"] = used["arena"] + used["fast"]
        found["flash B"] = used["constants"] + used["commands"] + used["cpu_constants"]
    beats = {} if npu is None else npu["beats"]
    return found | {f"{key.replace('_', ' ').replace('axi', 'AXI')} beats": value for key, value in beats.items()}


def _head(run: Document) -> Document:
    npu = run["npu"]
    return {
        "title": title(run),
        "accelerator": run["accelerator"],
        "vela": {key: run["vela"][key] for key in ("version", "system_config", "memory_mode", "optimise")},
        "basis": None if npu is None else npu["basis"],
        "sha256": run["model"]["sha256"],
    }


def _change(before: float, after: float, threshold: float) -> str:
    if after > before * (1 + threshold):
        return "worse"
    return "better" if after < before * (1 - threshold) else "same"


def _operators(base: Document, run: Document, threshold: float, alike: bool) -> Iterator[Document]:
    """Those that moved between NPU and CPU, or whose cycles changed; by number and kind, in the order of the run.

    Without cycles that are counted alike, only those that moved.
    """
    known = {_key(layer): layer for layer in base["layers"]}
    least = run["npu"]["cycles"]["value"] * LEAST_SHARE if alike else inf
    rows = {_key(layer): layer for layer in run["layers"]}
    for key in dict.fromkeys((*rows, *known)):
        before, after = known.get(key), rows.get(key)
        one = after or before
        assert one is not None
        found = {
            "number": one["number"],
            "operator": one["operator"],
            "output": one["output"],
            "base": None if before is None else {"where": before["where"], "cycles": before["cycles"]},
            "run": None if after is None else {"where": after["where"], "cycles": after["cycles"]},
        }
        change = _moved(before, after, threshold, least)
        if change != "same":
            yield {**found, "change": change}


def _key(layer: Document) -> tuple[Any, ...]:
    return (layer["number"], layer["operator"], layer["output"])


def _moved(before: Document | None, after: Document | None, threshold: float, least: float) -> str:
    if before is None or after is None:
        return "new" if before is None else "gone"
    if before["where"] != after["where"] and "cpu" in (before["where"], after["where"]):
        return "worse" if after["where"] == "cpu" else "better"
    if abs(after["cycles"] - before["cycles"]) <= least:
        return "same"
    return _change(before["cycles"], after["cycles"], threshold)


def figures(document: Document) -> ReportTable:
    """The whole model's figures."""
    lines = tuple(
        (one["figure"], number(one["base"]), number(one["run"]), _percent(one["base"], one["run"]),
         "" if one["change"] in ("same", "told") else one["change"])
        for one in document["figures"]
    )  # fmt: skip
    right = frozenset({"base", "this run", "change"})
    return ReportTable("Figures of both", ("figure", "base", "this run", "change", "got"), lines, right)


def operators(document: Document) -> ReportTable:
    """The operators that changed."""
    lines = tuple(
        ("" if one["number"] is None else str(one["number"]), one["operator"], *_side(one["base"]), *_side(one["run"]),
         _percent(*(side and side["cycles"] for side in (one["base"], one["run"]))), one["change"])
        for one in document["operators"]
    )  # fmt: skip
    columns = ("#", "operator", "was on", "cycles then", "is on", "cycles now", "change", "got")
    note = f"changed by more than {document['threshold']:.3g} of its own cycles and {LEAST_SHARE:.1%} of all cycles"
    right = frozenset({"#", "cycles then", "cycles now", "change"})
    return ReportTable("Operators that changed", columns, lines, right, (note,), drop=("#",))


def _side(side: Document | None) -> tuple[str, str]:
    return ("-", "-") if side is None else (side["where"], number(side["cycles"]) if side["where"] == "npu" else "-")


def _percent(before: float | None, after: float | None) -> str:
    if not before or after is None:
        return ""
    return f"{(after - before) / before:+.1%}" if after != before else "="


def summary(document: Document) -> Iterator[str]:
    """Lines after the tables."""
    yield f"base: {document['base']['title']}"
    yield f"this run: {document['run']['title']}"
    bases = [document[side]["basis"] or "not simulated" for side in ("base", "run")]
    if bases[0] != bases[1]:
        unlike = "" if document["same_basis"] else ", and are not judged"
        yield f"cycles are counted with other memories{unlike}: {bases[0]}; {bases[1]}"
    if not document["same_model"]:
        yield "the model files differ"
    count = {word: sum(one["change"] == word for one in document["operators"]) for word in
             ("worse", "better", "new", "gone")}  # fmt: skip
    told = ", ".join(f"{count[word]} {word}" for word in count if count[word]) or "none changed"
    yield f"operators: {told}"
