"""Every command in blocks of README and docs: parsed, and run in a temporary folder unless its page says why not."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from harness.cli.app import app
from tests.support.pages import PAGES, PageCommand, commands, commands_in, spans
from tests.support.paths import FIXTURES, REPOSITORY

COMMANDS = [command for page in PAGES for command in commands(page)]
EXTRAS = set(tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"])
STAND_FOR = {"MODEL": "kws.tflite", "TARGET": "kws.hil.yaml", "BOARD": "mps2-an500", "DIR": "out", "C": "cortex-m4"}
SAMPLE = 3


def ours(*program: str) -> str:
    """What a program prints for --help."""
    done = subprocess.run([*program, "--help"], capture_output=True, text=True, cwd=REPOSITORY, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


help_of = cache(ours)


def parse_tinyhil(words):
    """Parses a call of the command; wrong options, values and commands are errors, missing files are not."""
    group = get_command(app)
    context = typer.Context(group)
    command = group.get_command(context, words[0])
    assert command is not None, f"no command {words[0]}"
    command.make_context(words[0], [STAND_FOR.get(word, word) for word in words[1:]])


def parse_options(words, text):
    """Whether a help text has all options of a call."""
    unknown = [word for word in words if word.startswith("--") and word.partition("=")[0] not in text]
    assert not unknown, f"no such option: {unknown}"


def parse(words):
    """Parses a command as far as can be told without running it."""
    program, *rest = words
    program = re.sub(r"^\w+-venv/bin/|(?<=^python)3$", "", program)  # of a virtual environment that the page makes
    if program == "sudo":
        parse(rest)
    elif program == "tinyhil":
        parse_tinyhil(rest)
    elif program == "pytest":
        parse_options(rest, help_of(sys.executable, "-m", "pytest"))
    elif program == "make":
        subprocess.run(["make", "--dry-run", *rest], check=True, capture_output=True, cwd=REPOSITORY)
    elif program in ("pip", "python") and "install" in rest:
        wanted = {extra for word in rest for extra in re.findall(r"tinyhil\[([\w,-]+)\]", word)}
        assert {extra for names in wanted for extra in names.split(",")} <= EXTRAS
    elif program == "python" and rest[0] == "-c":
        compile(rest[1], "-c", "exec")
    elif program == "python":
        assert rest[0] == "-m" and find_spec(rest[1]), rest
        if rest[1] == "tests.bench":
            assert rest[2] in help_of(sys.executable, "-m", rest[1])
    elif program in ("bash", "sh"):
        subprocess.run([program, "-n", rest[0]], check=True, cwd=REPOSITORY)
    elif program in ("apt", "apt-get"):
        said = (REPOSITORY / "scripts" / "setup.sh").read_text()
        assert not [word for word in rest[1:] if not word.startswith("-") and word not in said]
    elif program == "export":
        assert re.fullmatch(r"TINYHIL_[A-Z_]+=\S+", rest[0])
    elif program == "pyocd":
        parse_options(rest, help_of(str(Path(sys.executable).parent / "pyocd"), rest[0]))
    else:
        assert program.startswith("FVP_"), f"nobody knows how to parse {program}"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.place)
def test_a_command_can_be_parsed(command: PageCommand):
    assert not [name for name, _ in command.env if not name.startswith("TINYHIL_")]
    parse(command.words)


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A folder as the pages have it: kws.tflite with its card and vectors."""
    folder = tmp_path_factory.mktemp("project")
    for suffix in (".tflite", "_vectors.npz"):
        shutil.copy(FIXTURES / f"digits{suffix}", folder / f"kws{suffix}")
    card = (FIXTURES / "digits.hil.yaml").read_text().replace("digits", "kws")
    (folder / "kws.hil.yaml").write_text(card)
    (folder / "pytest.ini").write_text("[pytest]\n")
    return folder


RUN = [command for command in COMMANDS if not command.only_parsed]
SHORT = RUN if os.environ.get("TINYHIL_LONG") == "1" else random.Random(4).sample(RUN, SAMPLE)


@pytest.mark.parametrize("command", SHORT, ids=lambda command: command.place)
def test_a_command_runs(command: PageCommand, project: Path):
    words = [STAND_FOR.get(word, word) for word in command.words]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "TINYHIL_BOARD"))}
    done = subprocess.run(
        words, capture_output=True, text=True, cwd=project, timeout=280, env={**env, "PATH": path, **dict(command.env)}
    )
    # Without a board at hand `boards --probe` finds none, which is no failure.
    assert done.returncode == 0, f"{command.text}\n{done.stdout}\n{done.stderr}"


def test_most_commands_run_and_the_others_say_why_not():
    assert len(RUN) >= 12
    assert all(len(command.only_parsed) > 10 for command in COMMANDS if command.only_parsed)
    assert {page.name for page in PAGES if commands(page)} >= {"README.md", "ci.md", "profiling.md", "mlperf.md"}


SPANS = [span for page in PAGES for span in spans(page)]


@pytest.mark.parametrize(("place", "text"), SPANS, ids=[place for place, _ in SPANS])
def test_options_in_prose_are_there(place, text):
    words = re.findall(r"[\w./*-]+", text)
    options = [word for word in words if re.fullmatch(r"--?[a-z][\w-]*", word)]
    if words[0] == "pytest":
        parse_options(options, help_of(sys.executable, "-m", "pytest"))
    elif re.fullmatch(r"[a-z]+", words[1]):
        group = get_command(app)
        command = group.get_command(typer.Context(group), words[1])
        assert command is not None, text
        known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        assert set(options) <= known | {"--help"}, text
    else:
        parse_options(options, help_of(sys.executable, "-m", "harness.cli"))


@pytest.mark.parametrize(
    "text",
    [
        "    tinyhil generate kws.tflite -o out --corr cortex-m4\n",
        "    tinyhil frobnicate\n",
        "    $ tinyhil profile kws.tflite --format xml\n    #  layer\n",
        "```\npytest --bord mps2-an500\n```\n",
        "    make everything\n",
        "    pip install 'tinyhil[everything]'\n",
        "<!-- parsed: slow -->\n\n    python -m harness.nothing\n",
    ],
)
def test_a_wrong_command_would_be_found(text):
    (command,) = commands_in(text, "page.md")
    with pytest.raises(Exception):  # noqa: B017
        parse(command.words)


def test_other_blocks_are_no_commands():
    text = '    model: kws.tflite\n\nthen\n\n```c\nint main(void);\n```\n\n    #include "kws.h"\n    add_library(x)\n'
    assert not list(commands_in(text, "page.md"))
