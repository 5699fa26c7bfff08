"""A relocatable model as JSON-ready data."""

from __future__ import annotations

from typing import Any

from harness.relocatable.format import HEADER, PartChecks, RelocatableModel, RelocatableTensor
from harness.relocatable.numbers import FEATURES, number


def model_document(model: RelocatableModel) -> dict[str, Any]:
    """What NAME.bin says of itself."""
    return {
        "format": number("FORMAT"),
        "abi": model.abi,
        "name": model.name,
        "compiler": f"tinyhil {model.version}",
        "model_sha256": model.model_sha256,
        "core": model.core,
        "features": [name for name in FEATURES if name in model.features],
        "align": model.align,
        "bytes": model.total_bytes,
        "header_bytes": HEADER.size,
        "code_bytes": model.code_bytes,
        "arena_bytes": model.arena_bytes,
        "arena_align": model.arena_align,
        "context_bytes": model.context_bytes,
        "stack_bytes": model.stack_bytes or None,
        "inputs": [_tensor(tensor) for tensor in model.inputs],
        "outputs": [_tensor(tensor) for tensor in model.outputs],
        "layers": len(model.layers),
        "body": _part(model.body),
        "weights": None if model.weights is None else {**_part(model.weights), "align": model.weights_align},
    }


def _part(part: PartChecks) -> dict[str, Any]:
    return {"bytes": part.size, "crc32": f"{part.crc32:08x}", "sha256": part.sha256}


def _tensor(tensor: RelocatableTensor) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "dtype": tensor.dtype.value,
        "shape": list(tensor.shape),
        "offset": tensor.offset,
        "bytes": tensor.bytes,
        "scale": tensor.scale,
        "zero_point": None if tensor.scale is None else tensor.zero_point,
        "per_channel": tensor.per_channel,
    }
