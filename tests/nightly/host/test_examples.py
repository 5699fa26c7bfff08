"""The examples of a farm and a night are files that are read, and the page shows them as they are."""

from __future__ import annotations

import configparser
import re

import pytest
import typer
import yaml
from typer.main import get_command

from harness.cli.app import app
from harness.farm.bench import load_bench
from harness.nightly.file import load_night
from tests.support.paths import REPOSITORY

EXAMPLES = REPOSITORY / "examples" / "nightly"
UNITS = sorted(EXAMPLES.glob("*.service")) + sorted(EXAMPLES.glob("*.timer"))


def parse(line: str) -> None:
    """A command line of ours, with options that there are."""
    words = re.sub(r'"([^"]*)"', lambda found: found[1].replace(" ", "_"), line).split()
    command, context = get_command(app), typer.Context(get_command(app))
    while hasattr(command, "get_command"):
        command = command.get_command(context, words[1])
        assert command is not None, line
        words = words[1:]
    command.make_context(words[0], words[1:])


def test_the_page_shows_the_examples_as_they_are() -> None:
    page = (REPOSITORY / "docs" / "farm.md").read_text()
    shown = dict(re.findall(r"^`(examples/nightly/[^`\n]+)`\n\n```\w*\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    assert shown == {f"examples/nightly/{path.name}": path.read_text() for path in EXAMPLES.iterdir()}


def test_bench_and_night_are_read() -> None:
    bench = load_bench(EXAMPLES / "bench.yaml")
    night = load_night(EXAMPLES / "farm.yaml")
    assert {entry.board for entry in bench.boards.values()} == set(night.boards)
    assert len(night.models) >= 7


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_have_systemds_form_and_commands_of_ours(unit) -> None:
    content = configparser.ConfigParser(interpolation=None)
    content.optionxform = str  # type: ignore[assignment,method-assign]
    content.read(unit)
    assert content["Unit"]["Description"]
    if unit.suffix == ".timer":
        assert (EXAMPLES / f"{unit.stem}.service").exists() and content["Timer"]["OnCalendar"]
    else:
        parse(content["Service"]["ExecStart"])


def test_the_services_have_their_forms() -> None:
    github = yaml.safe_load((EXAMPLES / "github-actions.yml").read_text())
    (job,) = github["jobs"].values()
    scripts = [step["run"] for step in job["steps"] if "run" in step]
    gitlab = yaml.safe_load((EXAMPLES / "gitlab-ci.yml").read_text())["nightly"]
    for line in (scripts[0], gitlab["script"][0]):
        assert line.startswith("tinyhil nightly ")
        parse(line)
    assert all(("uses" in step) != ("run" in step) for step in job["steps"])
