"""A quantization as one HTML file: every layer's error, and the values of the float network beside its range."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

from markupsafe import Markup

from harness.report import ptq
from harness.report.compression import decibels
from harness.report.document import Document
from harness.report.html.svg import box, label_after, picture
from harness.report.html.templates import templates

_THICK, _PITCH = 12, 17
"""Heights in pixels: of a bar, and from bar to bar."""

_LONGEST = 0.8
_MOST_DB = 80.0
"""dB of the longest bar."""

_HISTOGRAM, _RANGE = 44, 6
"""Heights in pixels of a histogram, and of the line of the range below it."""


@dataclass(frozen=True)
class LayerPicture:
    """A layer in a list: its name, figures in words, and the picture."""

    name: str
    value: str
    picture: Markup


def render(document: Document) -> str:
    """The page of a quantization."""
    made = {
        "title": f"{document['name']}, quantized",
        "facts": ptq.summary(document),
        "schemes": ptq.schemes(document),
        "layers": ptq.layers(document),
        "errors": list(errors(document)),
        "ranges": list(ranges(document)),
    }
    return str(templates().get_template("ptq.html.j2").render(made)) + "\n"


def errors(document: Document) -> Iterator[LayerPicture]:
    """Signal to noise of every layer, alone and with all before it."""
    for layer in document["layers"]:
        alone, so_far = (decibels(layer[key]) for key in ("sqnr", "accumulated_sqnr"))
        shapes = []
        for place, (kind, key) in enumerate((("ours", "sqnr"), ("reference", "accumulated_sqnr"))):
            width = min(max(layer[key], 0.0), _MOST_DB) / _MOST_DB * _LONGEST
            shapes.append(box(0, place * _PITCH + 1, max(width, 0.002), _THICK, kind))
            shapes.append(label_after(width, place * _PITCH + 11, decibels(layer[key])))
        told = f"alone {alone}, with all before it {so_far}"
        drawn = picture("bars", 2 * _PITCH, f"Error of layer {layer['index']}", told, "".join(shapes))
        yield LayerPicture(f"{layer['index']} {layer['op']}", f"{told} dB {layer['hint']}".rstrip(), drawn)


def ranges(document: Document) -> Iterator[LayerPicture]:
    """The histogram of every layer's values with the range of its integers below."""
    for layer in document["layers"]:
        (low, high), (least, most) = layer["range"], layer["values"]
        start, width = min(low, least), max(high, most) - min(low, least)
        if width <= 0:
            continue
        counts, step = layer["histogram"], (most - least) / len(layer["histogram"])
        tallest = max(counts)
        shapes = []
        for place, count in enumerate(counts):
            tall = _HISTOGRAM * sqrt(count / tallest) if tallest else 0
            left = (least + place * step - start) / width
            shapes.append(box(left, _HISTOGRAM - tall, step / width, tall, "ours"))
        shapes.append(box((low - start) / width, _HISTOGRAM + 2, (high - low) / width, _RANGE, "harness"))
        told = f"values {least:.4g} to {most:.4g}, range {low:.4g} to {high:.4g}"
        drawn = picture(
            "bars", _HISTOGRAM + _RANGE + 4, f"Values of layer {layer['index']}", told, "".join(shapes)
        )
        yield LayerPicture(f"{layer['index']} {layer['op']}", told, drawn)

