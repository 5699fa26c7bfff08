"""The examples for CI services: files of the services' form, whose steps run in a clone of a small repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

from harness.report.bundle import read_bundle
from tests.support.paths import FIXTURES, REPOSITORY
from tests.support.scale import scaled

EXAMPLES = REPOSITORY / "examples" / "ci"
GITHUB = yaml.safe_load((EXAMPLES / "github-actions.yml").read_text())
GITLAB = yaml.safe_load((EXAMPLES / "gitlab-ci.yml").read_text())
INSTALLS = ("apt-get", "sudo")


def github_steps() -> list[tuple[str, dict[str, str]]]:
    """(script, environment) of every step that is a script, for one board of the matrix."""
    (job,) = GITHUB["jobs"].values()
    board = job["strategy"]["matrix"]["board"][0]
    common = {**GITHUB["env"], **job.get("env", {})}
    found = []
    for step in job["steps"]:
        if "run" in step:
            env = {**common, **step.get("env", {})}
            found.append((step["run"], {k: v.replace("${{ matrix.board }}", board) for k, v in env.items()}))
    return found


def gitlab_steps() -> list[tuple[str, dict[str, str]]]:
    """The same for GitLab, whose lines are one script."""
    (job,) = GITLAB.values()
    matrix = {name: values[0] for name, values in job["parallel"]["matrix"][0].items()}
    lines = "\n".join([*job["before_script"], *job["script"]])
    return [(lines, {**job["variables"], **matrix})]


def test_the_page_has_the_examples_as_they_are():
    page = (REPOSITORY / "docs" / "ci.md").read_text()
    shown = dict(re.findall(r"^`([^`\n]+)`\n\n```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    assert shown == {f"examples/ci/{path.name}": path.read_text() for path in EXAMPLES.iterdir()}


def test_the_github_example_has_the_services_form():
    assert set(GITHUB) == {"name", True, "env", "jobs"}, "YAML takes `on` for true"
    for job in GITHUB["jobs"].values():
        assert job["runs-on"] and job["timeout-minutes"]
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step)
            assert "uses" not in step or "@v" in step["uses"]
            assert "${{" not in step.get("run", ""), "values of the service go through the environment"


def test_the_gitlab_example_has_the_services_form():
    for job in GITLAB.values():
        assert job["image"] and job["script"] and job["artifacts"]["when"] == "always"
        assert set(job) <= {
            "image", "timeout", "variables", "parallel", "cache", "before_script", "script", "artifacts",
        }  # fmt: skip


@pytest.fixture
def clone(tmp_path) -> Path:
    """A clone of a repository with one model, its card and vectors, in a subfolder."""
    origin = tmp_path / "origin"
    (origin / "models").mkdir(parents=True)
    for path in FIXTURES.glob("digits[._]*"):
        shutil.copy(path, origin / "models")
    card = origin / "models" / "digits.hil.yaml"
    fewer = "vectors: {file: digits_vectors.npz, count: 30}"
    card.write_text(card.read_text().replace("vectors: digits_vectors.npz", fewer))
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "a model"]):
        subprocess.run([*git, *command], cwd=origin, check=True)
    subprocess.run([*git, "clone", "-q", origin, tmp_path / "clone"], check=True)
    return tmp_path / "clone"


def programs(folder: Path) -> Path:
    """A folder for PATH in which what installs only notes its arguments; python is ours, but for pip."""
    folder.mkdir()
    note = f'echo "$(basename "$0") $*" >> "{folder}/calls"\n'
    for name in INSTALLS:
        (folder / name).write_text(f"#!/bin/sh\n{note}")
    (folder / "python").write_text(
        f'#!/bin/sh\ncase "$2" in pip) {note.strip()} ;; *) exec "{sys.executable}" "$@" ;; esac\n'
    )
    for path in folder.iterdir():
        path.chmod(0o755)
    return folder


def run(script: str, clone: Path, stubs: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A script as the services run it: bash that ends with the first command that fails."""
    path = os.pathsep.join((str(stubs), str(Path(sys.executable).parent), os.environ["PATH"]))
    outside = {k: v for k, v in os.environ.items() if not k.startswith(("TINYHIL_", "PYTEST_"))}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=clone,
        env={**outside, **env, "PATH": path},
        capture_output=True,
        text=True,
        timeout=200,
    )


@pytest.mark.parametrize(
    ("steps", "board"),
    [
        pytest.param(github_steps, "mps2-an386", id="github"),
        pytest.param(gitlab_steps, "host", id="gitlab"),
    ][: scaled(1, 2)],
)
def test_the_steps_run_in_a_clone(steps, board, clone, tmp_path):
    stubs = programs(tmp_path / "bin")
    for script, env in steps():
        assert env.get("TINYHIL_BOARD", "mps2-an386") == "mps2-an386"
        env |= {"TINYHIL_BOARD": board}
        done = run(script, clone, stubs, env)
        assert done.returncode == 0, done.stdout + done.stderr
    calls = (stubs / "calls").read_text()
    assert "gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm" in calls
    assert "python -m pip install tinyhil" in calls
    cases = list(ET.parse(clone / "junit.xml").iter("testcase"))
    assert len(cases) == 7 and not list(ET.parse(clone / "junit.xml").iter("failure"))
    assert read_bundle(clone / "report")["runs"][0]["board"]["ran_on"] == board
    assert (clone / ".cache" / "tinyhil").is_dir()
    card = clone / "models" / "digits.hil.yaml"
    card.write_text(card.read_text().replace("arena: 3500", "arena: 35"))
    assert run(script.strip().split("\n")[-1], clone, stubs, env).returncode == 1, "a failed check fails the job"
    assert read_bundle(clone / "report")["verdict"] == "fail"
