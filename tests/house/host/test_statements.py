"""What README and docs list is what there is: options, environment variables, operators, boards, exit codes."""

from __future__ import annotations

import ast
import re

import pytest
import typer
from typer.main import get_command

from harness.boards.registry import load_boards
from harness.cli.app import app
from harness.errors import Category
from harness.pytest_plugin.settings import SETTINGS
from tests.support.pages import PAGES
from tests.support.paths import REPOSITORY

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
USAGE = (REPOSITORY / "docs" / "usage.md").read_text(encoding="utf-8")
DOCS = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)

GROUP = get_command(app)
COMMANDS = GROUP.list_commands(typer.Context(GROUP))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_of_usage_has_every_command_with_its_options(name):
    rows = [line for line in USAGE.splitlines() if line.startswith(f"| `tinyhil {name}")]
    assert rows, f"no row for {name}"
    command = GROUP.get_command(typer.Context(GROUP), name)
    common = USAGE.partition("## pytest")[0]
    options = [[*p.opts, *p.secondary_opts] for p in command.params if p.opts[0].startswith("-")]
    assert not [names for names in options if not any(re.search(rf"{name}\b", common) for name in names)]


def test_options_of_pytest_are_those_of_its_table():
    listed = dict(re.findall(r"^\| `--([a-z-]+) [^`]*` \| `(TINYHIL_[A-Z_]+)` \| `hil_", USAGE, re.MULTILINE))
    assert set(listed) == {name.replace("_", "-") for name in SETTINGS}
    assert all(variable == f"TINYHIL_{name.replace('-', '_').upper()}" for name, variable in listed.items())


def read_variables() -> set[str]:
    """Environment variables that harness/ reads: strings that are such a name and nothing else."""
    found = set()
    for path in (REPOSITORY / "harness").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and re.fullmatch(r"TINYHIL_[A-Z_]+", str(node.value)):
                found.add(node.value)
    found -= {"TINYHIL_CODE", "TINYHIL_WEIGHTS"}  # macros of the generated C
    return found | {f"TINYHIL_{name.upper()}" for name in SETTINGS}


def test_environment_variables_are_all_documented_and_all_read():
    read = read_variables()
    assert {"TINYHIL_CACHE", "TINYHIL_JOBS", "TINYHIL_BOARD"} <= read
    assert not sorted(name for name in read if name not in USAGE)
    tests = {"TINYHIL_LONG", "TINYHIL_MODELS"}
    of_the_runtime = "RELOC_"  # macros of firmware/relocatable
    named = set(re.findall(rf"(?<!CONFIG_)TINYHIL_(?!{of_the_runtime})[A-Z]+(?:_[A-Z]+)*", DOCS))
    assert not sorted(named - read - tests)


def test_the_boards_are_those_of_the_file():
    (table,) = re.findall(r"## Boards\n\n(.*?)\n\n", README, re.DOTALL)
    rows = [line.split("|") for line in table.splitlines()[2:]]
    listed = {name: (row[2], row[4]) for row in rows for name in re.findall(r"`([\w-]+)`", row[1])}
    boards = load_boards()
    assert set(listed) == set(boards)
    for name, (core, verified) in listed.items():
        assert name == "host" or boards[name].core.rpartition("-")[2].upper().replace("PLUS", "+") in core, name
        words = {"virtual": "virtual board only", "never": "never", None: "in every test run"}
        assert verified.strip() == words[boards[name].verified], name


def test_the_exit_codes_are_those_of_the_errors():
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    assert codes == {category.value for category in Category} | {0, 70, 130}


def test_python_versions_are_those_of_the_package():
    text = (REPOSITORY / "pyproject.toml").read_text()
    versions = re.findall(r"Python :: (3\.\d+)", text)
    assert f"Python {', '.join(versions[:-1])} and {versions[-1]} are tried" in USAGE
    assert f'requires-python = ">={versions[0]}"' in text
