"""The templates of reports in HTML, with the style and script that they share."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from typing import Any

from markupsafe import Markup

from harness import resources
from harness.report.html.svg import words
from harness.report.plain import plain


@cache
def templates() -> Any:
    """Jinja2's environment: all text is escaped, and the pages' own style and script are known by their hashes."""
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(resources.data("templates", "report")),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        finalize=_harmless,
    )
    made.filters["breakable"] = _breakable
    for kind in ("css", "js"):
        text = resources.data("templates", "report", f"page.{kind}").read_text(encoding="utf-8")
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        made.globals |= {kind: Markup(text), f"{kind}_sha256": digest}  # ours, not escaped within style and script
    return made


def _harmless(value: Any) -> Any:
    """Text without characters that a reader would take for something else, such as a change of direction."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _breakable(text: str) -> Markup:
    """Text, escaped, that may also be wrapped within a long list of operators or path."""
    return Markup(re.sub(r"([+/;])(?=\w)", r"\1<wbr>", words(text)))
