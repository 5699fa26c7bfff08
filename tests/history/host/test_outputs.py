"""Markdown, JUnit, GitHub's annotations, GitLab's reports: what regressed stands in each by name; no text is obeyed."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree

import pytest

from harness.history.ci import MOST_ANNOTATIONS, code_quality, github_annotations, junit, openmetrics
from harness.history.html.page import comparison_page
from harness.history.markdown import LIMIT, MARK, markdown
from harness.history.selection import compare_named
from harness.history.store import HistoryStore
from harness.history.tables import comparison_document, deltas_table, subjects_table
from harness.history.verdicts import RunComparison
from tests.support.nights import night, one_byte_of_arena, one_wrong_lsb, slower

EVIL = "evil|`<b>&\"'\\%::\n\x1b[31m\u202e,*_[x](y)~#@all\ufffe"


def compared(tmp_path, change=None, **rest) -> RunComparison:
    with HistoryStore(tmp_path / "h.db") as store:
        store.add(night(0, **rest))
        added = store.add(night(1, change=change, **rest))
        return compare_named("last-good", f"bundle:{added.bundle}", store=store)


def texts(found: RunComparison) -> dict[str, str]:
    table = "\n".join(subjects_table(found).plain())
    return {
        "table": "\n".join([table, *(line for s in found.subjects for line in deltas_table(s).plain())]),
        "json": json.dumps(comparison_document(found)),
        "markdown": markdown(found).replace("\\_", "_"),
        "junit": junit(found),
        "github": "\n".join(github_annotations(found)),
        "gitlab": code_quality(found),
        "html": comparison_page(found),
    }


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (slower(2, 0.03), ["conv_2d_02", "time", "regressed"]),
        (one_byte_of_arena, ["arena"]),
        (one_wrong_lsb, ["conv_2d_02", "LSB"]),
    ],
    ids=["3 % of a layer", "a byte of arena", "a wrong LSB"],
)
def test_what_got_worse_stands_in_every_output_by_name(tmp_path, change, names):
    found = compared(tmp_path, lambda run: change(run) if run["name"] == "kws" else None)
    assert found.exit_code == 1
    for form, text in texts(found).items():
        if form == "github":
            names = names[:1] if names[0] == "arena" else []  # only the first figure of a run
        assert all(name in text for name in ["kws", "mps2-an386", *names]), form


def test_nothing_that_is_unchanged_is_shouted(tmp_path):
    found = compared(tmp_path)
    assert list(github_annotations(found)) == [] and json.loads(code_quality(found)) == []
    assert "4 unchanged" in markdown(found) and "kws" not in markdown(found)
    assert ElementTree.fromstring(junit(found)).get("failures") == "0"


def test_junit_counts(tmp_path):
    def mixed(run):
        if run["name"] == "kws":
            one_byte_of_arena(run)
        elif run["board"]["asked"] == "nucleo-h743":
            run |= {"kind": "error", "error": {"stage": "link", "message": "gone", "code": "no-bytes"}}

    suite = ElementTree.fromstring(junit(compared(tmp_path, mixed)))
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4", "failures": "2", "errors": "1", "skipped": "0",
    }  # fmt: skip
    failure = suite.find(".//failure")
    assert failure is not None and "arena" in (failure.text or "") and "+1 B" in failure.get("message", "")


def test_metrics_keep_openmetrics(tmp_path):
    lines = openmetrics(compared(tmp_path)).splitlines()
    assert lines[-1] == "# EOF"
    families = []
    for line in lines[:-1]:
        if line.startswith("# TYPE "):
            families.append(line.split()[2])
        elif not line.startswith("#"):
            matched = re.fullmatch(r'(tinyhil_[a-z_]+)\{((?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)+)\} (-?[\d.e+]+)', line)
            assert matched and matched[1] == families[-1], line
    assert len(families) == len(set(families)) and "tinyhil_arena" in families


def test_a_fingerprint_is_the_same_in_every_pipeline(tmp_path):
    def prints(folder, share):
        return {e["fingerprint"] for e in json.loads(code_quality(compared(tmp_path / folder, slower(1, share))))}

    first, second = prints("a", 0.03), prints("b", 0.04)
    assert first == second and len(first) == 2 * 4
    entry = json.loads(code_quality(compared(tmp_path / "c", slower(1, 0.03))))[0]
    assert entry["location"] == {"path": "cards/kws.tflite", "lines": {"begin": 1}} and entry["severity"] == "major"


def test_text_of_files_is_obeyed_nowhere(tmp_path):
    def evil(run):
        one_byte_of_arena(run)
        run["image"]["toolchain"] = run["model"]["file"] = EVIL
        run["layers"][0] |= {"name": EVIL, "value": 1 << 40}

    found = compared(tmp_path, evil, models=[EVIL], boards=[EVIL])
    made = texts(found)
    for form, text in made.items():
        assert "\x1b" not in text and "\u202e" not in text, form
    table = [line for line in made["markdown"].splitlines() if line.startswith("| evil")]
    assert table and all(len(re.findall(r"(?<!\\)\|", line)) == 6 for line in table)
    assert "<b>" not in made["markdown"] and "<b>" not in made["html"]
    ElementTree.fromstring(made["junit"])
    assert all(re.match(r"::(error|warning) (file=[^,\n]*,)?title=[^:,\n]*::[^\n]*$", line)
               for line in made["github"].splitlines())  # fmt: skip
    assert re.fullmatch(r'(# .*\n|tinyhil_\w+\{.*\} \S+\n)*', openmetrics(found))


def test_comments_and_annotations_stay_within_their_limits(tmp_path):
    models = [f"a_model_with_a_long_name_{number:03d}" for number in range(300)]
    found = compared(tmp_path, slower(1, 0.5), models=models)
    assert len(found.subjects) == 600
    comment = markdown(found, "https://example.com/report.html")
    assert comment.startswith(MARK) and len(comment) < LIMIT
    assert "cut here" in comment or "more models and boards differ" in comment
    lines = list(github_annotations(found))
    assert len(lines) == MOST_ANNOTATIONS and "and 591 more" in lines[-1]
