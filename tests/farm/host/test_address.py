"""What --farm names."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import FarmFileError
from harness.farm.address import parse_farm


def test_a_coordinator_with_tags_priority_and_wait() -> None:
    farm = parse_farm("lab.example:20408,kind=real,priority=5,wait=60,rack=a")
    assert (farm.coordinator, farm.bench) == ("lab.example:20408", None)
    assert farm.tags == {"kind": "real", "rack": "a"}
    assert (farm.priority, farm.wait_s) == (5.0, 60.0)


def test_a_file_of_this_host() -> None:
    farm = parse_farm("bench.yaml,rack=a")
    assert farm.bench == Path("bench.yaml").absolute() and farm.coordinator == "" and farm.tags == {"rack": "a"}


@pytest.mark.parametrize(
    "text",
    ["", "host", "host:", ":1", "host:0", "host:65536", "host:99x", "host:1,", "host:1,x", "host:1,=a", "host:1,A=b",
     "host:1,a=b c", "host:1,wait=soon", "host:1,wait=-1", "host:1,priority=nan", "bench.toml", "host:١"],
)  # fmt: skip
def test_what_is_no_farm_is_refused_by_name(text: str) -> None:
    with pytest.raises(FarmFileError, match="--farm"):
        parse_farm(text)


@given(st.text(max_size=60))
def test_any_text_is_a_farm_or_one_error(text: str) -> None:
    try:
        farm = parse_farm(text)
    except FarmFileError:
        return
    assert farm.coordinator or farm.bench
