"""The templates of generated text."""

from __future__ import annotations

from functools import cache
from typing import Any

from harness import resources


def render(template: str, **facts: object) -> str:
    """The text of a template of harness/data/templates."""
    text: str = _environment().get_template(template).render(**facts)
    return text


@cache
def _environment() -> Any:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(resources.data("templates")),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - this is C, not HTML
    )
