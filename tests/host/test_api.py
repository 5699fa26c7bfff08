"""The public Python API."""

from __future__ import annotations

import pytest

import harness
from tests.support.plugin_run import FIXTURES


def test_every_name_can_be_had():
    for name in harness.__all__:
        assert getattr(harness, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = harness.nothing


def test_a_card_is_validated_in_two_lines():
    outcome = harness.Workbench().validate(harness.load_card(FIXTURES / "stream.hil.yaml"), "host")
    assert outcome.passed, outcome.explain()
