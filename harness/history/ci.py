"""A comparison for CI servers: JUnit, annotations of GitHub, code quality and metrics of GitLab."""

from __future__ import annotations

import hashlib
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from typing import Any

from harness.errors import plain
from harness.history.verdicts import Change, Delta, RunComparison, SubjectComparison
from harness.history.words import delta_line, is_bad, subject_line, summary_line, title
from harness.report.plain import one_line

MOST_ANNOTATIONS = 10
"""Annotations of a kind that GitHub shows of one step."""


def junit(found: RunComparison) -> str:
    """JUnit XML: a test case for each model and board; regressions are failures, what was not measured is an error."""
    suite = ElementTree.Element(
        "testsuite",
        name="tinyhil compare",
        tests=str(len(found.subjects)),
        failures=str(sum(_fails(s) for s in found.subjects)),
        errors=str(found.count(Change.ERROR)),
        skipped=str(found.count(Change.NEW) + found.count(Change.MISSING)),
    )
    for s in found.subjects:
        subject = s.subject
        how = ", ".join(part for part in (subject.mode, subject.runtime) if part)
        case = ElementTree.SubElement(
            suite, "testcase", classname=_xml(f"compare.{subject.model}"), name=_xml(f"{subject.board} ({how})")
        )
        text = _xml("\n".join(map(delta_line, s.deltas[:100])))
        message = _xml(one_line(subject_line(s)))
        if _fails(s):
            ElementTree.SubElement(case, "failure", message=message, type=s.change.value).text = text
        elif s.change is Change.ERROR:
            ElementTree.SubElement(case, "error", message=message, type="error").text = _xml(s.why)
        elif s.change in (Change.NEW, Change.MISSING):
            ElementTree.SubElement(case, "skipped", message=message)
        elif s.deltas:
            ElementTree.SubElement(case, "system-out").text = text
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _fails(found: SubjectComparison) -> bool:
    return found.change is Change.REGRESSED


def _xml(text: str) -> str:
    r"""Text without what XML cannot hold: \x01 and U+FFFE stand as their numbers."""
    return plain(text).replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")


def github_annotations(found: RunComparison) -> Iterator[str]:
    """Lines of GitHub's workflow commands, the worst first; what is more than it shows is told in the last one."""
    bad = [s for s in found.subjects if is_bad(s.change)]
    for place, s in enumerate(bad):
        kind = "error" if s.change is Change.REGRESSED else "warning"
        if place == MOST_ANNOTATIONS - 1 and len(bad) > MOST_ANNOTATIONS:
            yield f"::{kind} title=tinyhil::{_data(f'and {len(bad) - place} more: {summary_line(found)}')}"
            return
        file = _property(str(s.cand[-1].facts.get("model_file", ""))) if s.cand else ""
        where = f"file={file}," if file and not file.startswith("/") else ""
        yield f"::{kind} {where}title={_property(f'{s.subject} {s.change.value}')}::{_data(subject_line(s))}"


def _data(text: str) -> str:
    return one_line(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


_SEVERITIES = {Change.REGRESSED: "major", Change.ERROR: "info", Change.UNSTABLE: "minor"}


def code_quality(found: RunComparison) -> str:
    """GitLab's code quality report: an entry for each figure that got worse."""
    entries: list[dict[str, Any]] = []
    for s in found.subjects:
        path = str(s.cand[-1].facts.get("model_file", "")) if s.cand else ""
        if s.change is Change.ERROR:
            entries.append(_entry(s, path, "not-measured", s.why, "info", "error"))
        for delta in s.deltas:
            if is_bad(delta.change):
                name = delta.figure.metric
                severity = "critical" if name == "verdict" else _SEVERITIES[delta.change]
                text = f"{s.subject}: {delta_line(delta)}"
                entries.append(_entry(s, path, name, text, severity, _identity(delta)))
    return json.dumps(entries, indent=1) + "\n"


def _identity(delta: Delta) -> str:
    return "\0".join((delta.figure.metric, delta.figure.unit, delta.layer))


def _entry(found: SubjectComparison, path: str, check: str, text: str, severity: str, identity: str) -> dict[str, Any]:
    known = "\0".join((*found.subject, identity))  # the same problem has the same one in every pipeline
    return {
        "description": one_line(text),
        "check_name": f"tinyhil-{check}",
        "fingerprint": hashlib.sha256(known.encode("utf-8", "backslashreplace")).hexdigest(),
        "severity": severity,
        "location": {"path": path or found.subject.model, "lines": {"begin": 1}},
    }


def openmetrics(found: RunComparison) -> str:
    """GitLab's metrics report, in the text format of OpenMetrics: figures of the candidates, by model and board."""
    families: dict[str, list[str]] = {}
    helps: dict[str, str] = {}
    for s in found.subjects:
        if not s.cand:
            continue
        for figure, value in s.cand[-1].figures.items():
            name = "tinyhil_" + "".join(c if c.isascii() and c.isalnum() else "_" for c in figure.metric)
            labels = {**s.subject._asdict(), "unit": figure.unit}
            told = ",".join(f'{key}="{_label(text)}"' for key, text in labels.items())
            families.setdefault(name, []).append(f"{name}{{{told}}} {value}")
            helps[name] = title(figure, "")
    lines = []
    for name, samples in sorted(families.items()):
        lines += [f"# HELP {name} {_label(helps[name])}", f"# TYPE {name} gauge", *samples]
    return "\n".join([*lines, "# EOF"]) + "\n"


def _label(text: str) -> str:
    return one_line(text).replace("\\", "\\\\").replace('"', '\\"')
