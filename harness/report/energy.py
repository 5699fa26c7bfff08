"""Energy of a model as a JSON-ready document and as tables; docs/energy.md describes the fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.energy.cascade import Cascade, Stage, Triggers
from harness.energy.duty import Battery, DutyCycle
from harness.energy.estimate import EnergyEstimate
from harness.energy.measure import EnergyMeasurement
from harness.report.document import SCHEMA_VERSION, Document, finite
from harness.report.table import ReportTable
from harness.units import Quantity

_DAY_H = 24.0


@dataclass(frozen=True)
class ModelEnergy:
    """A model's energy on a board: measured, or estimated.

    Attributes:
        name, file: of the model.
        board: that it runs on.
        found: the energy.
    """

    name: str
    file: str
    board: str
    found: EnergyEstimate | EnergyMeasurement

    @property
    def stage(self) -> Stage:
        """As a model of a cascade."""
        return Stage(self.name, self.found.energy, self.found.seconds)


def energy_document(
    models: tuple[ModelEnergy, ...],
    *,
    cascade: Cascade | None = None,
    triggers: Triggers | None = None,
    duty: DutyCycle | None = None,
    battery: Battery | None = None,
) -> Document:
    """The document of `tinyhil energy`; `models` are the model and, in a cascade, the large one."""
    return finite(
        {
            "kind": "energy",
            "schema": SCHEMA_VERSION,
            "name": models[0].name,
            "board": models[0].board,
            "models": [_model(model) for model in models],
            "cascade": None if cascade is None else _cascade(cascade, triggers),
            "duty": None if duty is None else _duty(duty, battery),
        }
    )


def _quantity(figure: Quantity | None) -> Document | None:
    return None if figure is None else {"value": figure.value, "unit": figure.unit.value}


def _model(model: ModelEnergy) -> Document:
    found = model.found
    shared = {
        "name": model.name,
        "file": model.file,
        "board": model.board,
        "measured": isinstance(found, EnergyMeasurement),
        "energy": _quantity(found.energy),
        "seconds": found.seconds,
    }
    if isinstance(found, EnergyMeasurement):
        return {
            **shared,
            "runs": [_quantity(run) for run in found.runs],
            "inferences": found.inferences,
            "spread": found.spread,
            "idle_w": found.idle_w,
            "extra": found.extra,
            "meter": found.meter,
        }
    return {
        **shared,
        "low": _quantity(found.low),
        "high": _quantity(found.high),
        "volts": found.volts,
        "ua_per_mhz": found.current.ua_per_mhz,
        "how": found.current.how,
        "source": found.current.source,
    }


def _cascade(cascade: Cascade, triggers: Triggers | None) -> Document:
    mean = cascade.mean
    return {
        "trigger_rate": cascade.trigger_rate,
        "energy": _quantity(mean.energy),
        "seconds": mean.seconds,
        "ratio": cascade.ratio,
        "break_even": cascade.break_even,
        "measured_on": None if triggers is None else {
            "inputs": triggers.inputs,
            "triggered": triggers.triggered,
            "missed": triggers.missed,
            "false": triggers.false,
        },
    }  # fmt: skip


def _duty(duty: DutyCycle, battery: Battery | None) -> Document:
    return {
        "rate": duty.rate,
        "duty": duty.duty,
        "active_w": duty.active_w,
        "sleep_w": duty.sleep_w,
        "mean_w": duty.mean_w,
        "sleep_a": duty.sleep_a,
        "volts": duty.volts,
        "battery": None if battery is None else {
            "capacity_ah": battery.capacity_ah,
            "volts": battery.volts,
            "efficiency": battery.efficiency,
            "mean_a": duty.battery_a(battery),
            "life_h": duty.life_h(battery),
        },
    }  # fmt: skip


# --- for people ------------------------------------------------------------------------------------------------------


def models(document: Document) -> ReportTable:
    """One line per model: energy and time of an inference, and where they are from."""
    lines = tuple(
        (
            model["name"],
            model["board"],
            "measured" if model["measured"] else "estimated",
            energy(model["energy"]),
            "" if model["measured"] else bounds(model),
            f"{model['seconds'] * 1e3:.3g}",
            _origin(model),
        )
        for model in document["models"]
    )
    columns = ("model", "board", "figure", "energy", "by cycles", "ms", "from")
    return ReportTable("Energy of an inference", columns, lines, frozenset({"energy", "ms"}), tuple(_notes(document)),
                       prose=frozenset({"from"}))  # fmt: skip


def energy(figure: Document) -> str:
    """An energy in the unit that suits it: 1.24 mJ."""
    value = figure["value"]
    for factor, name in ((1e9, "J"), (1e6, "mJ"), (1e3, "uJ")):
        if value >= factor:
            return f"{value / factor:.3g} {name}"
    return f"{value:.0f} nJ"


def bounds(model: Document) -> str:
    """The bounds of an estimate by those of its cycles; "?" where there are none."""
    low, high = (("?" if model[key] is None else energy(model[key])) for key in ("low", "high"))
    return f"{low} to {high}"


def _origin(model: Document) -> str:
    if model["measured"]:
        return (
            f"{model['meter']}: median of {len(model['runs'])} runs of {model['inferences']:,} inferences, "
            f"spread {model['spread']:.1%}; waiting it draws {power(model['idle_w'])}"
        )
    return f"{model['ua_per_mhz']:g} uA/MHz at {model['volts']:g} V ({model['how']}; {model['source']})"


def _notes(document: Document) -> Iterator[str]:
    if not all(model["measured"] for model in document["models"]):
        yield (
            "estimated: modelled cycles times a datasheet's typical current of other code, memory and peripherals left "
            "out; its error is not known. --meter measures"
        )


def power(watts: float) -> str:
    """A power in the unit that suits it."""
    for factor, name in ((1.0, "W"), (1e-3, "mW"), (1e-6, "uW")):
        if watts >= factor:
            return f"{watts / factor:.3g} {name}"
    return f"{watts / 1e-9:.3g} nW"


def summary(document: Document) -> Iterator[str]:
    """Lines after the table: cascade, duty cycle, battery."""
    kind = "measured" if all(model["measured"] for model in document["models"]) else "estimated"
    cascade = document["cascade"]
    if cascade is not None:
        small, large = (model["name"] for model in document["models"])
        yield (
            f"cascade, {kind}: {energy(cascade['energy'])} an input with {small} waking {large} after "
            f"{cascade['trigger_rate']:.2%} of the inputs: {cascade['ratio']:.2f} times {large} alone; "
            f"it pays below {max(cascade['break_even'], 0.0):.0%}"
        )
        yield from _triggers(cascade["measured_on"])
    if document["duty"] is not None:
        yield from _duty_lines(document["duty"], kind)


def _triggers(found: Document | None) -> Iterator[str]:
    if found is None:
        return
    shares = ", ".join(
        f"{found[key]:.1%} {what}"
        for key, what in (("missed", "of the wanted missed"), ("false", "of the others false"))
        if found[key] is not None
    )
    yield (
        f"triggers: {found['triggered']:,} of {found['inputs']:,} vectors{f'; {shares}' if shares else ''}. In use the "
        "rate follows how often there is something to hear: give it by --trigger-rate where it is known"
    )


def _duty_lines(duty: Document, kind: str) -> Iterator[str]:
    asleep = f"{power(duty['sleep_w'])} ({duty['sleep_a'] * 1e6:g} uA at {duty['volts']:g} V)"
    yield (
        f"{duty['rate']:.4g} a second, {kind}: awake {duty['duty']:.2%} of the time, mean power "
        f"{power(duty['mean_w'])} = inferences {power(duty['active_w'])} + sleep {asleep}"
    )
    battery = duty["battery"]
    if battery is not None:
        hours = battery["life_h"]
        life = f"{hours / _DAY_H:,.0f} days" if hours >= 3 * _DAY_H else f"{hours:.1f} hours"
        yield (
            f"battery of {battery['capacity_ah'] * 1e3:g} mAh at {battery['volts']:g} V, regulator "
            f"{battery['efficiency']:.0%}: {battery['mean_a'] * 1e6:.3g} uA, {life}; its own discharge is left out"
        )
