"""A prediction as a JSON-ready document, for --json, console and HTML reports.

docs/results.md describes the fields. A figure carries its unit: {"value": 12, "unit": "modelled-cycles"}.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from harness.cycles.engine import Estimate, HotBlock, LayerEstimate
from harness.cycles.modes import BoardMode
from harness.cycles.pipeline import Cause
from harness.cycles.predict import Prediction
from harness.elf.symbols import Symbols
from harness.units import Quantity, Unit, total

Document: TypeAlias = dict[str, Any]

SHARE_OF_HOT = 0.01
"""Least share of the inference's cycles for which a block is listed."""


def prediction_document(
    prediction: Prediction, what_ifs: Sequence[Prediction] = (), modes: Sequence[BoardMode] = (), *, hot: int = 5
) -> Document:
    """Modelled cycles by layer and cause, the hottest code, and what-ifs.

    Args:
        prediction: for the board without changes.
        what_ifs: results of prediction.recost(); modes: of harness.cycles.modes.
        hot: number of blocks to list with their instructions.
    """
    estimate, profile = prediction.estimate, prediction.profile
    symbols = Symbols(profile.elf)
    return {
        "kind": "prediction",
        "model": profile.model,
        "unit": Unit.MODELLED_CYCLES.value,
        "core": estimate.core,
        **_costed(prediction),
        "profile": {
            "board": profile.board,
            "emulator": profile.emulator,
            "toolchain": profile.toolchain,
            "reason": prediction.resolved.reason,
            "fresh": prediction.recording.fresh,
        },
        "layers": [
            _layer(prediction, number, layer, symbols) for number, layer in enumerate(estimate.layers)
        ],
        "macs": sum(layer.macs for layer in prediction.plan.layers),
        "unknown": dict(estimate.unknown),
        "hot": hot_blocks(estimate.layers, estimate.cycles, symbols, hot),
        "what_if": [
            {
                "change": str(other.what_if),
                **_costed(other),
                "ratio": other.estimate.cycles.ratio(estimate.cycles),
                "layers": [
                    {"index": layer.index, "name": layer.name, "cycles": quantity(layer.cycles)}
                    for layer in other.estimate.layers
                ],
            }
            for other in what_ifs
        ],
        "modes": [_mode(mode) for mode in modes],
    }


def _mode(mode: BoardMode) -> Document:
    estimate = mode.estimate
    bounds = (estimate.low, estimate.cycles, estimate.high)
    return {
        "flash": mode.flash,
        "clock_hz": mode.clock_hz,
        "wait_states": mode.wait_states,
        "placement": dict(mode.placement),
        "as_it_is": mode.own,
        "validated": estimate.validated,
        "error": estimate.error,
        **{name: quantity(figure) for name, figure in zip(("low", "cycles", "high"), bounds, strict=True)},
        "milliseconds": _milliseconds(estimate, bounds),
    }


def quantity(figure: Quantity) -> Document:
    """A figure with its unit."""
    return {"value": figure.value, "unit": figure.unit.value}


def _costed(prediction: Prediction) -> Document:
    """The fields that depend on the board's set-up."""
    estimate, setup = prediction.estimate, prediction.setup
    bounds = (estimate.low, estimate.cycles, estimate.high)
    return {
        "board": None if setup is None else setup.table.board,
        "setup": estimate.board,
        "flash": None if setup is None else setup.flash,
        "clock_hz": estimate.clock_hz,
        "wait_states": None if setup is None else setup.table.waits(setup.clock_hz),
        "placement": dict(prediction.placement),
        **estimate_document(estimate),
        "instructions": quantity(prediction.profile.total),
        "milliseconds": _milliseconds(estimate, bounds),
    }


def estimate_document(estimate: Estimate) -> Document:
    """Modelled cycles with their bounds, by cause and kind of load, and how sure they are."""
    return {
        "validated": estimate.validated,
        "label": estimate.label,
        "error": estimate.error,
        "kinds": kinds_document(estimate),
        "tables": list(estimate.tables),
        "validation": list(estimate.validation),
        "low": quantity(estimate.low),
        "cycles": quantity(estimate.cycles),
        "high": quantity(estimate.high),
        "causes": causes_document(estimate.causes),
    }


def _milliseconds(estimate: Estimate, bounds: tuple[Quantity, Quantity, Quantity]) -> Document | None:
    """Low, modelled and high cycles as time at the board's clock; None for a core alone."""
    if estimate.clock_hz is None:
        return None
    per_ms = estimate.clock_hz / 1e3
    return {name: cycles.value / per_ms for name, cycles in zip(("low", "estimate", "high"), bounds, strict=True)}


def kinds_document(estimate: Estimate) -> list[Document]:
    """Cycles, error and published results of every kind of load."""
    return [
        {
            "kind": kind.value,
            "cycles": quantity(cycles),
            "error": error.error,
            "results": error.results,
            "validated": estimate.compared and error.validated,
        }
        for kind, (cycles, error) in estimate.kinds.items()
    ]


def causes_document(causes: Mapping[Cause, Quantity]) -> Document:
    """Modelled cycles of every cause."""
    zero = Quantity(0, Unit.MODELLED_CYCLES)
    return {cause.value: quantity(causes.get(cause, zero)) for cause in Cause}


def _layer(prediction: Prediction, number: int, layer: LayerEstimate, symbols: Symbols) -> Document:
    planned = prediction.plan.layers[number]
    return {
        "index": layer.index,
        "name": layer.name,
        "op": planned.op,
        "kernel": planned.kernel,
        "macs": planned.macs,
        "kind": layer.kind.value,
        "error": layer.error.error,
        "instructions": quantity(layer.instructions),
        "low": quantity(layer.low),
        "cycles": quantity(layer.cycles),
        "high": quantity(layer.high),
        "milliseconds": _milliseconds(prediction.estimate, (layer.low, layer.cycles, layer.high)),
        "per_mac": layer.cycles.value / planned.macs if planned.macs else None,
        "share": layer.cycles.ratio(prediction.estimate.cycles),
        "causes": causes_document(layer.causes),
        "functions": functions_document(layer, symbols),
    }


def functions_document(layer: LayerEstimate, symbols: Symbols) -> list[Document]:
    """The layer's functions with their blocks, those with the most cycles first."""
    by_function: dict[str, list[HotBlock]] = {}
    for block in layer.blocks:
        place = symbols.at(block.address)
        by_function.setdefault(place.function if place else f"0x{block.address:08x}", []).append(block)
    found = [
        {
            "name": name,
            "cycles": quantity(_sum(blocks)),
            "blocks": [{**_block(b, symbols), "loops": b.loops} for b in blocks if b.cycles.value],
        }
        for name, blocks in by_function.items()
    ]
    return sorted(found, key=lambda function: (-function["cycles"]["value"], function["name"]))


def _sum(blocks: Iterable[HotBlock]) -> Quantity:
    return total((block.cycles for block in blocks), Unit.MODELLED_CYCLES)


def _block(block: HotBlock, symbols: Symbols) -> Document:
    place = symbols.at(block.address)
    return {
        "address": block.address,
        "place": str(place) if place else f"0x{block.address:08x}",
        "count": block.count,
        "cycles": quantity(block.cycles),
    }


def hot_blocks(layers: Sequence[LayerEstimate], whole: Quantity, symbols: Symbols, most: int) -> list[Document]:
    """The blocks with the most cycles, with their instructions; summed over the layers that share a kernel."""
    together: dict[int, list[tuple[LayerEstimate, HotBlock]]] = {}
    for layer in layers:
        for block in layer.blocks:
            together.setdefault(block.address, []).append((layer, block))
    found = []
    for pairs in together.values():
        cycles = _sum(block for _, block in pairs)
        if whole.value and cycles.value >= SHARE_OF_HOT * whole.value:
            dearest = max((block for _, block in pairs), key=lambda block: block.cycles.value)
            found.append(
                {
                    **_block(dearest, symbols),
                    "count": sum(block.count for _, block in pairs),
                    "cycles": quantity(cycles),
                    "share": cycles.ratio(whole),
                    "per_execution": dearest.cycles_per_execution,
                    "instructions": len(dearest.steps),
                    "loops": dearest.loops,
                    "layers": [layer.name for layer, _ in pairs],
                    "listing": dearest.listing(),
                }
            )
    found.sort(key=lambda block: (-block["cycles"]["value"], block["address"]))
    return found[:most]
