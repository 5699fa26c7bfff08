"""A whole search on small data: resumed after a kill, exported, its figures those of the compiler."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import emit
from harness.fit import NetworkLimits
from harness.frontends import load
from harness.search.settings import SearchSettings
from harness.training.data import TrainingData, digits
from harness.validate.card import load_card
from tests.support.scale import scaled

SETTINGS = SearchSettings(
    "nucleo-l4r5", NetworkLimits(arena=3_000, flash=32_000, cycles=250_000), samples=4, widths=(0.25,), train=300,
    supernet_epochs=1, short_epochs=1, calibrated=2, rounds=1, children=1, population=3, generations=1, epochs=1,
    front=(1.0,), trials=2,
)  # fmt: skip


class KilledError(Exception):
    pass


@pytest.fixture(scope="module")
def data() -> TrainingData:
    return digits().few(600, 200, 100)


@pytest.fixture(scope="module")
def made(data, tmp_path_factory):
    """A search that is killed three times, in a ranking, in a round and in the tuning, and goes on each time."""
    from harness.search.run import search

    folder = tmp_path_factory.mktemp("search")
    for when in ("training", "round 0 at 1: short trainings", "tuning"):

        def tell(what: str, done: int, total: int, when: str = when) -> None:
            if what == when:
                raise KilledError

        with pytest.raises(KilledError):
            search(SETTINGS, data, folder, progress=tell)
    return search(SETTINGS, data, folder), folder


def results(run) -> list[object]:
    return [
        run.space,
        [(one.name, one.tau) for one in run.rankings],
        [(one.net, one.why, one.accuracy) for one in run.tried],
        [(one.net, one.why, one.accuracy) for one in run.finals],
    ]


def test_a_search_that_was_killed_ends_with_the_same_result(made, data, tmp_path) -> None:
    from harness.search.run import search
    from harness.training.loop import stored

    run, _ = made
    whole = search(SETTINGS, data, tmp_path)
    assert results(whole) == results(run)
    for one, other in zip(whole.finals, run.finals, strict=True):
        mine, theirs = (stored(final.checkpoint)["module"] for final in (one, other))
        assert all(np.array_equal(mine[name], theirs[name]) for name in mine)
    assert {one.name for one in run.rankings} == {"MACs", "cycles", "weights", "supernet", "regression"}
    assert all(one.answer.fits for one in run.finals)


def test_what_is_written_takes_what_shapes_said(made, tmp_path) -> None:
    from harness.search.distribution import costs_for
    from harness.search.output import write_network

    run, _ = made
    target = costs_for(run.settings).oracle.target
    for final in run.finals:
        written = write_network(run, final, tmp_path, final.name)
        plan = compile_graph(load(written.model), core=target)
        assert plan.arena_size == final.answer.needs.arena
        assert emit(plan).constant_bytes == final.answer.needs.constants
        card = load_card(written.card)
        assert card.budgets["default"].arena == final.answer.needs.arena
        assert np.load(tmp_path / f"{final.name}_vectors.npz")["labels"].shape == (100,)
        assert abs(written.int8_accuracy - written.float_accuracy) <= 0.05


def test_the_report_has_tables_and_pictures(made) -> None:
    from harness.report import search as report
    from harness.report.html.search import front, render

    run, _ = made
    document = json.loads(json.dumps(report.search_document(run)))
    assert [one.title for one in report.tables(document)] == ["Spaces: width multiplier, resolution", "Rankings",
                                                              "Short trainings", "Networks"]  # fmt: skip
    page = render(document)
    assert page.count('class="plot"') == 5
    assert run.finals[0].net.text in " ".join(report.summary(document))
    assert front([(3, 0.5), (1, 0.2), (2, 0.6), (4, 0.6)]) == [(1, 0.2), (2, 0.6)]


def test_members_of_a_supernet_are_the_networks_of_their_weights() -> None:
    """With the shared weights copied into a network of its own, its outputs are the member's."""
    import torch

    from harness.search.modules import Alone, Supernet
    from harness.search.space import spaces_for

    space = spaces_for((16, 16, 1), 5, (0.5,))[0]
    torch.manual_seed(0)
    shared = Supernet(space)
    x = torch.randn(6, 1, 16, 16)
    for seed in range(4):
        net = space.draw(random.Random(seed))
        alone = Alone(net).train()
        _copied(shared, alone)
        with torch.no_grad():
            assert torch.allclose(shared(x, net), alone(x), atol=1e-4)


def _copied(shared, alone) -> None:
    """Copies the first channels, the middle of kernels, and the first blocks."""
    from torch import nn

    def copy(source, to) -> None:
        cut = tuple(slice(0, count) for count in to.shape)
        if to.ndim == 4 and source.shape[2] > to.shape[2] > 1:
            first = (source.shape[2] - to.shape[2]) // 2
            cut = (*cut[:2], *[slice(first, first + to.shape[2])] * 2)
        to.data.copy_(source.data[cut])

    layers = list(alone.features)
    copy(shared.stem.weight, layers[0].weight)
    blocks = iter([layer for layer in layers if hasattr(layer, "body")])
    flat = [block for stage, kept in zip(shared.blocks, _depths(alone), strict=True) for block in list(stage)[:kept]]
    for source, block in zip(flat, blocks, strict=True):
        convs = [layer for layer in block.body if isinstance(layer, nn.Conv2d)]
        names = ("expand", "depthwise", "project")[3 - len(convs) :]
        for name, conv in zip(names, convs, strict=True):
            copy(getattr(source, name).weight, conv.weight)
    copy(shared.head.weight, alone.head.weight)
    copy(shared.head.bias, alone.head.bias)


def _depths(alone) -> list[int]:
    return [len(stage.blocks) for stage in alone.net.stages]


@pytest.mark.skipif(scaled(True, False), reason="a part of the long suite: TINYHIL_LONG=1")
def test_two_processes_give_what_one_gives(made, data, tmp_path: Path) -> None:
    from harness.search.trainings import Task, accuracies
    from harness.training.plan import TrainingPlan

    run, _ = made
    nets = [one.net for one in run.tried[:2]]

    def tasks(name: str) -> list[Task]:
        return [Task(net, TrainingPlan(epochs=1), 200, tmp_path / f"{name}-{i}.pt") for i, net in enumerate(nets)]

    assert list(accuracies(tasks("one"), data, 1)) == list(accuracies(tasks("two"), data, 2))


def test_a_folder_of_another_search_is_refused(made, data) -> None:
    from harness.errors import ResultsError
    from harness.search.run import search

    _, folder = made
    with pytest.raises(ResultsError, match="other settings"):
        search(replace(SETTINGS, seed=5), data, folder)
