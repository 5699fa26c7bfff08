"""The command `conformance`: each model of a folder is exact, within ULP, refused, wrong, or its own error."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.compiler.emit.package import Package
from harness.errors import ModelFileError, VectorsError
from harness.frontends.tflite.serialize import SubgraphDraft, TensorDraft, serialize
from harness.ir.graph import Graph, NoAttrs
from harness.ir.interpreter import run
from harness.ir.operators.tflite import OperatorDraft
from harness.quantization.types import Array, DType, Quantization
from harness.report import conformance as report
from harness.validate.conformance import running
from harness.validate.conformance.arrays import read_values
from harness.validate.conformance.outcome import ModelOutcome, ModelStatus, SuiteResult
from harness.validate.conformance.suite import find_cases
from harness.validate.conformance.ulp import first_beyond
from tests.cli.host.test_cli import tinyhil
from tests.support.builders import BUILDERS
from tests.support.crashing import CRASHING
from tests.support.draft import Draft
from tests.support.generated import random_inputs
from tests.support.sabotage import Flip, with_flips


def layer(op: str, dtype: DType = DType.INT8, seed: int = 0, shape: tuple[int, ...] = (2, 3)) -> Graph:
    """One operator over an input of a type."""
    draft = Draft(np.random.default_rng(seed))
    y = BUILDERS[op](draft, draft.input(shape, dtype=dtype))
    return draft.finish(op.lower(), (y,))


def unknown() -> bytes:
    """A model with an operator that is not compiled."""
    q = Quantization((0.1,), (0,))
    main = SubgraphDraft("main", (0,), (1,), [TensorDraft(name, (1, 4), "int8", q) for name in "xy"])
    main.operators.append(OperatorDraft("LSH_PROJECTION", (0,), (1,)))
    return serialize([main])


def save(folder: Path, name: str, graph: Graph) -> Graph:
    path = folder / f"{name}.tflite"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(graph.model)
    return graph


def save_files(folder: Path, name: str, graph: Graph, suffix: str, *, wrong: bool = False, count: int = 2) -> None:
    """Inputs and golden outputs by the specification, one element of them wrong where asked."""
    vectors = random_inputs(graph, np.random.default_rng(5), count)
    states, rows = None, []
    for vector in vectors:
        made = run(graph, vector, states)
        states = made.states
        rows.append(made.outputs)
    for kind, found in (("input", vectors), ("golden", rows)):
        for place, column in enumerate(zip(*found, strict=True)):
            values = np.stack(column)
            if wrong and kind == "golden":
                values = values.copy()
                values.reshape(-1)[-1] ^= 1
            write_array(folder / f"{name}_{kind}{place}.{suffix}", values)


def write_array(path: Path, values: Array) -> None:
    if path.suffix == ".npy":
        np.save(path, values)
    elif path.suffix == ".bin":
        path.write_bytes(values.tobytes())
    else:
        path.write_text("\n".join(", ".join(str(n) for n in row) for row in values.reshape(len(values), -1).tolist()))


def outcomes(folder: Path, **options: object) -> dict[str, ModelOutcome]:
    result = running.run_suite(find_cases(folder), "host", **options)  # type: ignore[arg-type]
    return {outcome.name.removesuffix(".tflite"): outcome for outcome in result.outcomes}


def test_every_kind_of_outcome_is_told_and_gates(tmp_path: Path) -> None:
    save(tmp_path, "exact", layer("RELU"))
    save(tmp_path, "deep/er/wide", layer("ADD", DType.INT16))
    save(tmp_path, "near", layer("EXP", DType.FLOAT32, shape=(4, 50)))
    for suffix in ("npy", "csv", "bin"):
        save_files(tmp_path, f"golden_{suffix}", save(tmp_path, f"golden_{suffix}", layer("MUL", seed=3)), suffix)
    save_files(tmp_path, "differs", save(tmp_path, "differs", layer("RELU", seed=4)), "npy", wrong=True)
    (tmp_path / "garbage.tflite").write_bytes(b"no model at all")
    (tmp_path / "unknown.tflite").write_bytes(unknown())

    folder = tmp_path / "report"
    done = tinyhil("conformance", tmp_path, "-b", "host", "--report", folder, "--json")
    assert done.returncode == 1, done.stderr
    content = json.loads(done.stdout)
    assert content == json.loads((folder / "conformance.json").read_text())
    statuses = {one["name"].removesuffix(".tflite"): one for one in content["models"]}
    exact = {"exact", "deep/er/wide", *(f"golden_{suffix}" for suffix in ("npy", "csv", "bin"))}
    assert {name for name, one in statuses.items() if one["status"] == "exact"} == exact
    assert {name: one["status"] for name, one in statuses.items() if name not in exact} == {
        "near": "within ULP", "differs": "wrong", "garbage": "error", "unknown": "refused",
    }  # fmt: skip
    assert statuses["golden_npy"]["reference"] == "golden files" and statuses["exact"]["reference"] == "tflm"
    assert "1 of 6 elements" in statuses["differs"]["reason"] and "LSH_PROJECTION" in statuses["unknown"]["reason"]
    assert content["images"] == 1, "all models are in one image"
    by_op = {one["op"]: one for one in content["operators"]}
    assert (by_op["MUL"]["exact"], by_op["RELU"]["wrong"], by_op["RELU"]["exact"]) == (3, 1, 1)
    assert by_op["LSH_PROJECTION"]["refused"] == 1 and by_op[report.UNREADABLE]["error"] == 1
    assert "| LSH_PROJECTION | 1 |" in (folder / "conformance.md").read_text()


def test_refusals_pass_unless_they_must_not(tmp_path: Path) -> None:
    save(tmp_path, "good", layer("RELU"))
    (tmp_path / "unknown.tflite").write_bytes(unknown())
    shown = tinyhil("conformance", tmp_path, "-b", "host", COLUMNS="80")
    assert shown.returncode == 0 and "passed: 2 models on host" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80
    assert tinyhil("conformance", tmp_path, "-b", "host", "--no-refusals").returncode == 1
    (tmp_path / "device.tflite").symlink_to("/dev/zero")
    (tmp_path / "nowhere.tflite").symlink_to("gone.tflite")
    broken = tinyhil("conformance", tmp_path, "-b", "host")
    assert broken.returncode == 1 and "2 error" in broken.stdout, "what is no model is no refusal"


def test_a_crash_of_the_oracle_is_the_models_own(tmp_path: Path) -> None:
    for name, make in CRASHING.items():
        (tmp_path / f"{name}.tflite").write_bytes(make())
    save(tmp_path, "good", layer("RELU"))
    found = outcomes(tmp_path)
    assert found["good"].status is ModelStatus.EXACT
    for name in CRASHING:
        assert found[name].status is ModelStatus.ERROR and "crashed" in found[name].reason


def changed(monkeypatch: pytest.MonkeyPatch, name: str, change: object) -> None:
    """Packages of the case `name` are changed before they are built."""
    own = running.prepare

    def prepare(case, *rest):  # type: ignore[no-untyped-def]
        made = own(case, *rest)
        return replace(made, package=change(made.package)) if case.name == f"{name}.tflite" else made  # type: ignore[operator]

    monkeypatch.setattr(running, "prepare", prepare)


def with_trap(package: Package) -> Package:
    name = package.plan.name
    text = package.files[f"{name}.c"]
    call = "        layers[i](context->arena);\n"
    assert call in text
    text = text.replace(call, f"        __builtin_trap();\n{call}")
    return replace(package, files={**package.files, f"{name}.c": text})


def test_a_crash_of_the_device_is_the_models_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        save(tmp_path, f"m{number}", layer("RELU", seed=number))
    changed(monkeypatch, "m2", with_trap)
    found = outcomes(tmp_path)
    assert found["m2"].status is ModelStatus.ERROR and found["m2"].reason
    assert all(one.status is ModelStatus.EXACT for name, one in found.items() if name != "m2")


def test_a_wrong_layer_is_named_with_its_operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = Draft(np.random.default_rng(9))
    x = BUILDERS["CONV_2D"](draft, draft.input((1, 4, 4, 4)))
    y = draft.node("SQUEEZE", (x,), (draft.like(x, draft.shape(x)[1:]),), NoAttrs())
    y = BUILDERS["SOFTMAX"](draft, y)
    save(tmp_path, "net", draft.finish("net", (y,)))
    save(tmp_path, "good", layer("RELU"))

    def flipped(package: Package) -> Package:
        (first, *_) = package.plan.layers
        (place,) = (one.offset for one in package.plan.placements if one.tensor == first.outputs[0])
        return with_flips(package, [Flip(run, 0, place, 0x40) for run in range(12)])

    changed(monkeypatch, "net", flipped)
    found = outcomes(tmp_path)
    assert found["net"].status is ModelStatus.WRONG and found["good"].status is ModelStatus.EXACT
    assert found["net"].concerned == ("CONV_2D",) and "conv_2d_00" in found["net"].reason


def test_models_that_do_not_build_together_build_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        save(tmp_path, f"m{number}", layer("RELU", seed=number))

    def broken(package: Package) -> Package:
        name = f"{package.plan.name}.c"
        return replace(package, files={**package.files, name: "#error no\n"})

    changed(monkeypatch, "m3", broken)
    found = outcomes(tmp_path)
    assert found["m3"].status is ModelStatus.ERROR and "#error no" in found["m3"].reason
    assert all(one.status is ModelStatus.EXACT for name, one in found.items() if name != "m3")


def test_states_go_on_from_vector_to_vector(tmp_path: Path) -> None:
    draft = Draft(np.random.default_rng(21))
    graph = save(tmp_path, "svdf", draft.finish("svdf", (BUILDERS["SVDF"](draft, None),)))
    save_files(tmp_path, "svdf", graph, "npy", count=6)
    assert outcomes(tmp_path)["svdf"].status is ModelStatus.EXACT


def test_what_an_operator_states_is_no_tolerance_for_more(tmp_path: Path) -> None:
    graph = layer("EXP", DType.FLOAT32, shape=(4, 5))
    (vector,) = random_inputs(graph, np.random.default_rng(1), 1)
    made = run(graph, vector)
    (y,) = graph.outputs
    source = graph.tensors[y].source
    known = {graph.tensors[t].source: values for t, values in made.tensors.items()}
    beside = np.nextafter(made.outputs[0], np.float32(np.inf))
    far = made.outputs[0] * np.float32(1.001)
    assert first_beyond(graph, [known | {source: beside}]) is None
    assert first_beyond(graph, [known | {source: far}]) is graph.nodes[0]
    assert first_beyond(graph, [{}]) is graph.nodes[0], "what the reference does not keep is not proved"


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("m_input0.bin", b"12345", "5 elements"),
        ("m_input0.csv", b"1,2,3,4,5,300", "outside of int8"),
        ("m_input0.csv", b"1,2,3,4,5,x", "invalid literal"),
        ("m_input0.csv", b"\xff\xfe", "decode"),
        ("m_input0.npy", b"\x93NUMPY", "not a readable .npy"),
        ("m_input1.csv", b"1,2,3,4,5,6", "no file for input 0"),
        ("m_golden0.csv", b"1,2,3,4,5,6", "without input files"),
    ],
)
def test_files_that_do_not_fit_are_the_models_own_error(tmp_path: Path, name: str, content: bytes, what: str) -> None:
    save(tmp_path, "m", layer("RELU"))
    save(tmp_path, "n", layer("RELU", seed=1))
    (tmp_path / name).write_bytes(content)
    found = outcomes(tmp_path)
    assert found["m"].status is ModelStatus.ERROR and what in found["m"].reason
    assert found["n"].status is ModelStatus.EXACT


def test_goldens_of_other_counts_and_outputs_are_told(tmp_path: Path) -> None:
    graph = save(tmp_path, "m", layer("RELU"))
    save_files(tmp_path, "m", graph, "npy")
    np.save(tmp_path / "m_golden0.npy", np.zeros((3, 2, 3), np.int8))
    assert "of 3 vectors" in outcomes(tmp_path)["m"].reason
    (tmp_path / "m_golden0.npy").rename(tmp_path / "m_golden7.npy")
    assert "has 1 outputs" in outcomes(tmp_path)["m"].reason


def test_names_of_files_are_those_of_one_model_alone(tmp_path: Path) -> None:
    for name in ("add", "add_input0", "add1"):
        save(tmp_path, name, layer("RELU"))
    others = ("add_inputs.csv", "add_input0_x_y.csv")
    for name in ("add_input0_int8.csv", "add_golden_int8.csv", "add1_input0.csv", *others):
        (tmp_path / name).write_text("1")
    cases = {case.model.stem: case for case in find_cases(tmp_path)}
    assert {n: path.name for n, path in cases["add"].inputs().items()} == {0: "add_input0_int8.csv"}
    assert {n: path.name for n, path in cases["add"].goldens().items()} == {0: "add_golden_int8.csv"}
    assert {n: path.name for n, path in cases["add1"].inputs().items()} == {0: "add1_input0.csv"}
    assert not cases["add_input0"].inputs()
    (tmp_path / "add_input.npy").write_text("")
    with pytest.raises(VectorsError, match="stands for input 0, and so does"):
        find_cases(tmp_path)[0].inputs()


def test_a_folder_without_models_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no model in this folder"):
        find_cases(tmp_path)
    done = tinyhil("conformance", tmp_path / "none.tflite", "-b", "host")
    assert done.returncode == 2 and "none.tflite" in done.stderr


def test_real_numbers_are_none_of_an_integer_tensor(tmp_path: Path) -> None:
    graph = layer("RELU")
    np.save(tmp_path / "x.npy", np.zeros((2, 3)))
    with pytest.raises(VectorsError, match="values of float64"):
        read_values(tmp_path / "x.npy", graph.tensors[graph.inputs[0]])
    np.save(tmp_path / "y.npy", np.zeros((3, 2), np.int8))
    with pytest.raises(VectorsError, match="shape"):
        read_values(tmp_path / "y.npy", graph.tensors[graph.inputs[0]])


def test_files_of_others_are_not_overwritten(tmp_path: Path) -> None:
    save(tmp_path, "m", layer("RELU"))
    (tmp_path / "conformance.md").write_text("mine")
    done = tinyhil("conformance", tmp_path, "-b", "host", "--report", tmp_path)
    assert done.returncode != 0 and "not overwritten" in done.stderr
    assert (tmp_path / "conformance.md").read_text() == "mine"


def test_text_of_files_cannot_break_the_page(tmp_path: Path) -> None:
    bad = ModelOutcome("a|b\x1b[2J\n<i>.tflite", (), (), ModelStatus.REFUSED, "x|y\n# z")
    content = report.document(SuiteResult("host", 0, (bad,)), "p", passed=True)
    report.write(tmp_path, content)
    text = (tmp_path / "conformance.md").read_text()
    assert "\x1b" not in text and "\n# z" not in text and "a\\|b" in text and "<i>" not in text
