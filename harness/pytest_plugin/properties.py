"""JUnit properties of tests that ran models, all named `tinyhil.*`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.history.verdicts import RunComparison
from harness.report import rows
from harness.report.document import Document
from harness.runtimes.forms import DEFAULT_FORM

Property = tuple[str, object]
_MOST_DELTAS = 20


def check_properties(document: Document, check: str) -> list[Property]:
    """The figures of a run, and those of one of its checks."""
    figures = next(c["figures"] for c in document["verdict"]["checks"] if c["name"] == check)
    return _named({**_figures(document), **{f"{check}.{name}": value for name, value in figures.items()}})


def own_properties(documents: Sequence[Document], place: int) -> list[Property]:
    """The figures of runs that a test made itself, and how each of their checks ended.

    The first run of a test has names as a card's checks have them, later ones `tinyhil.2.NAME`; `place` is the number
    of the test's runs before these.
    """
    found: list[Property] = []
    for number, document in enumerate(documents, place + 1):
        told = _figures(document) if document["kind"] == "run" else _short(document)
        if document["kind"] == "run":
            told |= {f"checks.{c['name']}": c["status"] for c in document["verdict"]["checks"]}
        elif document["kind"] == "error":
            told |= {"error": document["error"]["code"]}
        found += _named(told, "" if number == 1 else f"{number}.")
    return found


def regression_properties(found: RunComparison) -> list[Property]:
    """How the run did against an earlier one, and the figures that changed."""
    told: dict[str, object] = {"history.change": found.change.value, "history.base": found.base}
    for subject in found.subjects:
        for delta in subject.deltas[:_MOST_DELTAS]:
            name = ".".join(part for part in ("history", delta.layer, delta.figure.metric) if part)
            told[name] = f"{delta.change.value}: {delta.base} -> {delta.cand} {delta.figure.unit}"
    return _named(told)


def _named(found: dict[str, object], prefix: str = "") -> list[Property]:
    return [(f"tinyhil.{prefix}{name}", value) for name, value in _known(found.items())]


def _known(found: Iterable[tuple[str, object]]) -> Iterable[tuple[str, object]]:
    return ((name, value) for name, value in found if value is not None)


def _short(document: Document) -> dict[str, object]:
    vectors = document.get("vectors")
    return {
        "board": document["board"]["asked"],
        "model": document["name"],
        "vectors": vectors["count"] if vectors else None,
    }


def _figures(document: Document) -> dict[str, object]:
    memory, time = document["memory"], document["time"]
    found: dict[str, object] = {
        **_short(document),
        "ran_on": document["board"]["ran_on"],
        "core": document["board"]["core"],
        "model_sha256": document["model"]["sha256"],
        "oracle": f"{document['oracle']['name']} {document['oracle']['version']}",
        "build_id": document["image"]["build_id"],
        "max_lsb": document["verdict"]["max_lsb"],
        "arena_bytes": memory["arena_measured"],
        "stack_bytes": memory["stack_measured"],
        "flash_bytes": memory["flash"],
        time["unit"]: time["total"],
    }
    if document["form"] != DEFAULT_FORM:
        found["form"] = document["form"]
    for kernels in ("reference", "cmsis-nn"):
        found[f"ratio_to_tflm_{kernels}"] = rows.ratio_to_tflm(document, kernels, "total")
    estimated = rows.ratio_to_tflm(document, "cmsis-nn", "total", measured=False)
    if estimated is not None:
        found["estimated_ratio_to_tflm_cmsis-nn"] = estimated
    return found
