"""A search as one HTML file: the spaces' distributions, accuracy against time, arena and flash, and the networks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from harness.report import search
from harness.report.document import Document
from harness.report.html.plot import Point, Series, plot
from harness.report.html.templates import templates

_KINDS = ("ours", "reference", "cmsis", "other")
_AXES = (("cycles", "modelled cycles"), ("arena", "bytes of arena"), ("flash", "bytes of flash, about"))


def render(document: Document) -> str:
    """The page of a search."""
    made = {
        "title": f"{document['data']}: search for {document['settings']['board']}",
        "facts": list(search.summary(document)),
        "tables": [search.spaces(document), search.rankings(document), search.finals(document)],
        "tried": search.tried(document),
        "distributions": list(distributions(document)),
        "fronts": list(fronts(document)),
        "keys": keys(document),
    }
    return str(templates().get_template("search.html.j2").render(made)) + "\n"


def distributions(document: Document) -> Iterator[Markup]:
    """Of each space's networks that memory allows: the share with at most so many MACs, and modelled cycles."""
    ordered = sorted(document["spaces"], key=lambda one: -one["worth"])[: len(_KINDS)]
    for place, name in enumerate(("MACs", "modelled cycles")):
        series = [
            Series(one["space"], kind, _shares([row[place] for row in one["in_memory"]]), joined=True)
            for one, kind in zip(ordered, _KINDS, strict=False)
        ]
        yield plot(f"Share of networks by {name}", name, series, share=True)


def keys(document: Document) -> list[tuple[str, str]]:
    """(CSS class, space) of the curves."""
    ordered = sorted(document["spaces"], key=lambda one: -one["worth"])[: len(_KINDS)]
    return [(kind, one["space"]) for one, kind in zip(ordered, _KINDS, strict=False)]


def fronts(document: Document) -> Iterator[Markup]:
    """Accuracy of short trainings against time, arena and flash, with the front of those that none beats in both."""
    found = [one for one in document["tried"] if one["why"] != "hand"]
    by_hand = [one for one in document["tried"] if one["why"] == "hand"]
    for key, name in _AXES:
        best = front([(one[key], one["accuracy"]) for one in document["tried"]])
        series = [Series("front", "ours", tuple(best), joined=True), _dots("searched", "ours", found, key)]
        yield plot(f"Accuracy against {name}", name, [*series, _dots("scaled by hand", "reference", by_hand, key)])


def front(points: Sequence[Point]) -> list[Point]:
    """The points (cost, accuracy) that no other beats in both, by cost."""
    best: list[Point] = []
    for cost, right in sorted(points, key=lambda point: (point[0], -point[1])):
        if not best or right > best[-1][1]:
            best.append((cost, right))
    return best


def _dots(name: str, kind: str, rows: Sequence[Document], key: str) -> Series:
    titles = tuple(f"{one['accuracy']:.2%}, {one[key]:,}: {one['network']}" for one in rows)
    return Series(name, kind, tuple((one[key], one["accuracy"]) for one in rows), titles)


def _shares(values: Sequence[float]) -> tuple[Point, ...]:
    ordered = sorted(values)
    return tuple((value, (number + 1) / len(ordered)) for number, value in enumerate(ordered))
