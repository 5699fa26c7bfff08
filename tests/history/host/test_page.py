"""The report over time: what changed in words, trends with revisions, and a file of bounded size."""

from __future__ import annotations

import re

import pytest

from harness.history.html.page import MOST_BYTES, history_page, write_page
from harness.history.html.trends import thinned
from harness.history.selection import compare_named
from harness.history.series import read_series
from harness.history.store import HistoryStore
from tests.support.nights import night, one_byte_of_arena, one_wrong_lsb, revision, slower


def nights(path, count: int, bad=None, since: int = 0, **rest) -> HistoryStore:
    """A store of nights, each compared; from night `since` on `bad` is what changed."""
    store = HistoryStore(path / "h.db")
    for number in range(count):
        added = store.add(night(number, change=bad if number >= since else None, **rest), session=f"n{number}")
        compare_named("last-good", f"bundle:{added.bundle}", store=store)
    return store


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (slower(2, 0.03), r"conv_2d_02: time: [\d,]+ instructions -&gt; [\d,]+ instructions \(\+[\d,]+ instr"),
        (one_byte_of_arena, r"arena: [\d,]+ B -&gt; [\d,]+ B \(\+1 B"),
        (one_wrong_lsb, r"conv_2d_02: largest difference from the reference: 0 LSB -&gt; 1 LSB"),
    ],
    ids=["3 % of a layer", "a byte of arena", "a wrong LSB"],
)
def test_what_changed_since_the_last_good_night_in_words(tmp_path, bad, words):
    with nights(tmp_path, 8, bad, since=5) as store:
        page = history_page(store)
    assert "4 regressed" in page and re.search(words, page.replace("<wbr>", ""))
    base = f"run {4 * 4 + 1}, {revision(4)[:8]}, 2026-01-05 03:00"
    assert base in page, "the last good night"
    assert f"first in run {5 * 4 + 1}, {revision(5)[:8]}" in page, "the night it came with"
    assert page.count('class="trend"') >= 4 * 4 and revision(5)[:8] + "</text>" in page, "a trend with the revision"


def test_fifty_nights_alike_say_nothing(tmp_path):
    with nights(tmp_path, 50, models=["kws"]) as store:
        page = history_page(store)
    assert "Nothing: every figure is as it was" in page and "2 unchanged" in page
    assert "regressed<" not in page.split("<form")[0]


def test_sections_have_all_that_is_asked_of_them(tmp_path):
    with nights(tmp_path, 4, slower(1, 0.2), since=3) as store:
        page = history_page(store)
    for text in (
        "What changed since the last good night", "Over time", "Time of layers", "TFLM reference",
        "Flash and RAM of the network", "Watermarks", "RAM of the chip", "budget", "Environment and hashes",
        "model, SHA-256", "image, SHA-256", "compiler", "Versions of tools", "Newest runs", revision(3)[:8],
    ):  # fmt: skip
        assert text in page, text


def test_an_error_and_a_failure_stand_first_and_have_no_trend_of_their_own(tmp_path):
    def lost(run):
        if run["name"] == "vww":
            run |= {"kind": "error", "error": {"stage": "link", "message": "no byte came", "code": "no-bytes"}}

    with nights(tmp_path, 3, lost, since=2) as store:
        page = history_page(store)
    assert "link: no byte came [no-bytes]" in page and 'class="lost"' in page
    assert page.index("vww on") < page.index('data-named="kws')


def test_an_empty_history_is_a_page_too(tmp_path):
    with HistoryStore(tmp_path / "h.db") as store:
        assert "nothing to compare" in history_page(store)


def test_the_file_stays_below_its_size_whatever_the_number_of_runs(tmp_path):
    models = [f"model_{number:03d}" for number in range(60)]
    boards = [f"board-{number}" for number in range(6)]
    with HistoryStore(tmp_path / "h.db") as store:
        for number in range(2):
            change = slower(1, 0.1) if number == 1 else None
            store.add(night(number, models=models, boards=boards, layers=12, change=change))
        write_page(store, tmp_path / "report.html")
    size = (tmp_path / "report.html").stat().st_size
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert 1_000_000 < size < 3_000_000 and size < MOST_BYTES * 1.01
    assert "have no section of their own here" in text and text.count("<tr data-run") == 360


def test_lines_have_few_corners_and_the_same_levels():
    stairs = [(place, place // 1_000) for place in range(10_000)]
    kept = thinned(stairs, 160)
    assert len(kept) == 20 and kept[0] == (0, 0) and kept[-1] == (9_999, 9)
    waves = [(place, (place * 7_919) % 1_000) for place in range(10_000)]
    kept = thinned(waves, 160)
    assert len(kept) <= 162 and kept == sorted(kept)
    assert {0, 999} <= {value for _, value in kept}


def test_series_of_ten_thousand_runs_are_read_in_a_few_questions(tmp_path):
    with nights(tmp_path, 12) as store:
        series = read_series(store)
        assert len(read_series(store, 5)) == 4
    assert [len(one.runs) for one in series] == [12] * 4
    assert all(None not in values for one in series for values in one.values.values())
