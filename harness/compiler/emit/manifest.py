"""NAME.json: the plan as data: model, kernels, arena map, hashes of the generated files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from harness.compiler.goals import Goals
from harness.compiler.plan import Plan
from harness.ir.graph import Tensor
from harness.version import __version__

SCHEMA = 1


def manifest(plan: Plan) -> dict[str, Any]:
    """The plan as JSON-ready data: model, compiler, kernel per layer, arena map, MACs."""
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
        "inputs": [_tensor(graph.tensors[t]) for t in graph.inputs],
        "outputs": [_tensor(graph.tensors[t]) for t in graph.outputs],
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
    }


def goals_document(goals: Goals) -> dict[str, Any]:
    """The goals as JSON-ready data."""
    return {"optimize": goals.optimize, "max_arena": goals.max_arena, "max_flash": goals.max_flash}


def manifest_text(manifest: Mapping[str, Any], files: Mapping[str, str]) -> str:
    """A manifest with the hash of every generated file, as JSON text."""
    hashes = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in sorted(files.items())}
    return json.dumps({**manifest, "files": hashes}, indent=2) + "\n"


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
