"""Where results were made: the git revision of the current folder, the machine, and the job of a CI server."""

from __future__ import annotations

import os
import platform
import subprocess
from typing import Any

_LIMIT_S = 10.0
_REVISIONS = ("GITHUB_SHA", "CI_COMMIT_SHA")
_BRANCHES = ("GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME")


def environment() -> dict[str, Any]:
    """`environment` of results.json: `sources` (revision, branch, dirty), `machine` and `ci`, each "" if unknown."""
    return {"sources": sources(), "machine": platform.node(), "ci": _job()}


def sources() -> dict[str, Any]:
    """Revision and branch of the repository that the current folder is in, and whether tracked files are changed.

    By git, else by the variables of GitHub's and GitLab's servers, whose checkouts may lack git or its history.
    """
    told = {"revision": _first(_REVISIONS), "branch": _first(_BRANCHES), "dirty": False}
    try:
        done = subprocess.run(
            ["git", "status", "--porcelain=v2", "--branch", "--untracked-files=no"],
            capture_output=True,
            timeout=_LIMIT_S,
            check=False,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return told
    if done.returncode:
        return told
    heads: dict[str, str] = {}
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        if line.startswith("# branch."):
            name, _, value = line.removeprefix("# branch.").partition(" ")
            heads[name] = value
        elif not line.startswith("#"):
            told["dirty"] = True
    if heads.get("oid", "(")[0] != "(":  # "(initial)" before the first commit
        told["revision"] = heads["oid"]
    if heads.get("head", "(")[0] != "(":  # "(detached)", as on CI servers
        told["branch"] = heads["head"]
    return told


def _job() -> str:
    """Address of the job of a CI server; "" elsewhere."""
    if url := os.environ.get("CI_JOB_URL"):
        return url
    parts = [os.environ.get(name, "") for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")]
    return f"{parts[0]}/{parts[1]}/actions/runs/{parts[2]}" if all(parts) else ""


def _first(names: tuple[str, ...]) -> str:
    return next((value for name in names if (value := os.environ.get(name, ""))), "")
