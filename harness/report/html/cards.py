"""The cards at the top of the report: for each model on each board the verdict and the few figures that decide."""

from __future__ import annotations

from dataclasses import dataclass

from harness.report import rows
from harness.report.document import Document
from harness.report.html.bars import FigureBars, Gauge, budgets, chip, compare
from harness.units import Unit


@dataclass(frozen=True)
class RunCard:
    """What a card shows.

    Attributes:
        index: place among the runs, which its links lead to.
        why: the first check that failed or the error, in a sentence; "" for a run that passes.
        advice: what to try next.
        comparisons: time and arena beside TFLM's.
        gauges: RAM and flash of the chip.
        first_layer: (index, name) of the first layer that differs, or None.
        milliseconds: time on the chip in words where cycles are measured or modelled; "" elsewhere.
        accuracy: (on the board, of the reference and of the float model) in words, or None.
        worst: the fullest budget, or None without one.
        notes: what the figures cannot show.
    """

    index: int
    model: str
    board: str
    verdict: str
    why: str = ""
    advice: str = ""
    comparisons: tuple[FigureBars, ...] = ()
    gauges: tuple[Gauge, ...] = ()
    first_layer: tuple[int, str] | None = None
    milliseconds: str = ""
    accuracy: tuple[str, str] | None = None
    worst: Gauge | None = None
    notes: tuple[str, ...] = ()


def run_card(run: Document, name: str, index: int) -> RunCard:
    """The card of a run."""
    board, verdict = rows.board_name(run), rows.verdict_word(run)
    if run["kind"] == "error":
        error = run["error"]
        return RunCard(index, name, board, verdict, f"{error['stage']}: {error['message']}", error["hint"])
    failed = [check for check in run["verdict"]["checks"] if check["status"] == "fail"]
    why = f"{failed[0]['name']}: {failed[0]['summary']}" if failed else ""
    if len(failed) > 1:
        why += f"; also {', '.join(check['name'] for check in failed[1:])}"
    first = run["verdict"]["first_layer"]
    time, limits, right = run["time"], budgets(run), run["verdict"]["accuracy"]
    compared = [compare(run, "total", "Time", time["total"], time["unit"] or "")] if time["total"] is not None else []
    compared.append(compare(run, "arena", "Arena", run["memory"]["arena_measured"], "B"))
    return RunCard(
        index,
        name,
        board,
        verdict,
        why,
        failed[0]["advice"] if failed else "",
        tuple(compared),
        tuple(chip(run)),
        (first["layer"], first["name"]) if first else None,
        _milliseconds(run),
        (f"{right['board']:.2%}", _others(run)) if right else None,
        limits[0] if limits else None,
        (run["baseline_note"],) if run["baseline_note"] else (),
    )


def _others(run: Document) -> str:
    """Accuracy of what the board is compared with."""
    text = f"reference {run['verdict']['accuracy']['reference']:.2%}"
    model = run.get("float_model") or {}
    return f"{text}, float model {model['accuracy']:.2%}" if model.get("accuracy") is not None else text


def _milliseconds(run: Document) -> str:
    time, clock = run["time"], run["board"]["clock_hz"]
    if time["unit"] == Unit.CYCLES.value and time["total"] is not None:
        return f"{time['total'] / clock * 1e3:.3g} ms at {clock / 1e6:g} MHz"
    modelled = run.get("modelled") or {}
    if modelled.get("milliseconds"):
        taken = modelled["milliseconds"]
        return f"{taken['estimate']:.3g} ms ({taken['low']:.3g} to {taken['high']:.3g}) {modelled['label']}"
    return ""
