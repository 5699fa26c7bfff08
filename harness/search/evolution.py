"""Evolutionary search in a space: the best by a score, of those that keep the limits."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from harness.errors import SearchError
from harness.search.architecture import Architecture
from harness.search.space import SearchSpace

Allowed = Callable[[Architecture], bool]
Score = Callable[[Architecture], float]

_DRAWS = 2_000
"""Most architectures drawn to find a first population."""


def members(space: SearchSpace, allowed: Allowed, count: int, rng: random.Random) -> list[Architecture]:
    """So many different members that are allowed, drawn.

    Raises:
        SearchError: there is none among many.
    """
    found: dict[Architecture, None] = {}
    smallest = space.smallest()
    if allowed(smallest):
        found[smallest] = None
    for _ in range(_DRAWS):
        if len(found) >= count:
            break
        net = space.draw(rng)
        if allowed(net):
            found[net] = None
    if not found:
        raise SearchError(
            f"no network of the space {space.text} keeps the limits", hint="give more arena, flash or cycles"
        )
    return list(found)


def evolved(
    space: SearchSpace,
    allowed: Allowed,
    score: Score,
    *,
    population: int,
    generations: int,
    seed: str,
    parents: Sequence[Architecture] = (),
) -> list[Architecture]:
    """All members that came up, the best first; of equal scores the earlier. It begins with parents and drawn ones."""
    rng = random.Random(seed)
    begun = [*parents, *members(space, allowed, max(population - len(parents), 1), rng)]
    scores = {net: score(net) for net in begun}
    for _ in range(generations):
        best = sorted(scores, key=lambda net: -scores[net])[: max(population // 4, 2)]
        for _ in range(population // 2):
            child = next_child(space, allowed, best, rng)
            if child is not None and child not in scores:
                scores[child] = score(child)
    return sorted(scores, key=lambda net: -scores[net])


def next_child(
    space: SearchSpace, allowed: Allowed, parents: list[Architecture], rng: random.Random, tries: int = 50
) -> Architecture | None:
    """A change of a parent, or of a cross of two, that is allowed and is none of them; None where none was found."""
    for _ in range(tries):
        one = rng.choice(parents)
        mixed = space.crossed(one, rng.choice(parents), rng) if rng.random() < 0.5 else one
        child = space.changed(mixed, rng)
        if child not in parents and allowed(child):
            return child
    return None
