"""Asking for an NPU: on the command line, in cards, and what is refused by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.boards import load_boards
from harness.errors import CardError, OptionError, PlacementError, UnsupportedModelError
from harness.ethosu.vela import VelaOptions, VelaRefusedError
from harness.frontends.tflite.reader import load
from harness.hardware.board import Placement
from harness.ir.graph import Graph, NoAttrs, Node, State, Tensor
from harness.npu.compiling import accelerator_of_graph, for_npu, on_npu, parse_npu
from harness.quantization.types import DType
from harness.validate.card import load_card
from harness.validate.npu import check_npu
from harness.validate.options import Options, apply_options
from tests.cli.host.test_cli import tinyhil
from tests.support.builders import BUILDERS
from tests.support.draft import Draft
from tests.support.vela import compile_model


def drawn(*operators: str) -> Graph:
    """Operators one after the other."""
    draft = Draft(np.random.default_rng(4))
    tensor = None
    for operator in operators:
        tensor = BUILDERS[operator](draft, tensor)
    return draft.finish("drawn", (tensor,))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("ethos-u55-128", VelaOptions("ethos-u55-128")),
        ("ethos-u65-256, optimise=Size", VelaOptions("ethos-u65-256", optimise="Size")),
        ("ethos-u55-32,memory_mode=A,config=a.ini", VelaOptions("ethos-u55-32", "", "A", config="a.ini")),
    ],
)
def test_what_the_option_says(text: str, wanted: VelaOptions) -> None:
    assert parse_npu(text) == wanted


@pytest.mark.parametrize(
    "text", ["", ",", "optimise=Size", "ethos-u55-128,", "ethos-u55-128,optimise", "ethos-u55-128,program=rm",
             "ethos-u55-128,optimise=", "ethos-u55-128,optimise=Size,optimise=Size"],
)  # fmt: skip
def test_options_that_say_nothing_are_refused(text: str) -> None:
    with pytest.raises(OptionError, match="npu"):
        parse_npu(text)


def test_a_graph_for_an_npu_has_the_model_s_name_and_says_what_compiled_it() -> None:
    graph = drawn("CONV_2D", "LOGISTIC")
    made = for_npu(graph, VelaOptions("ethos-u65-256", optimise="Size"))
    assert accelerator_of_graph(made) == "ethos-u65-256" and not on_npu(graph)
    assert (made.name, made.labels) == (graph.name, graph.labels)
    assert any("for ethos-u65-256 (Size)" in note for note in made.notes)
    with pytest.raises(OptionError, match="compiled it already"):
        for_npu(made, VelaOptions())


def test_what_cannot_go_to_the_npu_is_named() -> None:
    relu = drawn("RELU")
    with pytest.raises(UnsupportedModelError, match="an Ethos-U85"):
        for_npu(relu, VelaOptions("ethos-u85-256"))
    with pytest.raises(VelaRefusedError, match="ethos-u55-127"):
        for_npu(relu, VelaOptions("ethos-u55-127"))
    with pytest.raises(OptionError, match="leaves every operator to the core"):
        for_npu(drawn("DEQUANTIZE"), VelaOptions())


def test_the_order_of_variables_that_vela_does_not_keep_is_named() -> None:
    tensors = tuple(Tensor(name, (4,), DType.INT8) for name in ("new", "old"))
    state = State("memory", DType.INT8, np.zeros(4, np.int8))
    write = Node("ASSIGN_VARIABLE", (0,), (), NoAttrs(), states=(0,))
    read = Node("READ_VARIABLE", (), (1,), NoAttrs(), states=(0,))
    with pytest.raises(OptionError, match="variable 'memory' is read after it is assigned"):
        for_npu(Graph("late", tensors, (write, read), (0,), (1,), (state,)), VelaOptions())
    with pytest.raises(VelaRefusedError):
        for_npu(Graph("early", tensors, (read, write), (0,), (1,), (state,)), VelaOptions())  # no file is no model


def test_boards_without_the_npu_or_whose_npu_does_not_reach_are_named() -> None:
    boards = load_boards()
    graph = for_npu(drawn("RELU"), VelaOptions("ethos-u55-256"))
    check_npu(graph, boards["mps3-an547"])
    check_npu(drawn("RELU"), boards["mps2-an386"])
    with pytest.raises(OptionError, match="board mps2-an386 has no NPU"):
        check_npu(graph, boards["mps2-an386"])
    with pytest.raises(OptionError, match="has no ethos-u55-256"):
        check_npu(graph, boards["corstone-300"])
    elsewhere = Placement(arena="dtcm", stack="ram", data="ram", weights="code", code="code")
    with pytest.raises(PlacementError, match="arena in dtcm"):
        check_npu(graph, boards["mps3-an547"], elsewhere)


def test_cards(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(drawn("RELU").model)
    (tmp_path / "own.ini").write_text("", encoding="utf-8")
    card = tmp_path / "m.hil.yaml"

    def options_of(text: str) -> VelaOptions | None:
        card.write_text(f"model: m.tflite\n{text}\n", encoding="utf-8")
        npu = load_card(card).npu
        return None if npu is None else npu.options

    assert options_of("") is None
    assert options_of("npu: ethos-u55-64") == VelaOptions("ethos-u55-64")
    assert options_of("npu: {accelerator: a, optimise: Size}") == VelaOptions("a", optimise="Size")
    own = options_of("npu: {accelerator: ethos-u55-64, config: own.ini}")
    assert own is not None and Path(own.config) == tmp_path / "own.ini", "beside the card"
    asked = apply_options(load_card(card), Options(npu=VelaOptions("ethos-u65-512")))
    assert asked.npu is not None and asked.npu.options == VelaOptions("ethos-u65-512"), "the option goes before"
    for text, problem in (("npu: [1]", "input should be an accelerator's name"), ("npu: {optimise: Size}", "missing")):
        with pytest.raises(CardError, match=problem):
            options_of(text)


def test_a_package_names_its_npu_and_what_the_firmware_gives(tmp_path: Path) -> None:
    model = tmp_path / "relu.tflite"
    model.write_bytes(drawn("RELU").model)
    out = tmp_path / "out"
    asked = ("generate", str(model), "-o", str(out), "--core", "cortex-m55")
    assert tinyhil(*asked, "--npu", "ethos-u55-64").returncode == 0
    header = (out / "relu.h").read_text(encoding="utf-8")
    assert "Needs an ethos-u55-64" in header and "HIL_ETHOSU_BASE" in header and "RELU_NPU_FAILED = 4" in header
    for name in ("hil_ethosu.c", "hil_ethosu.h", "ethos_u.h"):
        assert (out / name).is_file()
    for wrapper in ("CMakeLists.txt", "relu.mk"):
        assert "hil_ethosu.c" in (out / wrapper).read_text(encoding="utf-8")
    assert tinyhil(*asked, "--force").returncode == 0
    assert "NPU_FAILED" not in (out / "relu.h").read_text(encoding="utf-8")
    assert not (out / "hil_ethosu.c").exists()


def test_a_file_that_vela_compiled_is_generated_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "relu_vela.tflite"
    file.write_bytes(compile_model(drawn("RELU").model, "ethos-u55-32").file)
    assert on_npu(load(file))
    ran = tinyhil("generate", str(file), "-o", str(tmp_path / "out"), "--core", "cortex-m55")
    assert ran.returncode == 0 and "Needs an ethos-u55-32" in (tmp_path / "out/relu_vela.h").read_text(encoding="utf-8")
    ran = tinyhil("generate", str(file), "-o", str(tmp_path / "out"), "--board", "nucleo-h743")
    assert ran.returncode != 0 and "board nucleo-h743 has no NPU" in ran.stderr


@pytest.mark.parametrize("command", ["fit", "energy", "mlperf"])
def test_commands_that_know_of_cores_alone_refuse_it_by_name(command: str, tmp_path: Path) -> None:
    file = tmp_path / "relu_vela.tflite"
    file.write_bytes(compile_model(drawn("RELU").model, "ethos-u55-32").file)
    more = ("-o", str(tmp_path / "image.elf")) if command == "mlperf" else ()
    ran = tinyhil(command, str(file), "--board", "nucleo-l4r5", *more)
    assert ran.returncode != 0
    assert "compiled for an ethos-u55-32" in ran.stderr or "has no NPU" in ran.stderr, ran.stderr
