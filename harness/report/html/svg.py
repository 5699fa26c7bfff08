"""Primitives of inline SVG pictures.

Widths are in per cent of the picture's column, heights and text in pixels: text keeps its size on a phone and on paper.
All text goes through `words`, numbers are formatted here, and no picture has an inline style, which the page's policy
would refuse.
"""

from __future__ import annotations

from markupsafe import Markup, escape

from harness.report.plain import plain

ROW = 48
"""Height in pixels of a layer in every picture by layer, so that they stand side by side."""


def words(text: str) -> str:
    """Text of a file or device, escaped for elements and attributes."""
    return str(escape(plain(text)))


def percent(share: float) -> str:
    """A share from 0 to 1 as a length."""
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") + "%"


def box(
    x: float, y: float, width: float, height: float, kind: str, *, title: str = "", layer: int | None = None
) -> str:
    """A rectangle; `x` and `width` are shares, `kind` its CSS classes, `layer` what a pointer on it is linked to."""
    link = "" if layer is None else f' data-l="{layer}"'
    place = f'x="{percent(x)}" y="{y:g}" width="{percent(width)}" height="{height:g}" class="{kind}"{link}'
    return f"<rect {place}><title>{words(title)}</title></rect>" if title else f"<rect {place}/>"


def label(x: float, y: float, width: float, text: str, kind: str = "", *, height: float = 15) -> str:
    """A line of text from share `x` on, cut where its `width` ends."""
    style = f' class="{kind}"' if kind else ""
    return (
        f'<svg x="{percent(x)}" y="{y:g}" width="{percent(width)}" height="{height:g}">'
        f'<text y="{height - 4:g}"{style}>{words(text)}</text></svg>'
    )


def label_end(x: float, y: float, text: str, kind: str = "") -> str:
    """A line of text that ends at share `x`; `y` is its base line."""
    return f'<text x="{percent(x)}" y="{y:g}" class="end {kind}">{words(text)}</text>'


def label_after(x: float, y: float, text: str) -> str:
    """A line of text that begins beside share `x`; `y` is its base line."""
    return f'<text x="{percent(x)}" y="{y:g}" dx="4">{words(text)}</text>'


def picture(kind: str, height: float, title: str, description: str, shapes: str) -> Markup:
    """A picture as wide as its column.

    Args:
        kind: its CSS class.
        height: in pixels.
        title, description: what it shows, for those who do not see it.
        shapes: its content, escaped.
    """
    about = f"<title>{words(title)}</title><desc>{words(description)}</desc>"
    return Markup(f'<svg class="{kind}" width="100%" height="{height:g}" role="img">{about}{shapes}</svg>')
