"""The first bad revision is found in a worktree of its own; the user's checkout stays as it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import SelectionError, ToolError
from harness.history.bisect import bisect

PYTHON = [sys.executable, "-S", "-c"]


def git(repository: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=x", "-c", "user.email=x@x", *arguments]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture()
def repository(tmp_path):
    """Twelve revisions of a number; changes that are not committed; a file that git does not know."""
    made = tmp_path / "project"
    (made / "inside").mkdir(parents=True)
    git(made, "init", "-q", "-b", "main")
    for number in range(12):
        (made / "inside" / "number").write_text(str(number))
        git(made, "add", "-A")
        git(made, "commit", "-q", "-m", f"number {number}")
    (made / "inside" / "number").write_text("mine")
    (made / "unknown").write_text("mine, too")
    return made


def state(repository: Path) -> tuple[str, ...]:
    asked = (("rev-parse", "HEAD"), ("status", "--short"), ("for-each-ref",), ("worktree", "list"), ("branch",))
    return tuple(git(repository, *arguments) for arguments in asked)


def below(limit: int, *skipped: int) -> list[str]:
    """Bad from the limit on."""
    code = f"import sys; n = int(open('number').read()); sys.exit(125 if n in {skipped!r} else n >= {limit})"
    return [*PYTHON, code]


@pytest.mark.parametrize("limit", [1, 6, 11])
def test_the_first_bad_revision(repository, limit):
    before = state(repository)
    found = bisect("HEAD~11", "HEAD", below(limit), folder=repository / "inside")
    assert found.subject == f"number {limit}" and found.first_bad == git(repository, "rev-parse", f"HEAD~{11 - limit}")
    assert len(found.steps) <= 2 + 4 and len({step.revision for step in found.steps}) == len(found.steps)
    assert state(repository) == before and (repository / "inside" / "number").read_text() == "mine"


def test_skipped_revisions_are_stepped_over_or_hide_it(repository):
    assert bisect("HEAD~11", "HEAD", below(6, 3, 4), folder=repository / "inside").subject == "number 6"
    hidden = bisect("HEAD~11", "HEAD", below(6, 5, 6), folder=repository / "inside")
    assert hidden.first_bad == ""
    assert {git(repository, "log", "-1", "--format=%s", revision) for revision in hidden.candidates} == {
        "number 5", "number 6", "number 7",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("good", "bad", "command", "error", "told"),
    [
        ("HEAD", "HEAD~11", below(6), SelectionError, "is not good"),
        ("HEAD~11", "HEAD~9", below(6), SelectionError, "is not bad"),
        ("none", "HEAD", below(6), SelectionError, "'none' is no revision"),
        ("--all", "HEAD", below(6), SelectionError, "is no revision"),
        ("HEAD~11", "HEAD", ["no-such-program-at-all"], ToolError, "cannot be run"),
        ("HEAD~11", "HEAD", [*PYTHON, "raise SystemExit(127)"], ToolError, "exit code 127"),
        ("HEAD~11", "HEAD", [*PYTHON, "import os; os.kill(os.getpid(), 9)"], ToolError, "exit code -9"),
    ],
)
def test_what_cannot_be_searched_is_refused(repository, good, bad, command, error, told):
    before = state(repository)
    with pytest.raises(error, match=told):
        bisect(good, bad, command, folder=repository / "inside")
    assert state(repository) == before


def test_outside_of_a_repository(tmp_path):
    with pytest.raises(SelectionError, match="no git checkout"):
        bisect("a", "b", ["true"], folder=tmp_path)
