"""Amounts in text: 50ms, 220mAh, 2uA, 1/s, 2%."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import OptionError
from harness.units import parse_amount, parse_rate, parse_share


@pytest.mark.parametrize(
    ("text", "symbol", "value"),
    [
        ("50ms", "s", 0.05), ("50 ms", "s", 0.05), (" 1s ", "s", 1.0), ("250us", "s", 250e-6), ("250µs", "s", 250e-6),
        ("250μs", "s", 250e-6), ("220mAh", "Ah", 0.22), ("1Ah", "Ah", 1.0), ("2uA", "A", 2e-6), ("0.5nA", "A", 0.5e-9),
        ("3.0V", "V", 3.0), ("1kA", "A", 1e3), ("4MA", "A", 4e6),
    ],
)  # fmt: skip
def test_amounts(text, symbol, value):
    assert parse_amount(text, symbol, "option", "1s") == pytest.approx(value)


@pytest.mark.parametrize(
    "text",
    ["", "50", "ms", "-5ms", "0ms", "0.0s", "5 m s", "5xs", "5msms", "1e3s", "nan s", "inf", "5mAh", "\u0663s", "5Ms s",
     "9" * 16 + "s"],
)  # fmt: skip
def test_what_is_no_time_is_refused_and_the_option_named(text):
    with pytest.raises(OptionError, match="latency") as caught:
        parse_amount(text, "s", "latency", "50ms")
    assert "50ms" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "rate"),
    [("1/s", 1), ("10/min", 1 / 6), ("4/h", 4 / 3600), ("1/d", 1 / 86400), ("0.5Hz", 0.5), ("2 Hz", 2)],
)
def test_rates(text, rate):
    assert parse_rate(text, "rate") == pytest.approx(rate)


@pytest.mark.parametrize("text", ["", "1", "0/s", "1/ms", "-1/s", "1/", "/s", "1 per s", "kHz", "1/year"])
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(OptionError, match="rate"):
        parse_rate(text, "rate")


@pytest.mark.parametrize(
    ("text", "share"), [("0.02", 0.02), ("2%", 0.02), ("0", 0), ("1", 1), ("100%", 1), ("2 %", 0.02)]
)
def test_shares(text, share):
    assert parse_share(text, "share") == pytest.approx(share)


@pytest.mark.parametrize("text", ["", "1.1", "101%", "-1", "x", "2 percent", "%"])
def test_what_is_no_share_is_refused(text):
    with pytest.raises(OptionError, match="share"):
        parse_share(text, "share")


@given(st.text(max_size=20))
def test_any_text_is_an_amount_or_one_error(text):
    for parse in (
        lambda: parse_amount(text, "s", "o", "1s"),
        lambda: parse_rate(text, "o"),
        lambda: parse_share(text, "o"),
    ):
        try:
            assert 0 <= parse() < 1e30
        except OptionError as error:
            assert error.hint


@given(st.decimals(min_value="0.001", max_value="99999", places=3), st.sampled_from(["n", "u", "m", "", "k", "M", "G"]))
def test_an_amount_is_read_as_it_is_written(number, prefix):
    factor = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}[prefix]
    assert parse_amount(f"{number}{prefix}A", "A", "o", "1A") == pytest.approx(float(number) * factor)
