"""NAME.json: the plan as data: model, kernels, arena map, hashes of the generated files."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.compiler.emit.stack import StackNeed
from harness.compiler.goals import Goals
from harness.compiler.plan import Plan
from harness.files.reading import read_regular
from harness.ir.graph import Tensor
from harness.version import __version__

SCHEMA = 1

_MAX_BYTES = 64 << 20
_PATH = re.compile(r"(?!\.)[A-Za-z0-9_.+-]+(/(?!\.)[A-Za-z0-9_.+-]+)*")
_HASH = re.compile(r"[0-9a-f]{64}")


def manifest(plan: Plan, stack: StackNeed | None = None) -> dict[str, Any]:
    """The plan as JSON-ready data: model, compiler, kernel per layer, arena map, MACs, and the stack if it is known."""
    graph = plan.graph
    return {
        "schema": SCHEMA,
        "name": plan.name,
        "model_sha256": graph.sha256,
        "compiler": f"tinyhil {__version__}",
        "core": plan.core,
        "goals": goals_document(plan.goals),
        "macs": plan.macs,
        "macs_of_file": plan.macs_of_file,
        "stack": None if stack is None else asdict(stack),
        "inputs": [_tensor(graph.tensors[t]) for t in graph.inputs],
        "outputs": [
            {**_tensor(graph.tensors[t]), "labels": list(graph.labels_of(i)) or None}
            for i, t in enumerate(graph.outputs)
        ],
        "states": [{"name": s.name, "bytes": s.bytes} for s in graph.states],
        "layers": [
            {
                "index": layer.index,
                "name": layer.name,
                "op": layer.op,
                "fused": list(layer.fused),
                "hidden": layer.hidden,
                "kernel": layer.kernel,
                "macs": layer.macs,
                "scratch": layer.scratch,
                "operators": list(layer.sources),
                "outputs": [_tensor(graph.tensors[t]) for t in layer.outputs],
            }
            for layer in plan.layers
        ],
        "removed": [{"operator": index, "op": op, "why": why} for index, op, why in plan.removed],
        "arena": {
            "size": plan.arena_size,
            "align": plan.arena_align,
            "liveness_bound": plan.liveness_bound,
            "placements": [
                {
                    "name": p.name,
                    "kind": "state" if p.state is not None else "scratch" if p.tensor is None else "tensor",
                    "offset": p.offset,
                    "size": p.size,
                    "first_layer": p.first,
                    "last_layer": p.last,
                }
                for p in plan.placements
            ],
        },
        **({"scratch": {"size": plan.scratch_size, "align": plan.arena_align}} if plan.scratch_apart else {}),
    }


def goals_document(goals: Goals) -> dict[str, Any]:
    """The goals as JSON-ready data."""
    return {
        "optimize": goals.optimize,
        "max_arena": goals.max_arena,
        "max_flash": goals.max_flash,
        "compress": goals.compress,
    }


def manifest_text(manifest: Mapping[str, Any], files: Mapping[str, str | bytes]) -> str:
    """A manifest with the hash of every generated file, as JSON text."""
    hashes = {
        name: hashlib.sha256(content if isinstance(content, bytes) else content.encode()).hexdigest()
        for name, content in sorted(files.items())
    }
    return json.dumps({**manifest, "files": hashes}, indent=2) + "\n"


@dataclass(frozen=True)
class Written:
    """What tinyhil wrote into a folder, as the manifests there say.

    Attributes:
        names: of the packages.
        files: SHA-256 by path within the folder; "" for the manifests.
    """

    names: tuple[str, ...]
    files: Mapping[str, str]


def read_written(folder: Path) -> Written:
    """What tinyhil wrote into a folder; nothing where it is missing or has no manifest.

    Raises:
        OSError: the folder cannot be read.
    """
    names: list[str] = []
    files: dict[str, str] = {}
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        found = None if path.is_symlink() else _read(path)
        if found is not None:
            names.append(str(found["name"]))
            files |= {**found["files"], path.name: ""}
    return Written(tuple(names), files)


def _read(path: Path) -> dict[str, Any] | None:
    """A manifest whose paths all stay within its folder; None for any other file."""
    try:
        found = json.loads(read_regular(path, _MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not str(found.get("compiler")).startswith("tinyhil "):
        return None
    files = found.get("files")
    if found.get("name") != path.stem or not isinstance(files, dict):
        return None
    sound = all(_PATH.fullmatch(name) and _HASH.fullmatch(str(hashed)) for name, hashed in files.items())
    return found if sound else None


def _tensor(tensor: Tensor) -> dict[str, Any]:
    quant = tensor.quant
    return {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "dtype": tensor.dtype.value,
        "scale": quant.scale if quant else None,
        "zero_point": quant.zero_point if quant else None,
        "source": tensor.source,
        "channels": None if tensor.kept is None else list(tensor.kept),
    }
