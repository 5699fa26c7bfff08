"""A recipe as one HTML file: the way from the first network to the last."""

from __future__ import annotations

from collections.abc import Iterator

from harness.report import recipe
from harness.report.document import Document
from harness.report.html.ptq import LayerPicture
from harness.report.html.svg import box, label_after, picture
from harness.report.html.templates import templates

_THICK, _PITCH, _LONGEST = 12, 17, 0.8
_BARS = (("cycles", "ours", ""), ("arena", "harness", " B"), ("flash", "reference", " B"))
"""Key of the costs, class and unit of each bar of a step."""


def render(document: Document) -> str:
    """The page of a recipe."""
    made = {
        "title": f"{document['name']}, step by step",
        "facts": recipe.summary(document),
        "way": list(way(document)),
        "steps": recipe.steps(document),
    }
    return str(templates().get_template("recipe.html.j2").render(made)) + "\n"


def way(document: Document) -> Iterator[LayerPicture]:
    """Costs of the network after each step, beside the most that any step has."""
    most = {key: max(step["costs"][key] for step in document["steps"]) for key, _, _ in _BARS}
    for number, step in enumerate(document["steps"]):
        shapes = []
        for place, (key, kind, unit) in enumerate(_BARS):
            width = step["costs"][key] / max(most[key], 1) * _LONGEST
            shapes.append(box(0, place * _PITCH + 1, width, _THICK, kind))
            shapes.append(label_after(width, place * _PITCH + 11, f"{step['costs'][key]:,}{unit}"))
        right = f"accuracy {step['float_accuracy']:.2%}, int8 {step['int8_accuracy']:.2%}"
        told = ", ".join(f"{key} {step['costs'][key]:,}{unit}" for key, _, unit in _BARS)
        title = f"Step {number}, {step['step']}"
        drawn = picture("bars", len(_BARS) * _PITCH, title, f"{right}; {told}", "".join(shapes))
        yield LayerPicture(f"{number} {step['step']}", right, drawn)
