"""docs/extending.md, followed to the letter: one of each is added as a package in a temporary folder, and runs."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import FIXTURES, REPOSITORY

PAGE = REPOSITORY / "docs" / "extending.md"


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Path:
    """The page's files, as an installed package."""
    folder = tmp_path_factory.mktemp("lab")
    files = dict(re.findall(r"^`([^`\n]+)`\n\n```\w+\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL))
    assert len(files) == 12
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "lab-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: lab\nVersion: 1.0\n")
    (folder / "lab_kernels" / "__init__.py").touch()
    return folder


def follow(package: Path, code: str) -> str:
    """What Python code prints where the package is installed; in a process of its own, as tables are read once."""
    path = os.pathsep.join((str(package), str(REPOSITORY)))
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": path, "TINYHIL_BOARDS": str(package / "lab-boards.yaml")},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_an_operator(package: Path) -> None:
    """RELU_0_TO_1 equals LiteRT for every byte, is read from a file, becomes a table, and runs."""
    said = follow(
        package,
        """
import numpy as np
from harness.frontends.tflite.reader import load
from harness.ir.graph import NoAttrs
from harness.ir.interpreter import run
from harness.oracle import open_oracle
from harness.passes import optimize
from harness.quantization.types import Quantization
from tests.support.builders import BUILDERS
from tests.support.compiled import check_on_board
from tests.support.draft import Draft

every = np.arange(-128, 128).astype(np.int8)
rng = np.random.default_rng(0)
compared = 0
for _ in range(60):
    draft = Draft(rng)
    scales = [float(np.float32(np.exp(rng.uniform(-6, 0)))) for _ in range(2)]
    scales[1] = scales[0] if rng.random() < 0.3 else scales[1]
    x = draft.input((256,), Quantization((scales[0],), (int(rng.integers(-128, 128)),)))
    y = draft.tensor((256,), Quantization((scales[1],), (int(rng.integers(-128, 128)),)))
    graph = draft.finish("limited", (draft.node("RELU_0_TO_1", (x,), (y,), NoAttrs()),))
    assert load(graph.model).nodes[0].op == "RELU_0_TO_1"
    wanted = open_oracle("litert-ref", graph).invoke([every]).outputs[0]
    np.testing.assert_array_equal(run(graph, [every]).outputs[0], wanted)
    compared += 1

draft = Draft(rng)
x = draft.input((1, 4, 4, 2), Quantization((0.05,), (3,)))
y = draft.tensor((1, 4, 4, 2), Quantization((0.04,), (-7,)))
graph = draft.finish("pair", (BUILDERS["LOGISTIC"](draft, draft.node("RELU_0_TO_1", (x,), (y,), NoAttrs())),))
assert [node.op for node in optimize(graph).nodes] == ["TABLE"]
print(compared, check_on_board([graph], "host"))
""",
    )
    assert said == "60 3"


def test_a_kernel(package: Path) -> None:
    """It is taken where it is preferred, computes what the specification says, and is not chosen by itself."""
    said = follow(
        package,
        """
import numpy as np
from harness.compiler.compile import compile_graph
from tests.support.compiled import check_on_board
from tests.support.generated import random_graph

drawn = [random_graph(np.random.default_rng(seed), op="LOGISTIC") for seed in range(40)]
graphs = [graph for graph in drawn if graph.tensors[0].dtype.value == "int8"][:6]
taken = {compile_graph(graph, core="cortex-m4", prefer=["Lut8Pairs"]).layers[0].kernel for graph in graphs}
alone = {compile_graph(graph, core="cortex-m4").layers[0].kernel for graph in graphs}
print(*taken, "lut_8_pairs" in alone, check_on_board(graphs, "host", prefer=["Lut8Pairs"]))
""",
    )
    assert said == "lut_8_pairs False 18"


def test_a_core(package: Path) -> None:
    said = follow(
        package,
        f"""
import harness
plan = harness.compile_graph(harness.load({str(FIXTURES / "digits.tflite")!r}), core="cortex-m85")
print(plan.core, any(layer.kernel.endswith("_mve") for layer in plan.layers))
""",
    )
    assert said == "cortex-m85 True"


def test_a_board_and_a_backend(package: Path) -> None:
    said = follow(
        package,
        f"""
from pathlib import Path
import harness
outcome = harness.Workbench().validate(harness.load_card(Path({str(FIXTURES / "digits.hil.yaml")!r})), "desk-7")
print(outcome.passed, outcome.resolved.runs_on.backend, outcome.notes[-1])
""",
    )
    assert said == "True bench at desk 7"


def test_a_frontend(package: Path, tmp_path: Path) -> None:
    packed = tmp_path / "digits.gz"
    packed.write_bytes(gzip.compress((FIXTURES / "digits.tflite").read_bytes()))
    (tmp_path / "broken.gz").write_bytes(b"nothing")
    said = follow(
        package,
        f"""
import harness
from harness.frontends import is_model
graph = harness.load({str(packed)!r})
assert is_model({str(packed)!r}) and graph.sha256 == harness.load({str(FIXTURES / "digits.tflite")!r}).sha256
try:
    harness.load({str(tmp_path / "broken.gz")!r})
except harness.TinyhilError as error:
    print(graph.name, error.code, error.hint)
""",
    )
    assert said == "digits model-file give a .tflite file packed by gzip"


def test_an_oracle(package: Path) -> None:
    said = follow(
        package,
        f"""
import numpy as np
import harness
from harness.oracle import ORACLES, open_oracle
graph = harness.load({str(FIXTURES / "digits.tflite")!r})
x = np.zeros(graph.tensors[graph.inputs[0]].shape, np.int8)
ours, theirs = (open_oracle(name, graph).invoke([x]).outputs[0] for name in ("exact", "tflm"))
print("exact" in ORACLES.names(), np.array_equal(ours, theirs))
""",
    )
    assert said == "True True"


def test_a_runtime(package: Path) -> None:
    said = follow(
        package,
        f"""
from pathlib import Path
import harness
card = harness.load_card(Path({str(FIXTURES / "digits.hil.yaml")!r}))
outcome = harness.Workbench().validate(card, "host", harness.Options(runtime="silent"))
layers = next(check for check in outcome.verdict.checks if check.name == "layers")
print(outcome.passed, outcome.runtime.name, layers.status.value, outcome.measurement.layer_outputs)
""",
    )
    assert said == "True silent not measured None"


def test_a_metric(package: Path) -> None:
    said = follow(
        package,
        f"""
from pathlib import Path
import harness
outcome = harness.Workbench().validate(harness.load_card(Path({str(FIXTURES / "digits.hil.yaml")!r})), "host")
print(outcome.verdict.metrics[0]["worst"])
""",
    )
    assert said == "0.0"


def test_every_file_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"`((?:harness|tests|firmware|docs)/[\w./]+)`", PAGE.read_text()))
    named = {name for name in named if not re.search("NAME|CORE", name)}
    assert len(named) > 20
    assert not [name for name in sorted(named) if not (REPOSITORY / name).exists()]


def test_an_ecosystem(package: Path, tmp_path: Path) -> None:
    """It is written on request, with a line that tells how to take it, and named where a name is not known."""
    said = follow(
        package,
        f"""
from harness.cli import main
import sys
sys.argv = ["tinyhil", "generate", {str(FIXTURES / "digits.tflite")!r}, "-o", {str(tmp_path)!r}, "--core", "host",
            "--for", "meson"]
try:
    main()
except SystemExit as ended:
    assert ended.code in (0, None), ended.code
""",
    )
    assert said.splitlines()[-1] == f"meson: subdir('{tmp_path}'), then link_with: digits"
    text = (tmp_path / "meson.build").read_text()
    assert text.startswith("digits = static_library('digits', 'digits.c', 'digits_weights.c', ")
