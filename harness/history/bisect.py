"""Finds the first bad revision: `git bisect` in a worktree of its own, so that the user's checkout stays as it is.

COMMAND is run at each revision, in the folder of the worktree that the current folder is of the checkout. As for
`git bisect run`, exit code 0 says good, 125 that nothing can be said of the revision, 1 to 124 bad, and 128 and more
end the search; that the command is missing (126, 127) ends it, too.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from harness.errors import SelectionError, ToolError

if TYPE_CHECKING:
    from harness.build.progress import Progress

_SKIP, _LEAST_ENDING = 125, 126
_GIT_LIMIT_S = 600.0


@dataclass(frozen=True)
class BisectStep:
    """One revision that was tried.

    Attributes:
        revision: its hash.
        word: "good", "bad" or "skip".
        exit_code: of the command.
    """

    revision: str
    word: str
    exit_code: int


@dataclass(frozen=True)
class Bisection:
    """What was found.

    Attributes:
        first_bad: hash of the first bad revision; "" where skipped ones hide it.
        subject: the first line of its message.
        candidates: where it is hidden, the revisions of which one is it.
        steps: all revisions that were tried, in order.
    """

    first_bad: str
    subject: str
    candidates: tuple[str, ...]
    steps: tuple[BisectStep, ...]


def bisect(
    good: str,
    bad: str,
    command: Sequence[str],
    *,
    folder: Path | None = None,
    output: IO[bytes] | int | None = None,
    progress: Progress | None = None,
) -> Bisection:
    """Finds the first revision between `good` and `bad` at which a command fails. Both ends are tried first.

    Args:
        good, bad: revisions as git knows them; `good` an ancestor of `bad`.
        command: program and arguments.
        folder: within the checkout; None for the current one.
        output: where the command writes to; None for the same as this process.
        progress: told before each revision.

    Raises:
        SelectionError: a revision is unknown, the folder is no checkout, or an end is not what it is said to be.
        ToolError: git is missing or fails, or the command cannot be run.
    """
    here = (folder or Path.cwd()).absolute()
    root = Path(_git(here, "rev-parse", "--show-toplevel", what="the current folder is in no git checkout"))
    ends = [_commit(root, name) for name in (good, bad)]
    with _worktree(root, ends[1]) as tree:
        run = _Trial(tree, here.resolve().relative_to(root.resolve()), command, output, progress, root)
        for revision, name, wanted in ((ends[0], good, "good"), (ends[1], bad, "bad")):
            found = run(revision)
            if found.word != wanted:
                raise SelectionError(
                    f"{name} ({revision[:8]}) is not {wanted}: the command ended with exit code {found.exit_code}",
                    hint="name another revision, or look at what the command does there",
                )
        return _search(tree, ends[0], ends[1], run)


def _search(tree: Path, good: str, bad: str, run: _Trial) -> Bisection:
    said = _git(tree, "bisect", "start", "--no-checkout", bad, good, what="git cannot search between them")
    while "is the first bad commit" not in said:
        revision = _git(tree, "rev-parse", "--verify", "BISECT_HEAD", what="git has lost its place")
        word = run(revision).word
        said, code = _git_says(tree, "bisect", word)
        if code == 2 or "only 'skip'ped commits left" in said:
            return Bisection("", "", tuple(_left(tree)), tuple(run.steps))
        if code:
            raise ToolError(f"git bisect {word}: {said.strip()}", hint="is GOOD an ancestor of BAD?")
    first = _git(tree, "rev-parse", "refs/bisect/bad", what="git has lost its place")
    subject = _git(tree, "log", "-1", "--format=%s", first, what="git cannot tell of it")
    return Bisection(first, subject, (), tuple(run.steps))


def _left(tree: Path) -> Iterator[str]:
    """The revisions of which one is the first bad one."""
    refs = _git(tree, "for-each-ref", "--format=%(refname)", "refs/bisect/good-*", what="git has lost its place")
    without = [f"^{ref}" for ref in refs.split()]
    yield from _git(tree, "rev-list", "refs/bisect/bad", *without, what="git has lost its place").split()


class _Trial:
    """Runs the command at revisions."""

    def __init__(
        self,
        tree: Path,
        inside: Path,
        command: Sequence[str],
        output: IO[bytes] | int | None,
        progress: Progress | None,
        root: Path,
    ) -> None:
        self._tree, self._inside, self._command = tree, inside, command
        self._output, self._progress, self._root = output, progress, root
        self.steps: list[BisectStep] = []

    def __call__(self, revision: str) -> BisectStep:
        known = next((step for step in self.steps if step.revision == revision), None)
        if known:
            return known
        if self._progress:
            self._progress(f"revision {revision[:8]}", len(self.steps), 0)
        _git(self._tree, "checkout", "--force", "--detach", revision, what=f"{revision[:8]} cannot be checked out")
        _git(self._tree, "clean", "-ffdxq", what="the worktree cannot be cleaned")
        folder = self._tree / self._inside
        if not folder.is_dir():
            return self._keep(BisectStep(revision, "skip", _SKIP))
        code = self._run(folder, revision)
        if code < 0 or code >= _LEAST_ENDING:
            raise ToolError(
                f"{' '.join(self._command)}: ended with exit code {code} at {revision[:8]}, which ends the search",
                hint="0 says good, 125 skip, 1 to 124 bad; 126 and 127 that the command is not there",
            )
        word = "good" if code == 0 else "skip" if code == _SKIP else "bad"
        return self._keep(BisectStep(revision, word, code))

    def _run(self, folder: Path, revision: str) -> int:
        environment = {
            **os.environ, "BISECTED_REVISION": revision, "BISECTED_CHECKOUT": str(self._root),
        }  # fmt: skip
        try:
            done = subprocess.run(
                self._command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=self._output, check=False
            )
        except (OSError, ValueError) as error:
            said = f"{self._command[0]}: cannot be run: {error}"
            raise ToolError(said, hint="name a program and its arguments") from None
        return done.returncode

    def _keep(self, step: BisectStep) -> BisectStep:
        self.steps.append(step)
        return step


@contextmanager
def _worktree(root: Path, revision: str) -> Iterator[Path]:
    """A worktree of the repository among temporary files, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="tinyhil-bisect-", ignore_cleanup_errors=True) as made:
        tree = Path(made) / root.name
        _git(root, "worktree", "add", "--detach", str(tree), revision, what="no worktree can be made")
        try:
            yield tree
        finally:
            _git_says(root, "worktree", "remove", "--force", str(tree))


def _commit(root: Path, name: str) -> str:
    hidden = "" if not name.startswith("-") else "./"  # an option is no revision
    return _git(
        root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{hidden}{name}^{{commit}}",
        what=f"'{name}' is no revision of this repository",
    )  # fmt: skip


def _git(folder: Path, *arguments: str, what: str) -> str:
    said, code = _git_says(folder, *arguments)
    if code:
        told = f": {said.strip()}" if said.strip() else ""
        raise SelectionError(f"{what}{told}", hint="`git log` shows the revisions there are")
    return said.strip()


def _git_says(folder: Path, *arguments: str) -> tuple[str, int]:
    """(what git writes, its exit code)."""
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_GIT_LIMIT_S,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )
    except FileNotFoundError:
        raise ToolError("git is not installed", hint="install git") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolError(f"git {arguments[0]}: {error}", hint="try it by hand") from None
    return done.stdout.decode("utf-8", "replace"), done.returncode
