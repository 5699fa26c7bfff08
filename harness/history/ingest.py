"""A results document as records of the history."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from harness.errors import ResultsError
from harness.history.metrics import ELEMENTS, LAYERS, LSB, MACS, SHARE
from harness.history.records import FigureKey, LayerLine, NetworkLayout, Number, RunSubject, StoredBundle, StoredRun
from harness.report.bundle import read_bundle
from harness.report.document import SCHEMA_VERSION, Document
from harness.runtimes.forms import DEFAULT_FORM
from harness.tflm.origin import Basis
from harness.units import Unit

if TYPE_CHECKING:  # pydantic is slow to import
    from harness.history.document import ErrorPart, LayerPart, RunPart

_BYTES = Unit.BYTES.value
_SCHEMA = "tinyhil.results"
_MEASURED = frozenset(origin.value for origin in Basis if origin.measured)
_HALF = re.compile(r"\\ud[89a-f]")
"""In JSON of ASCII alone: half a character, or a whole one of two halves."""


def bundle_of(folder: Path) -> StoredBundle:
    """The records of a bundle in a folder.

    Raises:
        ResultsError: it is incomplete, damaged, or of a later schema.
    """
    return records_of(read_bundle(folder), str(folder))


def records_of(document: Document, place: str = "results") -> StoredBundle:
    """The records of a results document (harness.report.bundle.results_document).

    Args:
        document: of this version of the schema or an older one.
        place: what errors call it: a file or folder.

    Raises:
        ResultsError: it is none, is damaged, or of a later schema; names the first place that is wrong.
    """
    from pydantic import ValidationError

    from harness.history.document import ErrorPart, ResultsPart, RunPart

    if not isinstance(document, dict) or document.get("schema") != _SCHEMA:
        raise ResultsError(f"{place}: no results of tinyhil", hint="give a folder that --report wrote")
    version = document.get("version")
    if not isinstance(version, int) or not 1 <= version <= SCHEMA_VERSION:
        raise ResultsError(
            f"{place}: results of schema version {version!r}; this tinyhil reads up to {SCHEMA_VERSION}",
            hint="import it with the version of tinyhil that wrote it (tools.tinyhil in results.json), or a later one",
        )
    at: tuple[str | int, ...] = ()
    try:
        text = canonical(document)
        if _HALF.search(text):
            document = _mended(document)
        whole = ResultsPart.model_validate(document)
        parts: list[RunPart | ErrorPart] = []
        for index, run in enumerate(whole.runs):
            at = ("runs", index)
            kind = RunPart if run.get("kind") == "run" else ErrorPart
            parts.append(kind.model_validate(run))
        at = ("created",)
        created = _seconds(whole.created)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in (*at, *first["loc"]))
        raise _damaged(place, where, first["msg"]) from None
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise _damaged(place, ".".join(map(str, at)), str(error)) from None
    names = _names(parts)
    sources = whole.environment.sources
    return StoredBundle(
        digest=hashlib.sha256(text.encode()).hexdigest(),
        at=created,
        revision=sources.revision,
        branch=sources.branch,
        dirty=sources.dirty,
        verdict=whole.verdict,
        command=" ".join(whole.command),
        tools=whole.tools,
        environment={"machine": whole.environment.machine, "ci": whole.environment.ci},
        runs=tuple(_run(part, name) for part, name in zip(parts, names, strict=True)),
    )


def canonical(document: Document) -> str:
    """A document's content as text, by which it is known: without where its images lie, copies of a bundle are one.

    Raises:
        ValueError, TypeError: it is no JSON.
        RecursionError: it is too deep.
    """
    runs = []
    for run in document.get("runs", ()):
        image = run.get("image") if isinstance(run, dict) else None
        if isinstance(image, dict):
            run = {**run, "image": {k: v for k, v in image.items() if k not in ("file", "sha256", "seconds")}}
        runs.append(run)
    return json.dumps({**document, "runs": runs}, sort_keys=True, separators=(",", ":"))


def _mended(document: Document) -> Document:
    """The document with question marks for half characters, which no database takes."""
    text = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    mended: Document = json.loads(text)
    return mended


def _damaged(place: str, where: str, problem: str) -> ResultsError:
    return ResultsError(
        f"{place}: damaged results: {where}: {problem}", hint="run the command that made the bundle again"
    )


def _seconds(created: str) -> float:
    """Seconds since 1970 of an ISO 8601 time; without a zone it is UTC. Raises ValueError, OverflowError."""
    time = datetime.fromisoformat(created)
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def _names(parts: list[RunPart | ErrorPart]) -> list[str]:
    files = [part.card or part.model.file if _is_run(part) else part.file for part in parts]  # type: ignore[union-attr]
    return distinct([(part.name, file) for part, file in zip(parts, files, strict=True)])


def distinct(named: Sequence[tuple[str, str]]) -> list[str]:
    """A model's name for each (name, file): with the folder's name where several files have one name."""
    files: dict[str, set[str]] = {}
    for name, file in named:
        files.setdefault(name, set()).update([file] if file else [])
    return [name if len(files[name]) < 2 or not file else f"{name} ({_folder(file)})" for name, file in named]


def _folder(file: str) -> str:
    return PurePath(file).parent.name or PurePath(file).name


def _is_run(part: RunPart | ErrorPart) -> bool:
    return not hasattr(part, "error")


def _runtime(part: RunPart | ErrorPart) -> str:
    """What computed it, for which NPU, in which form: figures of different ones are never compared."""
    form = "" if part.form == DEFAULT_FORM else part.form
    return " ".join(filter(None, (part.runtime, part.npu, form)))


def _run(part: RunPart | ErrorPart, name: str) -> StoredRun:
    if not _is_run(part):
        fault = part.error  # type: ignore[union-attr]
        subject = RunSubject(name, part.board.asked, part.goals.optimize, _runtime(part))
        why = f"{fault.stage}: {fault.message} [{fault.code}]"
        return StoredRun(subject, "error", why, {"error": fault.code, "place": part.board.place or ""})
    return _measured(part, name)  # type: ignore[arg-type]


def _measured(part: RunPart, name: str) -> StoredRun:
    failed = [check for check in part.verdict.checks if check.status == "fail"]
    why = f"{failed[0].name}: {failed[0].summary}" if failed else ""
    repeats = {FigureKey(f.metric, f.unit): tuple(f.repeats) for f in part.figures if f.repeats}
    if part.time.unit and part.time.repeats:
        repeats[FigureKey("time", part.time.unit)] = tuple(part.time.repeats)
    return StoredRun(
        subject=RunSubject(name, part.board.ran_on or part.board.asked, part.goals.optimize, _runtime(part)),
        verdict="pass" if part.verdict.passed else "fail",
        why=why,
        facts=_facts(part),
        figures=dict(_figures(part)),
        samples=repeats,
        layout=NetworkLayout.of(map(_layer_line, part.layers)),
        layer_figures=dict(_layer_figures(part)),
    )


def _layer_line(line: LayerPart) -> LayerLine:
    tflm = {
        kernels: value
        for kernels, value in line.tflm.items()
        if value is not None and _is_measured(line.tflm_origin.get(kernels))
    }
    return LayerLine(line.name, line.op, line.kernel, line.macs, tuple(line.operators), tflm)


def _is_measured(origin: str | None) -> bool:
    """Whether a figure of TFLM was measured of the model itself: what was estimated is not kept, nor compared with."""
    return origin is None or origin in _MEASURED


def _figures(part: RunPart) -> Iterator[tuple[FigureKey, Number]]:
    """The figures of the whole run that are there."""
    memory, verdict = part.memory, part.verdict
    arena = memory.arena_measured if memory.arena_measured is not None else memory.arena_planned
    model, kernels = (part.image.groups.get(group) for group in ("model", "kernels"))
    network = [group for group in (model, kernels) if group is not None]
    found: list[tuple[str, str | None, Number | str | None]] = [
        ("time", part.time.unit, part.time.total),
        ("arena", _BYTES, arena),
        ("stack", _BYTES, memory.stack_measured),
        ("flash", _BYTES, memory.flash),
        ("constants", _BYTES, memory.constants),
        ("outputs.max_lsb", LSB, verdict.max_lsb),
        ("outputs.differing", ELEMENTS, sum(o.differing for o in verdict.outputs) if verdict.outputs else None),
        ("layers.differing", LAYERS, _differing(part) if verdict.layers_compared else None),
        ("accuracy", SHARE, verdict.accuracy.board if verdict.accuracy else None),
        ("macs", MACS, part.macs),
    ]
    if network:
        found += [
            ("flash.text", _BYTES, sum(group.text for group in network)),
            ("flash.rodata", _BYTES, sum(group.rodata for group in network)),
            ("ram.data", _BYTES, sum(group.data for group in network)),
            ("ram.bss", _BYTES, sum(group.bss for group in network)),
        ]
    if part.modelled:
        found.append(("time", part.modelled.cycles.unit, part.modelled.cycles.value))
    found += [(figure.metric, figure.unit, figure.value) for figure in part.figures]
    for metric, unit, value in found:
        if unit and isinstance(value, int | float):
            yield FigureKey(metric, unit), value


def _differing(part: RunPart) -> int:
    return len({difference.layer for difference in part.verdict.layers_differing})


def _layer_figures(part: RunPart) -> Iterator[tuple[FigureKey, tuple[Number | None, ...]]]:
    """Per figure the values of all layers."""
    count = len(part.layers)
    if part.time.unit and any(line.value is not None for line in part.layers):
        yield FigureKey("time", part.time.unit), tuple(line.value for line in part.layers)
    if part.modelled and len(part.modelled.layers) == count and count:
        modelled = part.modelled.layers
        yield FigureKey("time", modelled[0].cycles.unit), tuple(line.cycles.value for line in modelled)
    if part.verdict.layers_differing:
        worst: list[Number | None] = [None] * count
        for difference in part.verdict.layers_differing:
            at = difference.layer
            if at is not None and at < count:
                worst[at] = max(worst[at] or 0, difference.max_lsb or 0)
        yield FigureKey("layer.max_lsb", LSB), tuple(worst)


def _facts(part: RunPart) -> dict[str, Any]:
    """What the run was made with."""
    image, board = part.image, part.board
    sizes = {kind: sum(r.size for r in board.memory if r.kind == kind) for kind in ("flash", "ram")}
    used = {
        kind: sum(image.regions.get(r.name, 0) for r in board.memory if r.kind == kind) for kind in ("flash", "ram")
    }
    facts: dict[str, Any] = {
        "model_sha256": part.model.sha256,
        "model_file": part.model.file,
        "model_bytes": part.model.bytes,
        "core": board.core,
        "backend": board.backend,
        "clock_hz": board.clock_hz,
        "asked": board.asked,
        "place": board.place or "",
        "link": part.link,
        "oracle": " ".join(text for text in (part.oracle.name, part.oracle.version) if text),
        "vectors": part.vectors.sha256,
        "vectors_count": part.vectors.count,
        "build_id": image.build_id,
        "image_sha256": image.sha256,
        "toolchain": image.toolchain,
        "chip": {kind: {"size": sizes[kind], "used": used[kind]} for kind in sizes if sizes[kind]},
        "budgets": _budgets(part),
        "tflm": {
            b.kernels: {"unit": b.unit, "time": b.total, "arena": b.arena}
            for b in part.baselines
            if _is_measured(b.origin.get("total"))
        },
    }
    return {name: value for name, value in facts.items() if value not in ("", 0, {}, None)}


def _budgets(part: RunPart) -> dict[str, Mapping[str, Any]]:
    """Limit, measured value and unit of each budget of the card."""
    return {
        check.name: {name: check.figures.get(name) for name in ("measured", "limit", "unit")}
        for check in part.verdict.checks
        if isinstance(check.figures.get("limit"), int | float)
        and isinstance(check.figures.get("measured"), int | float)
    }
