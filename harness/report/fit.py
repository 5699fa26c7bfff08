"""Where a model fits, as a JSON-ready document and as tables; docs/fit.md describes the fields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from harness.fit.advice import advice, peak_of
from harness.fit.fitting import CODE_ERROR, CODE_LEAST, Fit, ModeFit, Room
from harness.fit.prices import Prices
from harness.fit.ranking import cheapest, ranked
from harness.fit.timing import ExpectedTime
from harness.fit.wishes import Wishes
from harness.ir.graph import Graph
from harness.report.document import SCHEMA_VERSION, Document, finite, model_document
from harness.report.table import ReportTable
from harness.units import Unit

_MOST_ADVISED = 3


def fit_document(
    graph: Graph, path: str, fits: Sequence[Fit], wishes: Wishes, prices: Prices | None, named: Sequence[str] = ()
) -> Document:
    """The document of a model on some microcontrollers, the cheapest that fits first.

    Args:
        graph, path: the model and its file.
        fits: the microcontrollers that were looked at.
        wishes: what they were asked for.
        prices: of parts; None without.
        named: the parts that were named; none for all.
    """
    order = ranked(fits, prices)
    best = cheapest(fits, prices)
    return finite(
        {
            "kind": "fit",
            "schema": SCHEMA_VERSION,
            "model": model_document(graph, path),
            "name": graph.name,
            "wishes": {
                "latency_s": wishes.latency_s,
                "max_flash": wishes.max_flash,
                "max_ram": wishes.max_ram,
                "cycles": wishes.cycles,
                "energy": wishes.energy,
                "modes": list(wishes.modes),
            },
            "code_error": CODE_ERROR,
            "named": list(named),
            "cheapest": None if best is None else best.part.name,
            "currency": None if prices is None else prices.currency,
            "without_part": [] if prices is None else _unused(prices, fits),
            "compilations": _compilations(fits),
            "parts": [_part(found, prices, advised=bool(named) or _advised(number, found, best)) for number, found in
                      enumerate(order)],
        }
    )  # fmt: skip


def _advised(number: int, found: Fit, best: Fit | None) -> bool:
    """Whether to advise on a part that was not named: on the closest ones, where none fits."""
    return best is None and number < _MOST_ADVISED


def _unused(prices: Prices, fits: Sequence[Fit]) -> list[str]:
    known = {found.part.name for found in fits}
    return sorted(name for name in prices.by_part if name not in known)


def _compilations(fits: Sequence[Fit]) -> list[Document]:
    """Each compilation once: by core and mode, and by board where the board's memory decided."""
    found: dict[int, Document] = {}
    for fit in fits:
        for mode in fit.modes:
            compiled = mode.compiled
            if id(compiled) in found:
                continue
            own = compiled.target.weights is not None or compiled.target.code is not None
            peak = peak_of(compiled.plan)
            found[id(compiled)] = {
                "core": compiled.target.core,
                "board": fit.part.memory_like if own else None,
                "mode": mode.mode,
                "arena": mode.arena,
                "constants": mode.constants,
                "code": mode.code,
                "cycles": _cycles(compiled.cycles_on(compiled.target).cycles),
                "peak_layer": None if peak is None else {"index": peak.layer, "name": peak.name},
            }
    return list(found.values())


def _part(found: Fit, prices: Prices | None, *, advised: bool) -> Document:
    part, best = found.part, found.best
    return {
        "name": part.name,
        "vendor": part.vendor,
        "core": part.core,
        "fpu": part.fpu,
        "clock_hz": part.clock_hz,
        "flash": part.bytes_of("flash"),
        "external_flash": part.external_flash,
        "ram": {region.name: region.size for region in part.memory if region.kind == "ram"},
        "source": part.source,
        "emulated": part.emulated,
        "price": None if prices is None else prices.by_part.get(part.name),
        "verdict": "refused" if found.refused else found.verdict,
        "why_refused": found.refused,
        "why_untimed": found.untimed,
        "best": None if best is None else best.mode,
        "modes": [_mode(mode) for mode in found.modes],
        "advice": list(advice(found)) if advised else [],
    }


def _mode(mode: ModeFit) -> Document:
    return {
        "mode": mode.mode,
        "verdict": mode.verdict,
        "on_time": mode.on_time,
        "arena": mode.arena,
        "constants": mode.constants,
        "code": mode.code,
        "rooms": [_room(room) for room in mode.rooms],
        "limits": [{**asdict(one), "slack": one.slack, "verdict": one.verdict} for one in mode.spent],
        "time": None if mode.time is None else _time(mode.time),
    }


def _room(room: Room) -> Document:
    return {
        "name": room.name,
        "kind": room.kind,
        "size": room.size,
        "used": room.used,
        "estimated": room.estimated,
        "slack": room.slack,
        "share": room.share,
        "verdict": room.verdict,
    }


def _time(time: ExpectedTime) -> Document:
    return {
        "cycles": _cycles(time.cycles.value),
        "low": _cycles(time.low.value),
        "high": None if time.high is None else _cycles(time.high.value),
        "seconds": time.expected_s,
        "low_s": time.low_s,
        "high_s": time.high_s,
        "error": time.error,
        "memory": time.memory,
    }


def _cycles(value: float) -> Document:
    return {"value": round(value), "unit": Unit.MODELLED_CYCLES.value}


# --- tables ----------------------------------------------------------------------------------------------------------


def compilations(document: Document) -> ReportTable:
    """Arena, flash and modelled cycles of each core, or board with a cycle table, and mode."""
    lines = tuple(
        (
            one["board"] or one["core"],
            one["mode"],
            f"{one['arena']:,}",
            "" if one["peak_layer"] is None else one["peak_layer"]["name"],
            f"{one['constants']:,}",
            f"{one['code']:,}",
            f"{one['constants'] + one['code']:,}",
            f"{one['cycles']['value']:,}",
        )
        for one in document["compilations"]
    )
    columns = ("core or board", "mode", "arena B", "fullest at", "weights B", "code about B", "flash about B")
    notes = (
        "weights: with tables, exact; code: estimated by the mean size of kernels, off by up to "
        f"{document['code_error']:.0%} or {CODE_LEAST:,} B where it was built; modelled cycles: by the kernels' cost "
        "models",
    )
    right = frozenset(columns) - {"core or board", "mode", "fullest at"} | {"modelled cycles"}
    return ReportTable(
        f"{document['name']} by core and mode", (*columns, "modelled cycles"), lines, right, notes,
        drop=("fullest at", "weights B", "code about B"),
    )  # fmt: skip


def parts(document: Document) -> ReportTable:
    """One line per part with its best mode; per mode as well where parts were named."""
    lines = tuple(
        _line(document, part, mode)
        for part in document["parts"]
        for mode in (part["modes"] if document["named"] and part["modes"] else [_best(part)])
    )
    memory = ("arena B", "RAM left B", "%", "flash left B", "% ")
    time = ("ms", "from", "to", "memory waits")
    columns = ("part", "core", "MHz", "fits", "mode", *memory, *time, document["currency"] or "")
    right = frozenset(columns) - {"part", "core", "fits", "mode", "memory waits"}
    title = f"{document['name']} on {len(document['parts'])} boards and parts"
    return ReportTable(
        title, columns, lines, right, tuple(_notes(document)),
        drop=("memory waits", "core", "MHz", "% ", "%", "mode"), attached=frozenset(("from", "to")),
    )  # fmt: skip


def _best(part: Document) -> Document | None:
    return next((mode for mode in part["modes"] if mode["mode"] == part["best"]), None)


def _line(document: Document, part: Document, mode: Document | None) -> tuple[str, ...]:
    price = "" if part["price"] is None else f"{part['price']:.2f}"
    head = (part["name"], part["core"].removeprefix("cortex-"), f"{part['clock_hz'] / 1e6:g}")
    if mode is None:
        return (*head, "refused", *[""] * 10, price)
    ram, flash = (_tightest(mode, kind) for kind in ("ram", "flash"))
    return (*head, mode["verdict"], mode["mode"], f"{mode['arena']:,}", *ram, *flash, *_times(mode["time"]), price)


def _tightest(mode: Document, kind: str) -> tuple[str, str]:
    rooms = [room for room in mode["rooms"] if room["kind"] == kind]
    room = min(rooms, key=lambda room: room["slack"], default=None)
    return ("", "") if room is None else (f"{room['slack']:,}", f"{room['share']:.0%}")


def _times(time: Document | None) -> tuple[str, str, str, str]:
    if time is None:
        return ("", "", "", "")
    low, high = (_milliseconds(time[bound]) for bound in ("low_s", "high_s"))
    return (_milliseconds(time["seconds"]), low, high, time["memory"])


def _milliseconds(seconds: float | None) -> str:
    return "?" if seconds is None else f"{seconds * 1e3:.3g}" if seconds < 1 else f"{seconds * 1e3:,.0f}"


def _notes(document: Document) -> Iterator[str]:
    yield (
        "ms: estimated, modelled cycles at the highest clock; from, to: with the error of cycle tables and cost "
        "models, and of memory waits that no table has; ?: not known"
    )
    yield "left: of the region, or budget, with least left; the firmware around the model is not counted"
    refused = [part for part in document["parts"] if part["why_refused"]]
    for part in refused:
        yield f"{part['name']}: {part['why_refused']}"
    for why in sorted({part["why_untimed"] for part in document["parts"] if part["why_untimed"]}):
        yield f"no time: {why}"
    if document["without_part"]:
        yield f"priced, but no part of the table: {', '.join(document['without_part'])}"


def summary(document: Document) -> Iterator[str]:
    """Lines after the tables: how many fit, the cheapest, and what to change where none does."""
    total = len(document["parts"])
    count = {verdict: sum(part["verdict"] == verdict for part in document["parts"]) for verdict in ("fits", "perhaps")}
    unsure = f", {count['perhaps']} perhaps (within the error of what is estimated)" if count["perhaps"] else ""
    yield f"{wish_text(document)}: {count['fits']} of {total} fit{unsure}"
    found = next((part for part in document["parts"] if part["name"] == document["cheapest"]), None)
    if found is not None:
        yield f"cheapest: {found['name']}, {_worth(document, found)}"
    elif any(part["verdict"] == "fits" for part in document["parts"]):
        yield "cheapest: none; what fits is emulated only"
    yield from _left(document)
    for part in document["parts"]:
        for line in part["advice"]:
            yield f"{part['name']}: {line}"


def _left(document: Document) -> Iterator[str]:
    """What is left of the wishes of each part that was named, or of the cheapest."""
    units = {"latency": "s", "cycles": "modelled cycles", "energy": "J"}
    for part in document["parts"]:
        mode = _best(part)
        if mode is None or part["name"] not in (*document["named"], document["cheapest"]):
            continue
        for one in mode["limits"]:
            if one["slack"] is not None and one["slack"] >= 0:
                left = f"{one['slack']:,.4g} of {one['limit']:,.4g} {units[one['what']]}"
                yield f"{part['name']}, {mode['mode']}: {one['what']} leaves {left}, {one['slack'] / one['limit']:.0%}"


def wish_text(document: Document) -> str:
    """The wishes in words."""
    wishes = document["wishes"]
    told = [
        *([f"at most {wishes['latency_s'] * 1e3:g} ms"] if wishes["latency_s"] is not None else []),
        *([f"{wishes['max_flash']:,} B of flash"] if wishes["max_flash"] is not None else []),
        *([f"{wishes['max_ram']:,} B of RAM"] if wishes["max_ram"] is not None else []),
        *([f"{wishes['cycles']:,.6g} modelled cycles"] if wishes["cycles"] is not None else []),
        *([f"{wishes['energy'] * 1e3:g} mJ"] if wishes["energy"] is not None else []),
    ]
    return ", ".join(told) or "by memory alone"


def _worth(document: Document, part: Document) -> str:
    ram = sum(part["ram"].values())
    flash = "external flash" if part["external_flash"] else f"flash {part['flash'] >> 10:,} KiB"
    told = f"RAM {ram >> 10:,} KiB, {flash}, {part['clock_hz'] / 1e6:g} MHz ({part['source']})"
    if part["price"] is not None:
        return f"{part['price']:.2f} {document['currency']}: {told}"
    return f"by RAM, flash and clock, not by price: {told}"


def is_met(document: Document) -> bool:
    """Whether every named part fits; without named ones, whether any does that is no emulator."""
    fitting = [part["verdict"] == "fits" for part in document["parts"]]
    return all(fitting) if document["named"] else document["cheapest"] is not None
