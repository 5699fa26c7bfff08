"""The command `tinyhil import`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import terminal
from harness.cli.options import HistoryOption, JsonOption, open_history
from harness.errors import ResultsError

if TYPE_CHECKING:
    from harness.history.store import HistoryStore
    from harness.report.document import Document


def import_bundles(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH", help="Results bundles, or folders that hold some.", show_default=False),
    ],
    history: HistoryOption = None,
    session: Annotated[str, typer.Option("--session", metavar="NAME", help="Nightly that they belong to.")] = "",
    revision: Annotated[
        str, typer.Option("--revision", metavar="REV", help="Git revision of bundles that do not tell theirs.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Add results bundles to the history, those of older versions, too. One that is there already stays as it is.

    Damaged or incomplete ones are named and left out; the exit code is then 4.
    """
    from harness.history.words import counted

    folders = [folder for path in paths for folder in _bundles(path)]
    with open_history(history, needed=True, create=True) as store:
        assert store is not None
        with terminal.progress(as_json, f"{counted(len(folders), 'bundle')} into {store.path}") as tell:
            found = []
            for place, folder in enumerate(folders):
                tell(folder.name, place, len(folders))
                found.append(_import(store, folder, session, revision))
    if as_json:
        terminal.print_json({"kind": "import", "file": str(store.path), "bundles": found})
    else:
        rows = [(row["folder"], row["outcome"], str(row["runs"]), row["problem"]) for row in found]
        prose = frozenset({"problem"})
        terminal.show_rows(("bundle", "outcome", "runs", "problem"), rows, right=frozenset({"runs"}), prose=prose)
    refused = [row for row in found if row["outcome"] == "refused"]
    raise typer.Exit(ResultsError.category.value if refused else 0)


def _import(store: HistoryStore, folder: Path, session: str, revision: str) -> Document:
    row: Document = {"folder": str(folder), "outcome": "refused", "runs": 0, "problem": ""}
    try:
        added = store.add_bundle(folder, session=session, revision=revision)
    except ResultsError as error:
        return {**row, "problem": error.message}
    return {**row, "outcome": "added" if added.new else "known", "runs": len(added.runs)}


def _bundles(path: Path) -> list[Path]:
    """The bundles that a path stands for; a folder with none stands for itself, and is refused by name.

    Raises:
        ResultsError: there is no such path.
    """
    from harness.report.bundle import MANIFEST, RESULTS

    if path.name in (MANIFEST, RESULTS):
        path = path.parent
    if not path.exists():
        raise ResultsError(f"{path}: no such file or folder", hint="name a folder that --report wrote")
    inside = sorted({found.parent for name in (MANIFEST, RESULTS) for found in path.rglob(name)})
    return inside or [path]
