"""Spaces, evolution, proposals and rankings: without PyTorch."""

from __future__ import annotations

import random
from math import log

import pytest

from harness.cli.commands.search import limits_of, settings_of
from harness.errors import OptionError, ResultsError, SearchError
from harness.fit import NetworkLimits
from harness.search.architecture import Architecture, architecture_from, scaled, shape_of
from harness.search.distribution import ArchitectureCosts, best_space, costs_for, sampled
from harness.search.evolution import evolved, members, next_child
from harness.search.journal import SearchJournal
from harness.search.pictures import shares
from harness.search.predictor import Predictor
from harness.search.proposals import further
from harness.search.ranking import kendall
from harness.search.settings import SearchSettings
from harness.search.space import SearchSpace, hand_made, spaces_for
from harness.search.tuning import deepened
from tests.support.absent import tinyhil_without

LIMITS = NetworkLimits(arena=3_000, flash=24_000, cycles=250_000)


@pytest.fixture(scope="module")
def costs() -> ArchitectureCosts:
    return costs_for(SearchSettings("nucleo-l4r5", LIMITS))


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return spaces_for((8, 8, 1), 10, (0.5,))[0]


def choices(net: Architecture) -> tuple[object, ...]:
    return (net.stem, *net.stages)


def test_members_stay_within_their_space_and_are_read_back(space: SearchSpace) -> None:
    rng = random.Random(0)
    widest, smallest = space.widest(), space.smallest()
    for _ in range(30):
        one, other = space.draw(rng), space.draw(rng)
        for net in (one, space.changed(one, rng), space.crossed(one, other, rng)):
            assert smallest.stem <= net.stem <= widest.stem
            for stage, most in zip(net.stages, widest.stages, strict=True):
                assert stage.channels <= most.channels
                assert stage.blocks or stage.channels == smallest.stages[0].channels
                assert (stage.stride > 1) <= len(stage.blocks) <= len(most.blocks)
                assert {block.kernel for block in stage.blocks} <= set(space.kernels)
            assert architecture_from(net.document()) == net
    assert space.changed(one, rng, rate=0) == one


def test_small_pictures_keep_their_resolution_and_large_ones_are_tried_in_three() -> None:
    assert {one.size for one in spaces_for((8, 8, 1), 10)} == {(8, 8, 1)}
    assert [one.size[0] for one in spaces_for((28, 28, 3), 10, (1.0,))] == [28, 24, 20]
    assert shape_of(hand_made((28, 28, 1), 10)).shape_of(1)[1:3] == (14, 14)


def test_the_space_of_the_most_macs_within_the_limits_is_searched(costs: ArchitectureCosts) -> None:
    spaces = spaces_for((8, 8, 1), 10, (0.25, 0.5, 4.0))
    found = sampled(spaces, costs, 6, seed=0)
    assert found == sampled(spaces, costs, 6, seed=0)
    best = best_space(found)
    assert best is not None
    assert best.worth == max(one.worth for one in found)
    assert found[2].share == 0
    assert all(macs <= other for macs, other in zip(best.fitting, best.fitting[1:], strict=False))


def test_evolution_keeps_the_limits_and_finds_more_than_drawing(space: SearchSpace, costs: ArchitectureCosts) -> None:
    allowed = costs.within(200_000)

    def macs(net: Architecture) -> float:
        return costs.of(net).needs.macs

    drawn = members(space, allowed, 6, random.Random(1))
    found = evolved(space, allowed, macs, population=6, generations=2, seed="1")
    assert found == evolved(space, allowed, macs, population=6, generations=2, seed="1")
    assert all(costs.of(net).fits and costs.of(net).needs.cycles <= 200_000 for net in found)
    assert macs(found[0]) >= max(map(macs, drawn))
    child = next_child(space, allowed, found[:2], random.Random(0))
    assert child is not None
    assert child not in found[:2]


def test_without_a_member_within_the_limits_the_search_says_so(space: SearchSpace) -> None:
    with pytest.raises(SearchError, match="keeps the limits"):
        members(space, lambda net: False, 1, random.Random(0))


def test_kendalls_tau_is_that_of_scipy() -> None:
    from scipy.stats import kendalltau

    rng = random.Random(0)
    for _ in range(20):
        a, b = ([rng.randint(0, 6) for _ in range(9)] for _ in "ab")
        assert kendall(a, b) == pytest.approx(kendalltau(a, b).statistic)
    assert kendall([1, 1], [2, 3]) == 0


def test_the_mean_of_areas_keeps_brightness() -> None:
    made = shares(28, 20)
    assert made.shape == (20, 28)
    assert made.sum(axis=1) == pytest.approx(1)
    assert made.sum(axis=0) == pytest.approx(20 / 28)


def test_a_family_has_the_same_blocks_and_depth_changes_stages() -> None:
    net = hand_made((8, 8, 1), 10)
    half = scaled(net, 0.5)
    assert [stage.blocks for stage in half.stages] == [stage.blocks for stage in net.stages]
    assert half.stages[1].channels == 16
    deeper = deepened(net, (1, 0, -5))
    assert [len(stage.blocks) for stage in deeper.stages] == [2, 2, 1]


def test_a_step_that_is_there_is_not_done_again(tmp_path) -> None:
    journal = SearchJournal(tmp_path, "key")
    assert journal.step("one", lambda: {"value": 3})["value"] == 3
    again = SearchJournal(tmp_path, "key")
    assert again.step("one", lambda: pytest.fail("done again"))["value"] == 3
    with pytest.raises(ResultsError, match="other settings"):
        SearchJournal(tmp_path, "another")
    (tmp_path / "one.json").write_text("{")
    with pytest.raises(ResultsError, match="cannot be read"):
        again.step("one", lambda: {})


def test_jobs_do_not_belong_to_what_a_search_is(tmp_path) -> None:
    one = SearchSettings("nucleo-l4r5")
    assert one.key("d") == SearchSettings("nucleo-l4r5", jobs=2).key("d")
    assert one.key("d") != SearchSettings("nucleo-l4r5", seed=1).key("d") != one.key("e")


def test_spaces_are_shown_without_pytorch_and_a_search_names_the_extra(tmp_path) -> None:
    given = ("search", "digits", "-o", "out", "--effort", "tiny", "-b", "nucleo-l4r5", "--max-arena", "3000")
    found = tinyhil_without(("torch", "optuna"), tmp_path, *given, "--max-cycles", "250000", "--spaces")
    assert found.returncode == 0, found.stderr
    assert "w0.5 r8" in found.stdout
    refused = tinyhil_without(("torch", "optuna"), tmp_path, *given)
    assert refused.returncode == 3
    assert "tinyhil[search]" in refused.stderr


def test_limits_are_the_boards_own_or_those_given() -> None:
    made = limits_of("nucleo-l4r5", "24k", None, None, "10ms", None)
    assert (made.arena, made.cycles) == (24_000, 1_200_000)
    assert made.flash == 2 << 20
    with pytest.raises(OptionError, match="one limit"):
        limits_of("nucleo-l4r5", None, None, 1e6, "10ms", None)
    with pytest.raises(OptionError, match="effort"):
        settings_of("great", "auto")
    with pytest.raises(OptionError, match="ranked"):
        settings_of("quick", "luck")


def test_the_regression_finds_what_accuracy_depends_on(space: SearchSpace) -> None:
    """Of drawn members whose accuracy grows with MACs and with the second stage's blocks, and is noisy."""
    rng = random.Random(5)
    nets = list(dict.fromkeys(space.draw(rng) for _ in range(60)))

    def macs(net: Architecture) -> float:
        return float(shape_of(net).macs)

    def right(net: Architecture) -> float:
        return 0.7 + 0.02 * log(macs(net) / 1e5) + 0.01 * len(net.stages[1].blocks)

    seen = [right(net) + rng.gauss(0, 0.004) for net in nets[:40]]
    made = Predictor(nets[:40], seen, macs)
    left = nets[40:]
    assert kendall([made(net) for net in left], [right(net) for net in left]) > 0.7
    assert kendall([macs(net) for net in left], [right(net) for net in left]) < kendall(
        [made(net) for net in left], [right(net) for net in left]
    )
    again = [Predictor(nets[:i] + nets[i + 1 : 40], seen[:i] + seen[i + 1 :], macs)(nets[i]) for i in range(40)]
    assert kendall(made.left_out, again) > 0.9


def test_further_members_are_new_and_within_the_limits(space: SearchSpace, costs: ArchitectureCosts) -> None:
    settings = SearchSettings("nucleo-l4r5", children=5, population=8, generations=3)
    allowed = costs.within(200_000)
    known = members(space, allowed, 6, random.Random(2))

    def macs(net: Architecture) -> float:
        return costs.of(net).needs.macs

    found = further(space, allowed, macs, known, settings, "1")
    assert found == further(space, allowed, macs, known, settings, "1")
    assert len(set(found)) == 5
    assert all(allowed(net) and net not in known for net in found)
    assert max(map(macs, found)) >= max(map(macs, known))
