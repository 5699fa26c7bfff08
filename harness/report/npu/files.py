"""Files of `tinyhil npu --output`: HTML, JSON or Markdown, by their names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from harness.errors import OptionError, OutputError
from harness.files.writing import reason, write_whole, writing_hint
from harness.report.document import Document
from harness.report.npu.markdown import markdown


def _html(document: Document) -> str:
    from harness.report.html.npu import render

    return render(document)


def _json(document: Document) -> str:
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


_KINDS: Mapping[str, Callable[[Document], str]] = {".html": _html, ".json": _json, ".md": markdown}


def check_kind(path: Path) -> None:
    """Raises OptionError: the name does not say what to write."""
    if path.suffix.lower() not in _KINDS:
        raise OptionError(f"output '{path}' is none of {', '.join(_KINDS)}", hint="name it so, such as report.html")


def write(paths: Iterable[Path], document: Document) -> None:
    """Writes each file whole or not at all.

    Raises:
        OutputError: one cannot be written.
    """
    for path in paths:
        text = _KINDS[path.suffix.lower()](document)
        try:
            write_whole(path, text.encode("utf-8", "backslashreplace").decode("utf-8"))
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {reason(error)}", hint=writing_hint(path, error)) from error
