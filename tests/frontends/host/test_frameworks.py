"""Networks of PyTorch and Keras from their exporters to int8: the pages about them, and the kinds that they list."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from harness.errors import UnsupportedModelError
from harness.frontends.onnx.reader import read
from harness.ir.interpreter import run
from tests.cli.host.test_cli import tinyhil
from tests.support.paths import REPOSITORY

LONG = pytest.mark.skipif(os.environ.get("TINYHIL_LONG") != "1", reason="installs PyTorch and Keras; TINYHIL_LONG=1")
SUPPORT = REPOSITORY / "tests" / "support"
WAYS = ("script-11", "script-17", "script-20-open", "export-18", "export-21-open")
"""Ways of torch_networks.py that are tried."""
UNEXPORTED = {
    # TorchScript has scaled_dot_product_attention from opset 14 on.
    *(f"{name}.script-11" for name in ("encoder", "encoder_after", "attention", "block", "masked_block", "patches")),
    "carried.export-21-open",  # the state's batch is not left open with the input's
}
"""What PyTorch's own exporters refuse."""
MASKED = {f"masked_block.{way}" for way in WAYS if way.startswith("script") and way != "script-11"}
"""What is refused here, as the page says: a mask of -inf."""


def page(framework: str) -> str:
    return (REPOSITORY / "docs" / f"from-{framework}.md").read_text(encoding="utf-8")


def scripts(text: str) -> dict[str, str]:
    """The scripts of a page by their names."""
    return dict(re.findall(r"`(\w+\.py)`(?:(?!```).)*?```python\n(.*?)```", text, re.DOTALL))


def calls(text: str) -> list[list[str]]:
    """The commands of a page but those that install, in their order."""
    rows = re.findall(r"^    (\w+-venv/bin/python|tinyhil) (.*)$", text, re.MULTILINE)
    return [[program, *rest.split()] for program, rest in rows]


@pytest.mark.parametrize("framework", ["pytorch", "keras"])
def test_every_script_of_a_page_is_named_and_run(framework):
    text = page(framework)
    found = scripts(text)
    assert len(found) == text.count("```python") >= 2
    for name, source in found.items():
        compile(source, name, "exec")
    called = [words[1] for words in calls(text) if words[0] != "tinyhil"]
    assert set(called) == set(found)
    assert [words[1] for words in calls(text)].count("quantize") >= 1


@pytest.mark.parametrize("framework", ["pytorch", "keras"])
def test_a_page_lists_the_networks_that_are_tried(framework):
    name = "torch" if framework == "pytorch" else framework
    tree = ast.parse((SUPPORT / f"{name}_networks.py").read_text(encoding="utf-8"))
    assigned = {ast.unparse(node.targets[0]): node.value for node in tree.body if isinstance(node, ast.Assign)}
    listed = re.findall(r"^\| `(\w+)` \|", page(framework), re.MULTILINE)
    assert listed == [key.value for key in assigned["NETWORKS"].keys]


@pytest.fixture(scope="module")
def python() -> Path:
    """A Python with PyTorch and Keras: `make test-long` made it already, anything else makes it here."""
    home = Path(sys.prefix) if sys.prefix != sys.base_prefix else REPOSITORY / ".venv"
    home.mkdir(exist_ok=True)
    with FileLock(home / "frameworks.lock", timeout=1500):
        command = ["sh", "scripts/setup.sh", "frameworks", str(home)]
        environment = {**os.environ, "PYTHON": sys.executable}
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=1500)
    assert done.returncode == 0, done.stdout + done.stderr
    return home / "frameworks" / "bin" / "python"


def framework_run(python: Path, *words: str | Path, cwd: Path) -> None:
    """Runs a script with PyTorch and Keras."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHON"))}
    done = subprocess.run(
        [python, *words], cwd=cwd, env=env | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=1200
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]


@LONG
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("framework", ["pytorch", "keras"])
def test_a_page_is_what_happens(framework, python, tmp_path):
    text = page(framework)
    for name, source in scripts(text).items():
        (tmp_path / name).write_text(source)
    (card,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "digits.hil.yaml").write_text(card)
    for program, *words in calls(text):
        if program == "tinyhil":
            done = tinyhil(*words, cwd=tmp_path)
            assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
        else:
            framework_run(python, *words, cwd=tmp_path)


def differing(folder: Path) -> dict[str, str]:
    """The .onnx files of a folder that are refused or compute other than their .npz says, and how."""
    found = {}
    for file in sorted(folder.glob("*.onnx")):
        name, data = file.name.removesuffix(".onnx"), np.load(folder / f"{file.name.partition('.')[0]}.npz")
        try:
            graph = read(file.read_bytes(), name, "network")
        except UnsupportedModelError as error:
            found[name] = str(error)
            continue
        outputs = run(graph, [data[key] for key in data.files if key.startswith("x")]).outputs
        wanted = [data[key] for key in data.files if key.startswith("y")]
        assert len(outputs) == len(wanted)
        for ours, theirs in zip(outputs, wanted, strict=True):
            error = np.abs(ours - theirs).max() / max(1.0, np.abs(theirs).max())
            if ours.shape != theirs.shape or not error <= 1e-5:
                found[name] = f"differs by {error}"
    return found


@LONG
@pytest.mark.timeout(3600)
def test_networks_of_pytorch_are_taken_from_both_exporters(python, tmp_path):
    framework_run(python, SUPPORT / "torch_networks.py", tmp_path, *WAYS, cwd=tmp_path)
    assert set(json.loads((tmp_path / "refused.json").read_text())) == UNEXPORTED
    found = differing(tmp_path)
    assert set(found) == MASKED and all("infinite" in said for said in found.values()), found
    assert len(list(tmp_path.glob("*.onnx"))) == len(list(tmp_path.glob("*.npz"))) * len(WAYS) - len(UNEXPORTED)


@LONG
@pytest.mark.timeout(3600)
def test_networks_of_keras_are_taken(python, tmp_path):
    framework_run(python, SUPPORT / "keras_networks.py", tmp_path, cwd=tmp_path)
    assert set(json.loads((tmp_path / "refused.json").read_text())) == {"transformer", "activations"}
    assert not differing(tmp_path)
    assert len(list(tmp_path.glob("*.onnx"))) == len(list(tmp_path.glob("*.npz")))
