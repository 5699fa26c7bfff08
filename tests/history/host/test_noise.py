"""Noise of measured figures is no change, and a change beyond the noise is one."""

from __future__ import annotations

import copy
import random

import numpy as np
import pytest

from harness.history.noise import noise_of, student
from harness.history.policy import NoisePolicy, Policy
from harness.history.selection import compare_named
from harness.history.store import HistoryStore
from harness.history.verdicts import Change
from tests.support.nights import night, slower

ALARMS = 1e-4


@pytest.mark.parametrize(
    ("probability", "freedom", "quantile"),
    [
        (0.975, 1, 12.7062), (0.975, 2, 4.3027), (0.975, 5, 2.5706), (0.975, 30, 2.0423), (0.9995, 3, 12.924),
        (0.9995, 10, 4.5869), (0.9995, 120, 3.3735),
    ],
)  # fmt: skip
def test_quantiles_of_students_distribution(probability, freedom, quantile):
    """Source: the usual tables, such as NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2."""
    assert student(probability, freedom) == pytest.approx(quantile, rel=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_fifty_nights_with_one_percent_of_noise_give_no_alarm(tmp_path, seed):
    with HistoryStore(tmp_path / "h.db") as store:
        for number in range(50):
            document = night(number + 1_000 * seed, boards=["nucleo-h743"], layers=20, unit="cycles", noise=0.01)
            added = store.add(document)
            found = compare_named("last-good", f"bundle:{added.bundle}", store=store)
            assert found.exit_code == 0, f"night {number}"
            assert all(subject.change in (Change.UNCHANGED, Change.NEW) for subject in found.subjects)


def repeated(number: int, repeats: int, noise: float, change=None) -> dict:
    """A night in which every run was made several times."""
    document = night(number, boards=["nucleo-h743"], layers=12, unit="cycles", noise=noise, change=change)
    for repeat in range(1, repeats):
        seed = number + 500 * repeat
        more = night(seed, boards=["nucleo-h743"], layers=12, unit="cycles", noise=noise, change=change)
        document["runs"] += more["runs"]
    return document


def test_three_percent_of_a_layer_are_found_in_noise_of_one_percent_by_repeats(tmp_path):
    with HistoryStore(tmp_path / "h.db") as store:
        for number in range(6):
            store.add(repeated(number, 20, 0.01))
        added = store.add(repeated(6, 20, 0.01, slower(4, 0.03)))
        found = compare_named("last-good", f"bundle:{added.bundle}", store=store)
    for subject in found.subjects:
        assert {(d.layer, d.change) for d in subject.deltas} == {("conv_2d_04", Change.REGRESSED)}
        assert subject.deltas[0].repeats == (20, 20)
    assert found.exit_code == 1


def test_three_percent_of_a_layer_are_found_on_a_quiet_board_without_repeats(tmp_path):
    with HistoryStore(tmp_path / "h.db") as store:
        for number in range(12):
            store.add(night(number, boards=["nucleo-h743"], unit="cycles", noise=0.0005))
        added = store.add(night(12, boards=["nucleo-h743"], unit="cycles", noise=0.0005, change=slower(4, 0.03)))
        found = compare_named("last-good", f"bundle:{added.bundle}", store=store)
    assert {d.layer for s in found.subjects for d in s.deltas if d.change is Change.REGRESSED} >= {"conv_2d_04"}
    assert found.exit_code == 1


def test_a_lasting_change_of_level_is_no_noise(tmp_path):
    with HistoryStore(tmp_path / "h.db") as store:
        for number in range(20):
            change = slower(4, -0.5) if number >= 10 else None
            store.add(night(number, boards=["nucleo-h743"], unit="cycles", noise=0.0005, change=change))
        added = store.add(night(20, boards=["nucleo-h743"], unit="cycles", noise=0.0005, change=slower(4, -0.48)))
        found = compare_named("last-good", f"bundle:{added.bundle}", store=store)
    assert "conv_2d_04" in {d.layer for s in found.subjects for d in s.deltas if d.change is Change.REGRESSED}


def test_a_figure_that_scatters_widely_is_unstable(tmp_path):
    policy = Policy(noise=NoisePolicy(unstable=5))
    with HistoryStore(tmp_path / "h.db") as store:
        for number in range(12):
            store.add(night(number, boards=["nucleo-h743"], unit="cycles", noise=0.2))
        found = compare_named("run:21", "run:23", policy, store)
    assert Change.UNSTABLE in {s.change for s in found.subjects} and not found.fails
    note = next(d.note for s in found.subjects for d in s.deltas if d.change is Change.UNSTABLE)
    assert note.startswith("scatters by ")


def test_repeats_within_a_document_count(tmp_path):
    def several(share: float, seed: int):
        def change(run):
            scatter, total = random.Random(seed), run["time"]["total"]
            run["time"]["repeats"] = [round(total * (1 + share + scatter.gauss(0, 0.01))) for _ in range(15)]

        return change

    with HistoryStore(tmp_path / "h.db") as store:
        for number in range(4):
            store.add(night(number, boards=["nucleo-h743"], unit="cycles", change=several(0, number)))
        added = store.add(night(4, boards=["nucleo-h743"], unit="cycles", change=several(0.04, 4)))
        found = compare_named("last-good", f"bundle:{added.bundle}", store=store)
    (delta,) = found.subjects[0].deltas
    assert delta.layer == "" and delta.change is Change.REGRESSED and delta.repeats == (15, 15)


def test_rate_of_false_alarms_of_noise_alone():
    """Of 40,000 comparisons with an allowed rate of 1 % each, about as many alarms as allowed, or fewer."""
    scatter = np.random.default_rng(7)
    alarms = 0
    for _ in range(200):
        values = 1e5 * (1 + 0.02 * scatter.standard_normal((31, 200)))
        noise = noise_of(values[:30], [], 0.01)
        band = noise.band((1, 1), 0.01, 1) * 1e5
        alarms += int((np.abs(values[30] - values[29]) > band).sum())
    assert 0 < alarms / 40_000 < 0.015


def test_more_comparisons_want_a_larger_difference():
    noise = noise_of(1e5 + np.random.default_rng(1).standard_normal((20, 8)), [], 0.01)
    one, many = (noise.band((1, 1), ALARMS, compared) for compared in (1, 100_000))
    assert (many > one).all()
    assert (noise.band((9, 9), ALARMS, 1) < one).all()


def test_nothing_measured_is_as_assumed():
    noise = noise_of(np.array([[100.0, 200.0, 300.0]]), [], 0.02)
    assert noise.freedom == 0 and noise.spread.tolist() == [0.02] * 3


def test_missing_layers_and_zeros_are_borne():
    series = np.array([[0.0, 5.0, np.nan], [0.0, np.nan, 7.0], [0.0, 5.0, 7.0], [0.0, 5.0, 7.0], [1.0, 6.0, 7.0]])
    noise = noise_of(series, [copy.copy(series)], 0.01)
    assert np.isfinite(noise.spread).all() and (noise.spread >= 0).all()
