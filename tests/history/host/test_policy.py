"""Policies are read from YAML; what is wrong in one is told with its place."""

from __future__ import annotations

import pytest

from harness.errors import PolicyError
from harness.history.metrics import METRICS, Better
from harness.history.policy import Policy, load_policy
from harness.history.records import FigureKey, RunSubject

SUBJECT = RunSubject("kws", "nucleo-h743", "balanced", "tinyhil")
TIME = FigureKey("time", "cycles")


def test_the_defaults():
    policy = Policy()
    assert policy.allowances(SUBJECT, TIME).of(None).of(1_000) == 10, "1 % of what is measured"
    assert policy.allowances(SUBJECT, FigureKey("time", "instructions")).of("conv").of(1_000) == 0
    assert policy.allowances(SUBJECT, FigureKey("arena", "bytes")).of(None).judged
    assert not policy.allowances(SUBJECT, FigureKey("time", "host-ns")).of(None).judged
    assert not policy.allowances(SUBJECT, FigureKey("made up", "bytes")).of(None).judged
    assert {metric.name for metric in METRICS if metric.better is Better.HIGHER} == {"accuracy"}


def test_a_file(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text(
        """
rules:
  - {metric: time, percent: 2}
  - {metric: time, unit: cycles, board: "nucleo-*", absolute: 500}
  - {metric: time, layer: "soft*", judge: false}
noise: {assumed: 0.5, window: 20}
missing: fail
"""
    )
    policy = load_policy(path)
    allowed = policy.allowances(SUBJECT, TIME)
    assert allowed.of(None).of(1_000) == 500 and allowed.of("conv").of(100_000) == 2_000, "the larger of both"
    assert not allowed.of("softmax").judged and allowed.of("conv").judged
    assert (policy.noise.assumed, policy.noise.window, policy.missing, policy.unstable) == (0.5, 20, "fail", "report")
    path.write_text("")
    assert load_policy(path) == Policy()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rules: [{metric: tme, percent: 1}]", "rules.1: no metric is named 'tme'; did you mean 'time'"),
        ("rules: [{metric: time}]", "rules.1: a rule sets percent, absolute or judge"),
        ("rules: [{metric: time, percent: 1}, {percent: -1}]", "rules.2.percent"),
        ("rules: [{percent: .nan}]", "rules.1.percent"),
        ("rules: [{percent: 1, colour: red}]", "rules.1.colour: unknown key"),
        ("rule: []", "rule: unknown key"),
        ("missing: never", "missing"),
        ("noise: {window: 0}", "noise.window"),
        ("- a", "not a mapping of rules"),
        ("missing: fail\nrules: [", "policy.yaml:3:"),
        ("missing: fail\nmissing: report", "policy.yaml:2:1: 'missing' is given twice"),
        ("a: &a [1]\nrules: *b", "policy.yaml"),
        ("\x00", "policy.yaml"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path, text, told):
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    with pytest.raises(PolicyError) as caught:
        load_policy(path)
    assert told in caught.value.message and str(path) in caught.value.message and caught.value.hint


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "latin.yaml").write_bytes(b"missing: f\xe4il")
    for path in (tmp_path / "none.yaml", tmp_path, tmp_path / "latin.yaml"):
        with pytest.raises(PolicyError, match=str(path)):
            load_policy(path)
