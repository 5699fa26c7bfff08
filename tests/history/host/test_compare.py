"""What got slower, bigger or wrong is told by name; what is the same, or only noise, never is."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from harness.history.policy import Policy, PolicyRule
from harness.history.reading import RunReader
from harness.history.selection import compare_named
from harness.history.store import HistoryStore
from harness.history.verdicts import Change, RunComparison
from tests.support.nights import night, one_byte_of_arena, one_wrong_lsb, slower


@pytest.fixture()
def store(tmp_path: Path):
    with HistoryStore(tmp_path / "h.db") as made:
        yield made


def add(store: HistoryStore, number: int, **rest) -> str:
    return f"bundle:{store.add(night(number, **rest)).bundle}"


def tonight(store: HistoryStore, number: int, policy: Policy | None = None, **rest) -> RunComparison:
    """A night, compared with the last good one."""
    return compare_named("last-good", add(store, number, **rest), policy, store)


def changed(found: RunComparison, model: str = "kws") -> dict[str, tuple[str, object, object]]:
    return {
        f"{delta.layer} {delta.figure.metric}".strip(): (delta.change.value, delta.base, delta.cand)
        for subject in found.subjects
        if subject.subject.model == model and subject.subject.board == "mps2-an386"
        for delta in subject.deltas
    }


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (slower(2, 0.03), {"conv_2d_02 time", "time"}),
        (one_byte_of_arena, {"arena"}),
        (one_wrong_lsb, {"conv_2d_02 layer.max_lsb", "layers.differing", "outputs.differing", "outputs.max_lsb"}),
    ],
    ids=["3 % of a layer", "a byte of arena", "a wrong LSB"],
)
def test_what_got_worse_is_told_by_name(store, change, names):
    def of_kws(run):
        if run["name"] == "kws":
            change(run)

    add(store, 0)
    found = tonight(store, 1, change=of_kws)
    told = changed(found)
    assert set(told) == names and {word for word, _, _ in told.values()} == {"regressed"}
    assert found.fails and found.exit_code == 1
    assert changed(found, "vww") == {} and found.count(Change.UNCHANGED) == 2
    assert tonight(store, 2, change=of_kws).exit_code == 1, "still, the night after: a regressed run is not good"
    assert tonight(store, 3).exit_code == 0, "mended"


@pytest.mark.parametrize("change", [slower(2, -0.03), lambda run: run["memory"].update(flash=17_000)])
def test_what_got_better_is_told_and_does_not_fail(store, change):
    add(store, 0)
    found = tonight(store, 1, change=change)
    assert {word for word, _, _ in changed(found).values()} == {"improved"}
    assert not found.fails and found.exit_code == 0
    assert tonight(store, 2).exit_code == 1, "what was gained is lost again"


def test_fifty_nights_alike_give_no_alarm(store):
    for number in range(50):
        found = tonight(store, number, boards=["mps2-an386"])
        assert found.exit_code == 0 and all(not subject.deltas for subject in found.subjects)


def test_a_figure_is_compared_with_its_own_unit_only(store):
    add(store, 0, unit="instructions")
    found = tonight(store, 1, unit="cycles", change=slower(1, 0.5))
    whole = [delta for subject in found.subjects for delta in subject.deltas if not delta.layer]
    times = {(delta.change, delta.figure.unit) for delta in whole if delta.figure.metric == "time"}
    assert times == {(Change.MISSING, "instructions"), (Change.NEW, "cycles")}
    assert not found.fails, "nothing can be said"
    assert tonight(store, 2, Policy(missing="fail"), unit="instructions").subjects, "and back"


def test_modelled_cycles_stand_beside_instructions_and_are_exact(store):
    def modelled(extra: int):
        def change(run):
            layers = [{"cycles": {"value": 2 * line["value"], "unit": "modelled-cycles"}} for line in run["layers"]]
            layers[3]["cycles"]["value"] += extra
            total = {"value": sum(line["cycles"]["value"] for line in layers), "unit": "modelled-cycles"}
            run["modelled"] = {"cycles": total, "layers": layers}

        return change

    add(store, 0, change=modelled(0))
    found = tonight(store, 1, change=modelled(1))
    assert {(d.layer, d.figure.unit) for d in found.subjects[0].deltas} == {
        ("", "modelled-cycles"), ("conv_2d_03", "modelled-cycles"),
    }  # fmt: skip


def test_nanoseconds_of_the_host_are_shown_and_judged_by_nobody(store):
    add(store, 0, unit="host-ns")
    assert tonight(store, 1, unit="host-ns", change=slower(0, 3.0)).exit_code == 0


def test_an_error_is_no_regression(store):
    def lost(run):
        error = {"code": "no-bytes", "stage": "link", "message": "gone"}
        board, goals = {"asked": run["board"]["asked"]}, {"optimize": "balanced"}
        kept = {"kind": "error", "name": run["name"], "board": board, "goals": goals, "runtime": "tinyhil"}
        if run["name"] == "kws":
            run.clear()
            run.update(kept, error=error)

    add(store, 0)
    found = tonight(store, 1, change=lost)
    assert {s.change for s in found.subjects} == {Change.ERROR, Change.UNCHANGED}
    assert not found.fails and found.exit_code == 4
    assert found.subjects[0].why == "link: gone [no-bytes]"
    assert tonight(store, 2).exit_code == 0, "compared with the night before"


def test_a_failed_check_is_a_regression_of_its_own(store):
    def failing(run):
        run["verdict"]["passed"] = False
        run["verdict"]["checks"][0] |= {"status": "fail", "summary": "too much"}

    add(store, 0)
    found = tonight(store, 1, change=failing)
    assert found.subjects[0].deltas[0].note == "passed before; arena: too much"
    assert found.exit_code == 1


def test_what_only_one_side_has(store):
    add(store, 0, models=["kws", "gone"])
    base = add(store, 1, models=["kws", "gone"])
    found = compare_named(base, add(store, 2, models=["kws", "new"]), store=store)
    assert {s.subject.model: s.change for s in found.subjects} == {
        "kws": Change.UNCHANGED, "gone": Change.MISSING, "new": Change.NEW,
    }  # fmt: skip
    assert not found.fails
    assert compare_named(base, "last", Policy(missing="fail"), store).fails


def test_layers_are_matched_by_what_they_compute_when_the_network_is_compiled_otherwise(store):
    def fused(run):
        run["layers"][1]["operators"] = [1, 2]
        del run["layers"][2]
        for place, layer in enumerate(run["layers"]):
            layer["name"] = f"conv_2d_{place:02d}"
        run["layers"][3]["value"] += 7  # was conv_2d_04

    add(store, 0)
    for subject in tonight(store, 1, change=fused).subjects:
        assert {(delta.layer, delta.change.value) for delta in subject.deltas} == {
            ("conv_2d_03", "regressed"),  # which has the operators of conv_2d_04
            ("conv_2d_01", "new"), ("conv_2d_01", "missing"), ("conv_2d_02", "missing"),
        }  # fmt: skip


def test_repeats_of_an_exact_figure_that_differ_are_unstable(store):
    add(store, 0)
    document = night(1)
    again = copy.deepcopy(document["runs"])
    for run in again:
        run["memory"]["stack_measured"] += 8
    document["runs"] += again
    found = compare_named("last-good", f"bundle:{store.add(document).bundle}", store=store)
    assert {s.change for s in found.subjects} == {Change.UNSTABLE}
    assert "stack" in {d.figure.metric for d in found.subjects[0].deltas} and not found.fails
    assert compare_named("run:1", "last", Policy(unstable="fail"), store).fails


def test_what_else_changed_is_told(store):
    def other(run):
        run["image"]["toolchain"] = "arm-none-eabi-gcc 13.2.1"
        one_byte_of_arena(run)

    add(store, 0)
    assert tonight(store, 1, change=other).subjects[0].causes == (
        "compiler arm-none-eabi-gcc 12.2.1 -> arm-none-eabi-gcc 13.2.1",
    )


def test_an_accepted_run_is_the_new_base(store):
    add(store, 0)
    found = tonight(store, 1, change=slower(1, 0.2))
    assert found.exit_code == 1
    store.judge({run.number: "accepted" for subject in found.subjects for run in subject.cand})
    assert tonight(store, 2, change=slower(1, 0.2)).exit_code == 0


@pytest.mark.parametrize(
    ("rules", "fails"),
    [
        ([], True),
        ([{"metric": "time", "percent": 3.5}], False),
        ([{"metric": "time", "percent": 2.5}], True),
        ([{"metric": "time", "percent": 0, "absolute": 1e9}], False),
        ([{"metric": "time", "model": "vww", "percent": 50}], True),
        ([{"unit": "instructions", "board": "mps2*", "percent": 50}], True),
        ([{"unit": "instructions", "percent": 50}], False),
        ([{"metric": "*", "judge": False}], False),
        ([{"metric": "time", "layer": "conv_2d_02", "percent": 50}], True),
        ([{"metric": "time", "layer": "*", "percent": 50}, {"metric": "time", "percent": 2.9}], True),
    ],
)  # fmt: skip
def test_a_policy_allows_by_metric_unit_model_board_and_layer(store, rules, fails):
    add(store, 0)
    policy = Policy(rules=tuple(PolicyRule(**rule) for rule in rules))
    assert tonight(store, 1, policy, change=slower(2, 0.03)).fails is fails


def test_the_larger_allowance_counts(store):
    add(store, 0)
    arena = PolicyRule(metric="arena", percent=0.0001, absolute=1)
    assert not tonight(store, 1, Policy(rules=(arena,)), change=one_byte_of_arena).fails


def test_all_that_differs_is_kept_the_worst_and_largest_first(store):
    def change(run):
        for place, share in enumerate((0.01, 0.3, 0.02, -0.5, 0.1)):
            slower(place, share)(run)

    add(store, 0, layers=300)
    deltas = tonight(store, 1, layers=300, change=change).subjects[0].deltas
    layers = [delta.layer for delta in deltas if delta.layer]
    assert layers == ["conv_2d_01", "conv_2d_04", "conv_2d_02", "conv_2d_00", "conv_2d_03"]


def test_reading_runs_of_many_bundles_asks_the_store_a_few_times(store, monkeypatch):
    for number in range(20):
        add(store, number)
    asked = []
    query = store.query
    monkeypatch.setattr(store, "query", lambda *rest: (asked.append(rest), query(*rest))[1])
    assert len(RunReader(store).newest(80)) == 80
    assert len(asked) < 8
