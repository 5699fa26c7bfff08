"""What a search trains next: the best of an evolution by a score, and changes of what trained best."""

from __future__ import annotations

import random
from collections.abc import Sequence

from harness.search.architecture import Architecture
from harness.search.evolution import Allowed, Score, evolved, next_child
from harness.search.settings import SearchSettings
from harness.search.space import SearchSpace

_PARENTS = 4
"""Of what trained best, those that are changed."""

_DRAWN = 6
"""Changes that are drawn for each that is trained."""


def first(
    space: SearchSpace, allowed: Allowed, score: Score, settings: SearchSettings, seed: str
) -> list[Architecture]:
    """So many as a round trains, apart from each other, before any was trained."""
    ranked = evolved(
        space, allowed, score, population=settings.population, generations=settings.generations, seed=seed
    )  # fmt: skip
    return apart(ranked, settings.children)


def further(
    space: SearchSpace,
    allowed: Allowed,
    score: Score,
    known: Sequence[Architecture],
    settings: SearchSettings,
    seed: str,
) -> list[Architecture]:
    """Half of them the best of an evolution that begins with what trained best, the others near changes of that.

    Args:
        space: of the members.
        allowed: which keep the limits.
        score: that is expected of a member.
        known: what was trained and is allowed, the best first.
        settings: children of a round, population and generations.
        seed: of what is drawn.
    """
    ranked = evolved(
        space, allowed, score, population=settings.population, generations=settings.generations, seed=seed,
        parents=known[: settings.population // 2],
    )  # fmt: skip
    evolution = apart([net for net in ranked if net not in known], (settings.children + 1) // 2)
    rng = random.Random(f"{seed} changes")
    best = list(known[:_PARENTS])
    changed = [next_child(space, allowed, best, rng) for _ in range(_DRAWN * settings.children)]
    new = {net for net in changed if net is not None and net not in known and net not in evolution}
    return evolution + sorted(new, key=lambda net: (-score(net), net.text))[: settings.children - len(evolution)]


def apart(ranked: Sequence[Architecture], count: int) -> list[Architecture]:
    """The first ones that differ from each other in more than one stage, so many; filled up with the first others."""
    found: list[Architecture] = []
    for net in ranked:
        if len(found) < count and all(_differ(net, other) > 1 for other in found):
            found.append(net)
    return found + [net for net in ranked if net not in found][: count - len(found)]


def _differ(one: Architecture, other: Architecture) -> int:
    return (one.stem != other.stem) + sum(a != b for a, b in zip(one.stages, other.stages, strict=True))
