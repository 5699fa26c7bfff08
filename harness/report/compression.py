"""A compression as a JSON-ready document and as tables; docs/compress.md describes the fields."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from harness.compression.noise import EXACT_DB
from harness.report.table import ReportTable

if TYPE_CHECKING:
    from harness.compression.network import CompressedModel
    from harness.validate.compressed import Compression, FromOriginal

WITHOUT_DATA = "weights were found without data: give some by --compress LEVEL,data=FILE.npz, which costs far less"


def compression_document(found: Compression | None) -> dict[str, Any] | None:
    """What a model was compressed to, and its distance from the model before; None without compression."""
    return None if found is None else compressed_document(found.model, found.error)


def compressed_document(made: CompressedModel, error: FromOriginal | None = None) -> dict[str, Any]:
    """The same of a model and its distance, if there is one."""
    data = made.data if made.level.changes else None
    return {
        "level": made.level.name,
        "original": {"sha256": made.original.sha256, "bytes": len(made.original.model)},
        "data": None if data is None else {"name": data.name, "sha256": data.sha256, "vectors": len(data.indices)},
        "weights": {"before": made.weights_before, "after": made.weights_after},
        "left": made.left,
        "layers": [
            {
                "index": layer.index,
                "op": layer.op,
                "weights": layer.weights,
                "values": layer.values,
                "before": layer.before,
                "after": layer.after,
                "sqnr": layer.sqnr,
                "with_data": layer.with_data,
            }
            for layer in made.layers
        ],
        "error": None if error is None else asdict(error),
    }


def table(compression: dict[str, Any]) -> ReportTable:
    """The layers whose weights are in fewer bits, with what that changes in the outputs below."""
    rows = [
        (
            str(layer["index"]),
            layer["op"],
            f"{layer['values']:,}",
            f"{layer['before']:,}",
            f"{layer['after']:,}",
            decibels(layer["sqnr"]),
        )
        for layer in compression["layers"]
    ]
    figures = ("operator", "values", "bytes before", "after", "weights dB")
    return ReportTable(
        f"Compression: {compression['level']}",
        (figures[0], "of", *figures[1:]),
        tuple(rows),
        right=frozenset(figures),
        notes=tuple(lines(compression)),
    )


def lines(compression: dict[str, Any]) -> list[str]:
    """What was compressed, and what it changes, in a few lines."""
    weights, data, error = compression["weights"], compression["data"], compression["error"]
    share = f" ({weights['after'] / weights['before']:.0%})" if weights["before"] else ""
    layers = len(compression["layers"])
    found = [
        f"weights {weights['before']:,} B, in fewer bits {weights['after']:,} B{share}; "
        f"{layers} of {layers + compression['left']} layers with weights"
    ]
    changed = compression["level"] != "lossless" and bool(layers)
    if changed:
        found.append(f"found on {data['vectors']} vectors of {data['name']}" if data else WITHOUT_DATA)
    if error is not None:
        found.append(_error(error))
    return found


def _error(error: dict[str, Any]) -> str:
    unseen = ", which weights were not found on" if error["unseen"] else ", which weights were found on"
    text = f"against the original over {error['vectors']} vectors of {error['name']}{unseen}: SQNR "
    text += ", ".join(decibels(v) for v in error["sqnr"]) + " dB, largest difference "
    text += ", ".join(f"{v:.4g}" for v in error["max_abs"])
    if error["accuracy"] is not None:
        before, after = error["accuracy"]
        text += f"; accuracy {before:.2%} -> {after:.2%} ({100 * (after - before):+.2f} points)"
    return text


def decibels(value: float) -> str:
    """A figure in dB."""
    return "exact" if value >= EXACT_DB else f"{value:.1f}"
