"""A quantization as a JSON-ready document and as tables; docs/ptq.md describes the fields."""

from __future__ import annotations

from pathlib import Path

from harness.ptq.calibration import RANDOM_MARK, CalibrationData
from harness.ptq.layers import LayerError
from harness.ptq.search import SchemeSearch, SchemeTrial
from harness.report.compression import decibels
from harness.report.document import SCHEMA_VERSION, Document, finite, model_document
from harness.report.table import ReportTable


def quantization_document(
    found: SchemeSearch,
    data: CalibrationData,
    model: Path,
    output: Path,
    layers: tuple[LayerError, ...],
    cycles: Document | None,
) -> Document:
    """The document of `tinyhil quantize`.

    Args:
        found: all schemes that were tried.
        data: what they were found on and judged by.
        model, output: the float model's file and the one that was written.
        layers: errors of the layers of the best.
        cycles: expected time on a board, as `expected` has it.
    """
    best = found.best
    assert best.quantized is not None and best.evaluation is not None
    return finite(
        {
            "kind": "quantization",
            "schema": SCHEMA_VERSION,
            "name": best.quantized.graph.name,
            "model": model_document(best.quantized.graph, str(output)),
            "float_model": {"file": str(model), "bytes": model.stat().st_size, "accuracy": found.float_accuracy},
            "data": {
                "name": data.name,
                "sha256": data.sha256,
                "random": data.is_random,
                "fitted": len(data.fitted),
                "held": len(data.held),
                "holds_back": data.holds_back,
            },
            "oracle": best.evaluation.oracle,
            "scheme": best.scheme.name,
            "floats": dict(best.quantized.floats),
            "bytes": len(best.quantized.file),
            "expected": cycles,
            "trials": [_trial(trial, best) for trial in found.trials],
            "layers": [_layer(error) for error in layers],
        }
    )


def _trial(trial: SchemeTrial, best: SchemeTrial) -> Document:
    made = trial.evaluation
    return {
        "scheme": trial.scheme.name,
        "wide": 0 if trial.quantized is None else len(trial.quantized.plan.wide),
        "narrow": 0 if trial.quantized is None else len(trial.quantized.plan.narrow),
        "best": trial is best,
        "sqnr": None if made is None else list(made.sqnr),
        "accuracy": None if made is None else made.accuracy,
        "judged": None if trial.judgement is None else trial.judgement.sqnr,
        "bytes": None if trial.quantized is None else len(trial.quantized.file),
        "seconds": trial.seconds,
        "failure": trial.failure,
    }


def _layer(error: LayerError) -> Document:
    return {
        "index": error.index,
        "op": error.op,
        "tensor": error.tensor,
        "sqnr": error.alone,
        "accumulated_sqnr": error.accumulated,
        "range": [error.low, error.high],
        "values": [error.least, error.most],
        "histogram": list(error.histogram),
        "hint": error.hint,
    }


def schemes(document: Document) -> ReportTable:
    """Every scheme with what it gave."""
    rows = [
        (
            ("* " if trial["best"] else "  ") + trial["scheme"] + _mix(trial),
            "" if trial["judged"] is None else decibels(trial["judged"]),
            "" if trial["sqnr"] is None else ", ".join(decibels(v) for v in trial["sqnr"]),
            _percent(trial["accuracy"]),
            "" if trial["bytes"] is None else f"{trial['bytes']:,}",
            f"{trial['seconds']:.1f}",
            trial["failure"],
        )
        for trial in document["trials"]
    ]
    return ReportTable(
        "Schemes",
        ("scheme", "judged dB", "SQNR dB", "accuracy", "bytes", "s", "failed"),
        tuple(rows),
        right=frozenset({"judged dB", "SQNR dB", "accuracy", "bytes", "s"}),
        prose=frozenset({"failed"}),
        drop=("s", "bytes"),
    )


def layers(document: Document) -> ReportTable:
    """Every layer with its error alone and accumulated."""
    rows = [
        (
            str(layer["index"]),
            layer["op"],
            decibels(layer["sqnr"]),
            decibels(layer["accumulated_sqnr"]),
            f"{layer['range'][0]:.4g} to {layer['range'][1]:.4g}",
            f"{layer['values'][0]:.4g} to {layer['values'][1]:.4g}",
            layer["hint"],
        )
        for layer in document["layers"]
    ]
    return ReportTable(
        "Layers",
        ("layer", "op", "alone dB", "so far dB", "range", "values", "what helps"),
        tuple(rows),
        right=frozenset({"layer", "alone dB", "so far dB"}),
        prose=frozenset({"what helps"}),
        drop=("values", "range"),
    )


def summary(document: Document) -> list[str]:
    """What was made, in a few lines."""
    data, before = document["data"], document["float_model"]
    best = next(trial for trial in document["trials"] if trial["best"])
    worst = ", ".join(decibels(v) for v in best["sqnr"])
    lines = [
        f"{document['model']['file']}: {best['scheme']}{_mix(best)}, SQNR {worst} dB, "
        f"{best['bytes']:,} B (float {before['bytes']:,} B)"
    ]
    if document["floats"]:
        left = ", ".join(f"{op} x{count}" for op, count in sorted(document["floats"].items()))
        lines.append(f"stay float32, as they have no form of these integers: {left}")
    if best["accuracy"] is not None:
        drop = before["accuracy"] - best["accuracy"]
        lines.append(
            f"accuracy {_percent(best['accuracy'])}, float {_percent(before['accuracy'])}, drop {100 * drop:.2f} points"
        )
    judged = f"{data['held']} vectors kept back" if data["holds_back"] else "the same, too few to keep some back"
    lines.append(
        f"found on {data['fitted']} vectors of {data['name']}, judged by {judged}; computed by {document['oracle']}"
    )
    if any(trial["judged"] is not None for trial in document["trials"]):
        lines.append("chosen by judged dB: over all vectors, those kept back among them, and more between them")
    if document["expected"] is not None:
        found = document["expected"]
        lines.append(f"expected on {found['board']}: {found['cycles']:,} cycles, {1e3 * found['seconds']:.3g} ms")
    if data["random"]:
        lines.append(RANDOM_MARK)
    return lines


def _mix(trial: Document) -> str:
    """The layers that differ from the scheme."""
    parts = [(trial["wide"], "16 bit"), (trial["narrow"], "4-bit weights")]
    named = [f"{count} layers {what}" if count > 1 else f"1 layer {what}" for count, what in parts if count]
    return f", {' and '.join(named)}" if named else ""


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.2f} %"
