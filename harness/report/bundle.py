"""Result bundles: a folder with results.json, report.html, the images that ran, and manifest.json.

The manifest holds every file's hash and is written last: a folder without one, or whose files differ from it, is not a
complete bundle.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.compiler.names import identifier
from harness.errors import ResultsError
from harness.files.reading import check_path, read_beginning, read_regular, sha256_of
from harness.files.writing import copy_new, publish, reason, staging, write_new, writing_hint
from harness.report.document import SCHEMA_VERSION, Document

RESULTS, REPORT, MANIFEST = "results.json", "report.html", "manifest.json"
_SCHEMA, _MANIFEST_SCHEMA = "tinyhil.results", "tinyhil.manifest"
_MAX_BYTES = 256 << 20
"""Most bytes of a file of a bundle that is read as JSON."""

_SIGNS = {RESULTS: _SCHEMA, REPORT: "<title>tinyhil results", MANIFEST: _MANIFEST_SCHEMA}
"""Text near the beginning of each file of a bundle, by which it is recognized."""


@dataclass(frozen=True)
class Invocation:
    """The command and the tools of all runs in a bundle.

    Attributes:
        command: the exact command, as given to the operating system.
        tools: versions by name (harness.report.tool_versions).
        session: of pytest, whose verdict is then the bundle's; None for a command.
        environment: harness.report.environment; empty where it is not known.
    """

    command: Sequence[str]
    tools: dict[str, str]
    session: Document | None = None
    environment: Document = field(default_factory=dict)


def results_document(
    documents: Sequence[Document], session: Invocation, energy: Sequence[Document] = ()
) -> Document:
    """All runs, and what was measured of energy, as one document: the content of results.json."""
    errors = sum(d["kind"] == "error" for d in documents)
    failed = sum(d["kind"] == "run" and not d["verdict"]["passed"] for d in documents)
    verdict = "error" if errors else "fail" if failed else "pass"
    return {
        "schema": _SCHEMA,
        "version": SCHEMA_VERSION,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": list(session.command),
        "tools": session.tools,
        "environment": session.environment,
        "verdict": session.session["verdict"] if session.session else verdict,
        "counts": {"runs": len(documents), "failed": failed, "errors": errors},
        "session": session.session,
        "runs": list(documents),
        **({"energy": list(energy)} if energy else {}),
    }


def check_folder(directory: Path) -> None:
    """Checks before a long run that its bundle can be written; writes nothing.

    Raises:
        ResultsError: the folder cannot be written, or has files with a bundle's names that belong to no bundle.
    """
    try:
        check_path(directory)
    except OSError as error:
        raise _unwritable(directory, error.strerror or str(error)) from None
    existing = next(folder for folder in (directory, *directory.absolute().parents) if folder.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        problem = "permission denied" if existing.is_dir() else f"{existing} is a file"
        raise _unwritable(directory, problem)
    _check_own(directory)


def write_bundle(
    directory: Path, documents: Sequence[Document], session: Invocation, energy: Sequence[Document] = ()
) -> Path:
    """Writes a bundle into `directory`, which is made if needed; returns the report's path.

    An older bundle there stays until the new one is whole, and is then replaced; other files stay.

    The image that a run document names under image.file is copied in, and the document then names the copy.

    Raises:
        ResultsError: the folder cannot be written, or has files with a bundle's names that belong to no bundle.
    """
    from harness.report.html import render

    try:
        check_path(directory)
        if directory.is_dir():
            _check_own(directory)
        with staging(directory) as staged:
            kept = [_with_image(document, staged / "images") for document in documents]
            content = results_document(kept, session, energy)
            _write(staged / RESULTS, json.dumps(content, indent=1, allow_nan=False) + "\n")
            _write(staged / REPORT, render(content))
            copied = [str(document["image"]["file"]) for document in kept if (document.get("image") or {}).get("file")]
            files = sorted({RESULTS, REPORT, *copied})
            manifest = {
                "schema": _MANIFEST_SCHEMA,
                "version": SCHEMA_VERSION,
                "files": {name: sha256_of(staged / name) for name in files},
            }
            _write(staged / MANIFEST, json.dumps(manifest, indent=1) + "\n")
            old = _old_images(directory)
            publish(staged, directory, [*files, MANIFEST])
        _remove_images(directory / "images", [path for path in old if f"images/{path.name}" not in files])
    except OSError as error:
        raise _unwritable(directory, reason(error), writing_hint(directory, error)) from error
    return directory / REPORT


def read_bundle(directory: Path) -> Document:
    """The results of a complete bundle.

    Raises:
        ResultsError: there is no manifest, or a file is missing or differs from it, or the schema is a later one.
    """
    hint = "run the command that made the bundle again"
    try:
        manifest: dict[str, Any] = _read_json(directory / MANIFEST)
        for name, digest in manifest["files"].items():
            if Path(name).is_absolute() or ".." in Path(name).parts:
                raise ValueError(f"its manifest names a file outside of it: {name}")
            if sha256_of(directory / name) != digest:
                raise ResultsError(f"{directory / name}: differs from what the bundle's manifest says", hint=hint)
        content: Document = _read_json(directory / RESULTS)
        version = content.get("version")
    except FileNotFoundError as error:
        missing = Path(str(error.filename)).name
        raise ResultsError(f"{directory}: not a complete result bundle: no {missing}", hint=hint) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ResultsError(f"{directory}: damaged result bundle: {error}", hint=hint) from error
    if version != SCHEMA_VERSION:
        raise ResultsError(
            f"{directory}: results of schema version {version}, this tinyhil reads {SCHEMA_VERSION}",
            hint="read it with the version of tinyhil that wrote it (tools.tinyhil in results.json)",
        )
    return content


def _read_json(path: Path) -> Any:
    """Raises OSError, ValueError, RecursionError."""
    return json.loads(read_regular(path, _MAX_BYTES).decode("utf-8"))


def _unwritable(directory: Path, problem: str, hint: str = "choose a folder that you may write to") -> ResultsError:
    return ResultsError(f"{directory}: cannot write the result bundle: {problem}", hint=hint)


def _remove_images(images: Path, old: Sequence[Path]) -> None:
    """Removes the images of an older bundle, and their folder once it is empty."""
    for path in old:
        path.unlink(missing_ok=True)
    if images.is_dir() and not any(images.iterdir()):
        images.rmdir()


def _check_own(directory: Path) -> None:
    """Raises ResultsError if a file has the name of a bundle's file but other content."""
    for name, sign in _SIGNS.items():
        try:
            ours = sign in read_beginning(directory / name, 1000).decode("utf-8", "replace")
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            ours = False
        if not ours:
            raise ResultsError(
                f"{directory / name}: not of a result bundle, and not overwritten",
                hint="give --report a folder of its own",
            )


def _old_images(directory: Path) -> list[Path]:
    """The images of the bundle in `directory`, by its manifest: only these are removed."""
    try:
        names = [str(name) for name in _read_json(directory / MANIFEST)["files"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []
    images = directory / "images"
    return [images / path.name for path in map(Path, names) if path.parent == Path("images") and path.suffix == ".elf"]


def _with_image(document: Document, images: Path) -> Document:
    source = (document.get("image") or {}).get("file")
    if not source:
        return document
    image = dict(document["image"])
    if Path(source).is_file():
        images.mkdir(exist_ok=True)
        target = images / f"{identifier(document['name'])}-{document['board']['ran_on']}-{image['build_id']}.elf"
        copy_new(Path(source), target)
        image |= {"file": f"images/{target.name}", "sha256": sha256_of(target)}
    else:
        image["file"] = None  # removed from the cache meanwhile
    return {**document, "image": image}


def _write(path: Path, text: str) -> None:
    write_new(path, text, errors="backslashreplace")
