"""The table of tests of which a share runs by default names tests that there are."""

import re

import pytest

from tests.support.paths import REPOSITORY
from tests.support.sampled import SHARES, runs


@pytest.mark.parametrize("start", SHARES)
def test_there_is_such_a_test(start):
    file, _, rest = start.partition("::")
    text = (REPOSITORY / "tests" / file).read_text(encoding="utf-8")
    name, bracket, value = re.fullmatch(r"(\w*)(\[?)(.*?)\]?", rest).groups()
    assert not name or f"def {name}(" in text
    assert not bracket or value.rstrip("0123456789") in text, "a value of its parameters"


def test_others_all_run():
    assert runs("house/host/test_sampled.py::test_others_all_run")
