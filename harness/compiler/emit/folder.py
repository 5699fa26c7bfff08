"""Where packages go: what tinyhil wrote before goes, and nothing of others is lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.compiler.emit.manifest import read_written
from harness.errors import CompileError, OutputError
from harness.files.folder import Survey, replace_files, survey
from harness.files.reading import check_path
from harness.files.writing import is_full, reason, writing_hint

_MOST_LISTED = 5


def check_folder(directory: Path) -> tuple[str, ...]:
    """Names of the packages that tinyhil wrote into a folder, which then may also hold files of others.

    Raises:
        CompileError: the folder holds files of others alone; those with names that begin with a dot do not count.
    """
    with _writing(directory):
        check_path(directory)
        names = read_written(directory).names
        entries = sorted(path.name for path in directory.iterdir()) if directory.is_dir() else []
    others = [name for name in entries if not name.startswith(".")]
    if others and not names:
        raise CompileError(
            f"cannot write to '{directory}': it holds files that tinyhil did not write: {_listed(others)}",
            hint=f"name a new folder, such as {directory / 'model'}; or add --force to write beside them",
        )
    return names


def write_folder(directory: Path, contents: Mapping[str, str | bytes], *, force: bool) -> None:
    """Writes a package's files by path; see harness.compiler.emit.package.write_package."""
    with _writing(directory):
        check_path(directory)
        found = survey(directory, contents, read_written(directory).files)
        _refuse(directory, found, force=force)
        replace_files(directory, contents, [*found.stale, *sorted(set(found.edited) - contents.keys())])


@contextmanager
def _writing(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"cannot write to '{directory}': {reason(error)}"
        if is_full(error):
            raise OutputError(message, hint=writing_hint(directory, error)) from error
        raise CompileError(message, hint=writing_hint(directory, error)) from error


def _refuse(directory: Path, found: Survey, *, force: bool) -> None:
    """Refuses to lose what others wrote."""
    if found.foreign:
        raise CompileError(
            f"cannot write to '{directory}': tinyhil did not write what is in the way: {_listed(found.foreign)}",
            hint="name another folder, or move them away",
        )
    if found.edited and not force:
        raise CompileError(
            f"cannot write to '{directory}': changed since tinyhil wrote them: {_listed(found.edited)}",
            hint="name another folder, or keep a copy of the changes; --force then replaces them",
        )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST_LISTED])
    return f"{shown} and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else shown
