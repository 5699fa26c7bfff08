"""The installation: every platform gets what has wheels there, and is told what is missing; nothing comes in early."""

from __future__ import annotations

import ast
import itertools
import json
import os
import re
import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement

from tests.support.absent import EXTRAS, POSIX, POSIX_NAMES, WITHOUT_WHEEL, tinyhil_without
from tests.support.extras import of_extras_alone
from tests.support.paths import FIXTURES, REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
DIGITS = FIXTURES / "digits.tflite"

PLATFORMS = {
    "linux-x86_64": ("linux", "x86_64", ("2_28", "2_27", "2_17", "2014")),
    "linux-aarch64": ("linux", "aarch64", ("2_28", "2_27", "2_17", "2014")),
    "macos-arm64": ("darwin", "arm64", ("14_0", "12_0", "11_0")),
    "macos-x86_64": ("darwin", "x86_64", ("10_15", "10_13", "10_12", "10_9")),
    "windows-amd64": ("win32", "AMD64", ("",)),
}
"""Platform -> sys.platform, machine, versions of its wheels' tags."""
PYTHONS = ("3.11", "3.12", "3.13")

# Asked of the index on 2026-11-29, by the test at the end.
EVERYWHERE = frozenset(PLATFORMS)
WHEELS = {
    "numpy": EVERYWHERE,
    "pydantic-core": EVERYWHERE,
    "PyYAML": EVERYWHERE,
    "MarkupSafe": EVERYWHERE,
    "capstone": EVERYWHERE,
    "unicorn": EVERYWHERE,
    "tflite-micro": frozenset({"linux-x86_64"}),
    "ai-edge-litert": EVERYWHERE - {"macos-x86_64"},
    "ethos-u-vela": EVERYWHERE - {"macos-x86_64"},
}
"""Packages with compiled code -> platforms that they have wheels for, in each of PYTHONS."""


def tags(platform: str) -> list[str]:
    """The platform tags of the wheels that a platform takes."""
    system, machine, versions = PLATFORMS[platform]
    if system == "linux":
        return [f"manylinux{version if version == '2014' else '_' + version}_{machine}" for version in versions]
    if system == "darwin":
        return [*(f"macosx_{version}_{machine}" for version in versions), "macosx_10_9_universal2"]
    return ["win_amd64"]


def wanted(platform: str, python: str, extra: str = "") -> set[str]:
    """Names of the packages that a platform installs."""
    system, machine, _ = PLATFORMS[platform]
    environment = {"sys_platform": system, "platform_machine": machine, "python_version": python, "extra": extra}
    texts = [*PROJECT["dependencies"], *(PROJECT["optional-dependencies"][extra] if extra else ())]
    found = [Requirement(text) for text in texts]
    return {one.name for one in found if one.marker is None or one.marker.evaluate(environment)}


@pytest.mark.parametrize("extra", ["", "litert", "virtual", "probe"])
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_platform_asks_for_nothing_that_has_no_wheel_there(platform, python, extra):
    found = wanted(platform, python, extra)
    assert {"numpy", "tflite", "typer", "pytest"} <= found
    assert not [name for name in found if platform not in WHEELS.get(name, EVERYWHERE)]
    assert ("tflite-micro" in found) == (platform == "linux-x86_64")


def test_the_core_leaves_out_what_only_some_use():
    core = {Requirement(text).name for text in PROJECT["dependencies"]}
    assert not core & {"pyocd", "pyserial", "ai-edge-litert", "tflite-runtime", "unicorn", "scikit-learn"}
    assert len(core) <= 15


HEAVY = {
    "pyocd", "serial", "unicorn", "capstone", "elftools", "tflite_micro", "ai_edge_litert", "tflite_runtime", "tflite",
    "sklearn", "scipy", "pytest",
}  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "more"),
    [
        (["--help"], {"numpy", "pydantic", "yaml", "jinja2", "rich"}),
        (["boards"], {"jinja2"}),
        (["generate", str(DIGITS), "-o", "out", "--core", "cortex-m7"], {"filelock"}),
        (["analyze", str(DIGITS), "--no-build"], {"filelock"}),
        (["validate", str(DIGITS), "-b", "host", "--vectors", "1"], {"filelock"}),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_nothing_is_imported_before_it_is_needed(arguments, more, tmp_path):
    code = (
        f"import sys; sys.argv = ['tinyhil', *{arguments!r}]\nfrom harness.cli import main\n"
        "try: main()\nexcept SystemExit as ended: assert not ended.code\n"
        "print('LOADED', *{name.partition('.')[0] for name in sys.modules})"
    )
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.rpartition("LOADED ")[2].split())
    needed = {"elftools"} if arguments[0] in ("validate", "generate") else set()  # images, and frames of assembly
    assert not loaded & (HEAVY | more) - needed - ({"filelock"} if arguments[0] == "validate" else set())
    assert not loaded & of_extras_alone()


def test_modules_of_extras_are_known():
    found = of_extras_alone()
    assert {"onnx", "onnxruntime", "pyocd", "serial", "unicorn", "ethosu", "ai_edge_litert", "sklearn"} <= found
    assert not found & {"numpy", "pytest", "jinja2", "yaml", "tflite", "tflite_micro", "flatbuffers", "harness"}


def test_generate_and_validate_run_where_no_extra_is_installed(tmp_path):
    absent = tuple(sorted(of_extras_alone()))
    made = tinyhil_without(absent, tmp_path, "generate", DIGITS, "-o", "out", "--core", "cortex-m7")
    assert made.returncode == 0, made.stderr
    done = tinyhil_without(absent, tmp_path, "validate", DIGITS, "-b", "host", "--vectors", "1")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("modules", "names"), [((*WITHOUT_WHEEL, *EXTRAS), ()), ((*WITHOUT_WHEEL, *EXTRAS, *POSIX), POSIX_NAMES)]
)
def test_generate_and_analyze_work_where_wheels_are_missing(modules, names, tmp_path):
    made = tinyhil_without(
        modules, tmp_path, "generate", DIGITS, "-o", "out", "--core", "cortex-m4", "--json", names=names
    )
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "out" / "digits.c").is_file()
    told = tinyhil_without(modules, tmp_path, "analyze", DIGITS, "--no-build", "--json", names=names)
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["macs"] > 0
    assert tinyhil_without(modules, tmp_path, "--help", names=names).returncode == 0


def test_validation_without_tflm_says_what_gives_the_same_and_that_runs(tmp_path):
    run = ("validate", DIGITS, "-b", "host", "--vectors", "2")
    refused = tinyhil_without(WITHOUT_WHEEL, tmp_path, *run)
    assert refused.returncode == 3
    assert "needs package tflite-micro" in refused.stderr and "'spec'" in refused.stderr
    done = tinyhil_without(WITHOUT_WHEEL, tmp_path, *run, "--oracle", "spec")
    assert done.returncode == 0, done.stderr
    assert "2 vectors equal spec bit for bit" in done.stdout
    assert done.stdout.count("pip install 'tinyhil[litert]'") == 1, "one note for both of LiteRT's oracles"


@pytest.mark.parametrize(
    ("system", "machine", "tflm_says", "litert_says"),
    [
        ("linux", "x86_64", "pip install 'tflite-micro", "pip install 'tinyhil[litert]'"),
        ("linux", "aarch64", "wheels for Linux on x86-64 only", "pip install 'tinyhil[litert]'"),
        ("darwin", "x86_64", "'spec'", "wheels for Linux, Windows and macOS on arm64"),
        ("win32", "AMD64", "'spec'", "pip install 'tinyhil[litert]'"),
    ],
)
def test_hints_tell_where_packages_exist(system, machine, tflm_says, litert_says, monkeypatch):
    from harness.oracle import litert, tflm

    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert tflm_says in tflm.missing_hint() and litert_says in litert.missing_hint()


def test_boards_without_pyocd_say_what_to_install(tmp_path):
    listed = tinyhil_without(EXTRAS, tmp_path, "boards", "--probe")
    assert listed.returncode == 3 and "pip install 'tinyhil[probe]'" in listed.stderr
    asked = tinyhil_without(EXTRAS, tmp_path, "validate", DIGITS, "-b", "nucleo-h743", "--probe", "0123")
    assert asked.returncode == 3 and "needs the package pyocd" in asked.stderr
    bring_up = tinyhil_without(EXTRAS, tmp_path, "doctor", "-b", "nucleo-h743")
    assert bring_up.returncode == 4 and "pip install 'tinyhil[probe]'" in bring_up.stdout
    stand_in = tinyhil_without(EXTRAS, tmp_path, "validate", DIGITS, "-b", "nucleo-h743", "--vectors", "1")
    assert stand_in.returncode == 0, stand_in.stderr
    assert "tinyhil[probe]" in stand_in.stdout and "stands in for nucleo-h743" in stand_in.stdout


def test_doctor_names_extras_that_are_missing(tmp_path):
    done = tinyhil_without((*EXTRAS, *WITHOUT_WHEEL), tmp_path, "doctor", "--json")
    findings = {finding["name"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert findings["debug probes"]["detail"] == "not looked for, as pyocd is not installed"


def strings() -> list[tuple[str, str]]:
    """(place, text) of every string in harness/ that is no docstring, and every line of its data."""
    found = []
    for path in sorted((REPOSITORY / "harness").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
                found.append((f"{path.name}:{node.lineno}", node.value))
        # The help of a command is its docstring.
        if path.parent.name == "commands":
            found += [(path.name, str(ast.get_docstring(n))) for n in tree.body if isinstance(n, ast.FunctionDef)]
    for path in sorted((REPOSITORY / "harness" / "data").rglob("*.yaml")):
        found += [(path.name, line) for line in path.read_text(encoding="utf-8").splitlines()]
    return found


def test_what_is_told_points_to_pages_that_every_installation_has():
    texts = strings()
    assert len(texts) > 5000
    assert not [place for place, text in texts if re.search(r"docs/[\w-]+\.md", text)]
    named = {name for _, text in texts for name in re.findall(r"tinyhil docs ([a-z-]+)", text)}
    assert len(named) >= 4
    assert not [name for name in named if not (REPOSITORY / "docs" / f"{name}.md").is_file()]


def test_the_pages_can_be_listed_and_read(tmp_path):
    pages = json.loads(tinyhil_without((), tmp_path, "docs", "--json").stdout)["pages"]
    assert {page["name"] for page in pages} == {path.stem for path in (REPOSITORY / "docs").glob("*.md")}
    assert "budgets" in tinyhil_without((), tmp_path, "docs", "cards").stdout
    wrong = tinyhil_without((), tmp_path, "docs", "card")
    assert wrong.returncode == 2 and "cards" in wrong.stderr


@pytest.mark.skipif(os.environ.get("TINYHIL_LONG") != "1", reason="asks the package index; TINYHIL_LONG=1")
@pytest.mark.parametrize(("platform", "python"), list(itertools.product(PLATFORMS, PYTHONS)))
def test_the_index_has_these_wheels(platform, python, tmp_path):
    accepted = [argument for tag in tags(platform) for argument in ("--platform", tag)]
    options = ["--dry-run", "--quiet", "--only-binary=:all:", "--no-deps", "--target", str(tmp_path), "--pre"]
    command = [sys.executable, "-m", "pip", "install", *options, *accepted, "--python-version", python]
    for name, where in WHEELS.items():
        done = subprocess.run([*command, name], capture_output=True, text=True, timeout=120)
        assert (done.returncode == 0) == (platform in where), f"{name}: {done.stderr}"
