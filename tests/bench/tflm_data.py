"""TFLM's measured figures as tinyhil ships them, made from the record of layers (`python -m tests.bench tflm --make`).

The record is a .json.gz of measured runs: models with their layers, and for every core the executed instructions of
each layer, arena, stack and code. What is shipped has every layer once, with its figures, and models as rows of it.
Nothing of a model is in it but shapes and parameters.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from math import prod
from pathlib import Path
from statistics import median_low
from typing import Any

from harness.tflm.layer import TflmLayer, shapes
from harness.tflm.reading import read
from harness.tflm.scratch import aligned

CORES = ("cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55")
WITH_QUANT = ("SOFTMAX", "QUANTIZE", "MEAN")
"""Operators whose scales decide what they compute."""

SVDF = "SVDF"
_PLAIN_DENSE, _BIAS = 420, 16
"""Bytes of the arena of a fully connected layer of one scale, besides its input and output; more with a bias."""

WITH_INT8_STATES = frozenset({"1d5e0e5c9a7369ca34543fefb46e3047cd6db281adcd8bb8a96aba0a48e88757"})
"""Models whose SVDF keep states of int8, which the record does not say; all others' are of int16."""


def record(path: Path) -> dict[str, Any]:
    """The content of the record."""
    content: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    return content


def files_in(folders: Sequence[Path]) -> dict[str, Path]:
    """The .tflite files of folders, by hash."""
    found = (path for folder in folders for path in sorted(folder.glob("*.tflite")))
    return {sha256(path.read_bytes()).hexdigest(): path for path in found}


def layer_of(entry: Mapping[str, Any], sha256: str = "") -> TflmLayer:
    """A layer as the record describes it, of a model of that hash."""
    types = entry["dtype"], entry.get("dtype2"), entry.get("dtype_out")
    numbers = entry.get("param") or []
    quant = entry.get("quant") or [None, None]
    found = TflmLayer(
        op=entry["op"],
        inputs=tuple(None if shape is None else tuple(shape) for shape in entry["in"]),
        outputs=shapes(entry["out"]),
        types=tuple("" if kind in (None, "?") else kind for kind in types) if entry["in"] else ("", "", types[2] or ""),
        constants=tuple(entry["const"]),
        stride=tuple(entry.get("stride", ())),
        dilation=tuple(entry.get("dilation", ())),
        kernel=tuple(entry.get("kernel", ())),
        padding=entry.get("padding", ""),
        activation=entry.get("act") or "NONE",
        axis=entry.get("axis", 0),
        numbers=shapes(numbers if numbers and isinstance(numbers[0], list) else [numbers] if numbers else []),
        keep=bool(entry.get("keep", 0)),
        masks=tuple(entry.get("masks", ())),
        weights_zero=entry.get("wzp", 0),
        time_major=bool(entry.get("time_major", 0)),
        state=("int8" if sha256 in WITH_INT8_STATES else "int16") if entry["op"] == SVDF else "",
    )
    if entry["op"] not in WITH_QUANT:
        return found
    ends = (None if pair is None else (float(pair[0]), int(pair[1])) for pair in (quant[0], quant[-1]))
    return TflmLayer(**{**vars(found), "quant": tuple(ends)})


def make(content: Mapping[str, Any], files: Mapping[str, Path]) -> dict[str, Any]:
    """What is shipped of a record; of models whose files are there (by hash) also how long their tensors live."""
    rows: dict[TflmLayer, int] = {}
    figures: dict[int, list[list[int]]] = defaultdict(list)
    generated: set[int] = set()
    models = []
    for entry in content["models"]:
        layers = [_with_scales(layer_of(layer, entry["sha256"]), entry) for layer in entry["layers"]]
        runs = {run["core"]: run for run in entry["runs"] if run["kernels"] == "cmsis_nn"}
        indices = [rows.setdefault(layer, len(rows)) for layer in layers]
        second = any(layer.op == "CALL_ONCE" for layer in layers)  # the first inference has the initialisation too
        measured = [_layer_figures(runs[core], second) for core in CORES]
        single = entry["group"] == "single"
        for place, index in enumerate(indices):
            figures[index].append([one[place] for one in measured])
            generated |= {index} if single else set()
        models.append(
            {
                "name": entry["name"],
                "sha256": entry["sha256"],
                "generated": single,
                "kind": entry["kind"],
                "bytes": entry["bytes"],
                "layers": indices,
                "memory": _memory(files.get(entry["sha256"])),
                "runs": [_run(runs[core], one, second) for core, one in zip(CORES, measured, strict=True)],
            }
        )
    table = []
    for layer, index in rows.items():
        middle = [median_low(column) for column in zip(*figures[index], strict=True)]
        table.append([layer.as_dict(), index in generated, middle])
    for model in models:
        for place, run in enumerate(model["runs"]):
            own = run.pop("layers")
            run["other"] = {
                str(at): value
                for at, (index, value) in enumerate(zip(model["layers"], own, strict=True))
                if value != table[index][2][place]
            }
    return {"meta": _provenance(content["meta"]), "cores": list(CORES), "layers": table, "models": models}


def _with_scales(layer: TflmLayer, entry: Mapping[str, Any]) -> TflmLayer:
    """A generated fully connected layer with a scale for each output, which only its arena shows."""
    if entry["group"] != "single" or layer.op != "FULLY_CONNECTED" or not layer.input(1):
        return layer
    ends = sum(aligned(prod(shape)) for shape, _ in (*entry["inputs"], *entry["outputs"]))
    more = entry["runs"][0]["arena"] - ends - _PLAIN_DENSE - _BIAS * (len(layer.inputs) > 2)
    return replace(layer, per_channel=len(layer.output) == 2 and more >= 2 * aligned(4 * layer.input(1)[0]) > 0)


def _memory(path: Path | None) -> dict[str, Any] | None:
    """What decides the arena of a model: its tensors, each with its size, first and last operator."""
    if path is None:
        return None
    model = read(path.read_bytes(), str(path))
    tensors = [[tensor.bytes, tensor.first, tensor.last] for tensor in model.tensors]
    return {"tensors": tensors, "count": model.count, "ends": model.ends}


def _layer_figures(run: Mapping[str, Any], second: bool) -> list[int]:
    return list(run["layer_instructions_input1" if second else "layer_instructions"])


def _run(run: Mapping[str, Any], layers: list[int], second: bool) -> dict[str, Any]:
    return {
        "total": run["instructions_input1" if second else "instructions"],
        "arena": run["arena"],
        "stack": run["stack"],
        "flash": run.get("code_flash"),
        "exact": run["exact"],
        "layers": layers,
    }


def _provenance(meta: Mapping[str, Any]) -> dict[str, Any]:
    names = ("date", "tflite_micro", "cmsis_nn", "compiler", "qemu", "flags", "machines", "counting")
    return {name: meta[name] for name in names}


def write(content: Mapping[str, Any], path: Path) -> None:
    """The figures as a file, the same bytes for the same figures."""
    text = json.dumps(content, separators=(",", ":"), sort_keys=True)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
