"""The command `tinyhil docs`: the pages that came with this installation."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import terminal
from harness.cli.options import JsonOption
from harness.errors import OptionError


def docs(
    page: Annotated[
        str | None, typer.Argument(metavar="[PAGE]", help="Its name, such as cards.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the pages of the documentation, or print one."""
    from harness.resources import docs as folder

    pages = {path.stem: path for path in sorted(folder().glob("*.md"))}
    if page is None:
        titles = {name: _title(path.read_text(encoding="utf-8")) for name, path in pages.items()}
        if as_json:
            found = [{"name": name, "title": titles[name], "file": str(path)} for name, path in pages.items()]
            terminal.print_json({"kind": "docs", "pages": found})
            return
        terminal.show_rows(("page", "title"), list(titles.items()), prose=frozenset({"title"}))
        terminal.print_lines(f"Files: {folder()}")
        return
    name = page.removesuffix(".md").removeprefix("docs/")
    if name not in pages:
        raise OptionError(f"no page is named '{page}'", hint=f"one of: {', '.join(pages)}")
    text = pages[name].read_text(encoding="utf-8")
    if as_json:
        terminal.print_json({"kind": "page", "name": name, "file": str(pages[name]), "text": text})
    else:
        terminal.print_lines(text.rstrip("\n"))


def _title(text: str) -> str:
    return text.partition("\n")[0].lstrip("# ")
