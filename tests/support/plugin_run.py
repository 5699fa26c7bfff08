"""Run pytest with the plugin inside a test, whether or not the package is installed; and break a model on purpose."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

import harness.pytest_plugin.items
import harness.pytest_plugin.settings  # noqa: F401
from harness.frontends.tflite.reader import load
from harness.oracle import open_oracle
from harness.validate.workbench import Workbench
from tests.support.paths import FIXTURES

# pytester forgets modules imported meanwhile, and compiled ones cannot be imported twice: have them all before.
for _name in ("tflm", "litert"):
    open_oracle(_name, load(FIXTURES / "digits.tflite")).close()


def plugin_arguments() -> list[str]:
    """What loads the plugin: nothing where its entry point does."""
    installed = any(point.value == "harness.pytest_plugin.plugin" for point in entry_points(group="pytest11"))
    return [] if installed else ["-p", "harness.pytest_plugin.plugin"]


def run_pytest(pytester: pytest.Pytester, *arguments: str | Path) -> pytest.RunResult:
    """pytest in this process, in pytester's folder, under an ini file of its own."""
    (pytester.path / "pytest.ini").touch()  # else the project's own ini file would be found
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", *plugin_arguments(), *map(str, arguments))


def copy_fixture(name: str, folder: Path) -> Path:
    """A card of fixtures/ with all it names, copied; gives the card's path."""
    for path in FIXTURES.glob(f"{name}[._]*"):
        shutil.copy(path, folder)
    return folder / f"{name}.hil.yaml"


def break_layer(monkeypatch: pytest.MonkeyPatch, layer: int) -> None:
    """From now on the C of every model computes `layer` with other weights than the model's."""
    sound = Workbench.package

    def package(self: Workbench, *arguments: Any, **rest: Any) -> Any:
        made = sound(self, *arguments, **rest)
        name = f"{made.plan.name}_weights.c"
        text = made.files[name]
        start = text.index(f"const int8_t {made.plan.name}_{made.plan.layers[layer].name}_")
        head, body = text[:start], text[start:]
        changed = re.sub(r"(\{\s*)(-?\d+)", lambda m: f"{m[1]}{-1 - int(m[2])}", body, count=1)
        return replace(made, files={**made.files, name: head + changed})

    monkeypatch.setattr(Workbench, "package", package)
