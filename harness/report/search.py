"""A search for a network as a JSON-ready document, and as tables; docs/search.md describes the fields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from harness.report.document import SCHEMA_VERSION, Document, finite
from harness.report.table import ReportTable
from harness.units import Unit

if TYPE_CHECKING:
    from harness.fit.limits import LimitAnswer
    from harness.search.distribution import SpaceSample
    from harness.search.output import Confirmed, WrittenNetwork
    from harness.search.run import SearchRun
    from harness.search.settings import SearchSettings


def search_document(
    run: SearchRun, written: Sequence[WrittenNetwork] = (), confirmed: Sequence[Confirmed] = ()
) -> Document:
    """The document of a search; `written` and `confirmed` are of its final networks, in order."""
    finals = []
    for number, final in enumerate(run.finals):
        made = written[number] if number < len(written) else None
        seen = confirmed[number] if number < len(confirmed) else None
        finals.append(
            {
                "why": final.why,
                "network": final.net.text,
                "accuracy": final.accuracy,
                **_needs(final.answer),
                "card": None if made is None else made.card.name,
                "float_accuracy": None if made is None else made.float_accuracy,
                "int8_accuracy": None if made is None else made.int8_accuracy,
                "board": None if seen is None else _seen(seen),
            }
        )
    return finite(
        {
            "kind": "search",
            "schema": SCHEMA_VERSION,
            "data": run.data.name,
            "settings": run.settings.document(),
            "spaces": [sample.document() for sample in run.samples],
            "space": run.space.text,
            "rankings": [{"by": one.name, "tau": one.tau, "seconds": one.seconds} for one in run.rankings],
            "tried": [
                {"why": one.why, "network": one.net.text, "accuracy": one.accuracy, **_needs(one.answer)}
                for one in run.tried
            ],
            "finals": finals,
            "seconds": run.seconds,
            "costed": run.asked,
        }
    )


def _needs(answer: LimitAnswer) -> Document:
    needs = answer.needs
    return {
        "arena": needs.arena,
        "constants": needs.constants,
        "flash": needs.flash,
        "cycles": round(needs.cycles),
        "macs": needs.macs,
    }


def _seen(seen: Confirmed) -> Document:
    return {
        "passed": seen.outcome.verdict.passed,
        "ran_on": seen.outcome.resolved.runs_on.name,
        "arena": seen.arena,
        "constants": seen.constants,
        "flash": seen.flash,
        "cycles": round(seen.cycles),
    }


def spaces_document(settings: SearchSettings, data: str, samples: Sequence[SpaceSample]) -> Document:
    """The document of a look at the spaces alone."""
    from harness.search.distribution import best_space

    best = best_space(samples)
    return finite(
        {
            "kind": "search-spaces",
            "schema": SCHEMA_VERSION,
            "data": data,
            "settings": settings.document(),
            "spaces": [sample.document() for sample in samples],
            "space": None if best is None else best.space.text,
        }
    )


# --- tables ----------------------------------------------------------------------------------------------------------


def tables(document: Document) -> tuple[ReportTable, ...]:
    """All tables of a document."""
    if document["kind"] == "search-spaces":
        return (spaces(document),)
    return (spaces(document), rankings(document), tried(document), finals(document))


def spaces(document: Document) -> ReportTable:
    """What was drawn of each space."""
    rows = tuple(
        (
            one["space"],
            f"{len(one['in_memory']) / one['drawn']:.0%}",
            f"{one['share']:.0%}",
            f"{one['worth']:,.0f}" if one["worth"] else "",
            "searched" if one["space"] == document["space"] else "",
        )
        for one in document["spaces"]
    )
    return ReportTable(
        "Spaces: width multiplier, resolution",
        ("space", "in memory", "in all limits", "MACs at 80 %", ""),
        rows,
        frozenset(("in memory", "in all limits", "MACs at 80 %")),
        ("the space whose networks within the limits have more MACs is searched (Lin et al. 2020)",),
    )


def rankings(document: Document) -> ReportTable:
    """How well each figure ranks networks before they are trained."""
    rows = tuple((one["by"], f"{one['tau']:.2f}", f"{one['seconds']:,.0f}") for one in document["rankings"])
    return ReportTable(
        "Rankings",
        ("by", "Kendall's tau", "s"),
        rows,
        frozenset(("Kendall's tau", "s")),
        (f"against {document['settings']['calibrated']} short trainings; the first is used",),
    )


def tried(document: Document) -> ReportTable:
    """Short trainings, in order."""
    rows = tuple((one["why"], f"{one['accuracy']:.2%}", *_figures(one), one["network"]) for one in document["tried"])
    columns = ("", "held", "arena B", "flash about B", Unit.MODELLED_CYCLES.value, "MACs", "network")
    return ReportTable("Short trainings", columns, rows, frozenset(columns[1:6]), drop=("MACs", "network"))


def finals(document: Document) -> ReportTable:
    """The networks that were trained to the end: accuracy float and int8 over the test part."""
    rows = tuple(
        (
            one["why"],
            *("" if one[key] is None else f"{one[key]:.2%}" for key in ("float_accuracy", "int8_accuracy")),
            *_figures(one),
            *_board(one["board"]),
        )
        for one in document["finals"]
    )
    columns = ("", "float", "int8", "arena B", "flash about B", Unit.MODELLED_CYCLES.value, "MACs")
    board = ("board", "its arena B", "its flash B", "its cycles")
    right = frozenset((*columns[1:], *board[1:]))
    return ReportTable("Networks", (*columns, *board), rows, right, drop=("MACs", "its flash B", "its arena B"))


def _figures(one: Document) -> tuple[str, ...]:
    return tuple(f"{one[key]:,}" for key in ("arena", "flash", "cycles", "macs"))


def _board(seen: Document | None) -> tuple[str, ...]:
    if seen is None:
        return ("", "", "", "")
    figures = (f"{seen[key]:,}" for key in ("arena", "flash", "cycles"))
    return ("pass" if seen["passed"] else "fail", *figures)


def summary(document: Document) -> Iterator[str]:
    """Lines: what was searched, how long it took, and what was found."""
    limits = document["settings"]["limits"]
    finals = document.get("finals", ())
    told = [f"{limits[key]:,.0f} {unit}" for key, unit in _UNITS if limits[key] is not None]
    yield f"{document['data']} on {document['settings']['board']} within {', '.join(told) or 'no limit'}"
    if not finals:
        yield "most MACs: " + (document["space"] or "none; in no space do enough networks keep the limits")
        return
    total = sum(document["seconds"].values())
    yield (
        f"{document['costed']:,} networks costed, {len(document['tried'])} trained shortly, "
        f"{len(finals)} to the end, in {total:,.0f} s of training"
    )
    first = finals[0]
    yield f"found: {first['network']}, {first['accuracy']:.2%} of what is held back"


_UNITS = (("arena", "B of arena"), ("flash", "B of flash"), ("cycles", "modelled cycles"), ("energy", "J"))
