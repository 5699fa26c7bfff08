"""Which layer of one compiled network is which of another: equal networks by place, others by what they compute."""

from __future__ import annotations

from dataclasses import dataclass

from harness.history.records import LayerLine, StoredRun


@dataclass(frozen=True)
class LayerPairs:
    """Layers of two networks.

    Attributes:
        names: of the layers that both have, as the candidate calls them.
        base, cand: their places in each network.
        only_base, only_cand: (place, name) of the others.
    """

    names: tuple[str, ...]
    base: tuple[int, ...]
    cand: tuple[int, ...]
    only_base: tuple[tuple[int, str], ...] = ()
    only_cand: tuple[tuple[int, str], ...] = ()


def pair_layers(base: StoredRun, cand: StoredRun) -> LayerPairs:
    """The pairs of two runs of one subject.

    Layers of one model file belong together when they compute the same of its operators; of two files, or where a layer
    computes none alone, when they have the same name.
    """
    if base.layout == cand.layout:
        places = tuple(range(len(cand.layout.lines)))
        return LayerPairs(cand.layout.names, places, places)
    same_file = base.facts.get("model_sha256") == cand.facts.get("model_sha256")
    olds, news = base.layout.lines, cand.layout.lines
    old_names, new_names = base.layout.names, cand.layout.names
    known = {_key(line, name, same_file): place for place, (line, name) in enumerate(zip(olds, old_names, strict=True))}
    found: list[tuple[str, int, int]] = []
    for place, (line, name) in enumerate(zip(news, new_names, strict=True)):
        at = known.pop(_key(line, name, same_file), None)
        if at is not None:
            found.append((name, at, place))
    paired = {place for _, _, place in found}
    return LayerPairs(
        tuple(name for name, _, _ in found),
        tuple(at for _, at, _ in found),
        tuple(place for _, _, place in found),
        tuple((place, old_names[place]) for place in sorted(known.values())),
        tuple((place, name) for place, name in enumerate(new_names) if place not in paired),
    )


def _key(line: LayerLine, name: str, same_file: bool) -> object:
    return (line.operators, line.op) if same_file and line.operators else name
