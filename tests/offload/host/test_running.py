"""Models on an NPU: sums are the simulator's counters, layers are the file's operators, outputs are exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.errors import CommandStreamError, ModelFileError, OptionError
from harness.ethosu.pmu import SHARED_SRAM, Counters, default_timing
from harness.npu.inference import NpuInference
from harness.offload.compilation import NAMES, check_accelerator
from harness.offload.counting import count
from harness.offload.layers import Where
from harness.offload.running import costs_left
from harness.offload.subject import read_subject
from harness.offload.timeline import timeline
from harness.quantization.types import DType
from tests.support.kws import kws_graph
from tests.support.offload import mixed_model, offloaded
from tests.support.paths import FIXTURES
from tests.support.typed import combinations, typed_graphs
from tests.support.vela import random_inputs

ACCELERATOR = "ethos-u55-128"


@pytest.fixture(scope="module")
def kws(tmp_path_factory):
    path = tmp_path_factory.mktemp("kws") / "kws.tflite"
    path.write_bytes(kws_graph().model)
    return offloaded(path, ACCELERATOR)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    return offloaded(mixed_model(tmp_path_factory.mktemp("mixed")), ACCELERATOR)


def test_what_is_counted_without_computing_is_what_the_simulator_counts(kws):
    model = kws.compilation.model
    counters = Counters(kws.compilation.accelerator, default_timing(kws.compilation.accelerator))
    NpuInference(model).run(random_inputs(model, np.random.default_rng(0)), counters.observe)
    assert kws.active == counters.active
    assert kws.beats == counters.by_kind()
    assert [one.end for one in kws.counts[0].operations] == [one.end for one in counters.operations]


def test_layers_are_the_files_operators_and_share_all_cycles_and_beats(kws):
    assert [layer.number for layer in kws.layers] == list(range(len(kws.subject.subgraph.operators)))
    assert [layer.name for layer in kws.layers] == [op.name for op in kws.subject.subgraph.operators]
    assert sum(layer.cycles for layer in kws.layers) == kws.active > 10_000
    of_layers = sum(sum(layer.beats.values()) for layer in kws.layers)
    assert of_layers == sum(count for (_, _, kind), count in kws.beats.items() if kind != "commands")
    assert {layer.name: layer.where for layer in kws.layers}["RESHAPE"] is Where.FOLDED
    assert kws.layers[0].cycles > 0 and kws.layers[0].where is Where.NPU


def test_a_damaged_stream_is_counted_or_refused(kws):
    operator, rng = kws.compilation.model.operators[0][1], np.random.default_rng(3)
    refused = 0
    for _ in range(150):
        words = operator.words.copy()
        words[rng.integers(len(words), size=3)] ^= np.uint32(1) << rng.integers(0, 32, 3, np.uint32)
        try:
            assert count(replace(operator, words=words), SHARED_SRAM).active >= 0
        except CommandStreamError as error:
            refused += 1
            assert "word" in error.message
    assert 0 < refused < 150


def test_outputs_are_exact_and_the_cpu_alone_is_slower(kws):
    assert kws.check.compared and not kws.check.differing and kws.check.vectors == 2
    assert kws.alone.cycles > 3 * kws.active
    assert sum(layer.alone.cycles for layer in kws.layers if layer.alone) == pytest.approx(kws.alone.cycles, abs=1)
    assert not kws.left and kws.cpu.cycles == 0


def test_waits_of_the_memories_make_it_slower_and_are_named(kws, tmp_path):
    path = tmp_path / "kws.tflite"
    path.write_bytes(kws.subject.data)
    named = offloaded(path, ACCELERATOR, "Ethos_U55_Deep_Embedded", "Shared_Sram", "Size")
    assert named.basis.name == "Shared_Sram, Ethos_U55_Deep_Embedded" and named.clock_hz == 200e6
    assert named.active == named.waiting > named.unhindered
    assert kws.basis.name == "no waits" and kws.active == kws.unhindered < kws.waiting
    assert offloaded(path, ACCELERATOR, waits=True).active == kws.waiting


def test_memory_is_what_the_file_holds(kws):
    operator = kws.compilation.model.operators[0][1]
    assert kws.memory.constants == len(operator.constants) > 10_000
    assert kws.memory.commands == 4 * len(operator.words)
    assert kws.memory.arena == operator.scratch and not kws.memory.fast and not kws.memory.cpu_constants
    assert kws.memory.memories == {"OffChipFlash": kws.memory.read_only, "Sram": kws.memory.written}


@pytest.mark.parametrize("name", ["CONV_2D", "ADD", "SOFTMAX"])
def test_models_of_int16_are_exact(name, tmp_path):
    path = tmp_path / "int16.tflite"
    wanted = next((op, types) for op, types in combinations() if op == name and types.x is DType.INT16)
    path.write_bytes(typed_graphs([wanted], seed=1, each=1)[0].model)
    run = offloaded(path, "ethos-u55-64")
    assert run.active and not run.left
    assert run.check.compared and not run.check.differing


def test_an_operator_that_falls_back_has_its_reason_and_its_cost(mixed):
    (left,) = mixed.left
    assert (left.name, left.number) == ("L2_NORMALIZATION", 1)
    assert "Unsupported" in left.reason
    assert [layer.where for layer in mixed.layers] == [Where.NPU, Where.CPU, Where.NPU]
    assert mixed.cpu.cycles == mixed.layers[1].cost.cycles > 0
    assert [part.where for part in timeline(mixed)] == [Where.NPU, Where.CPU, Where.NPU]
    assert sum(part.cycles for part in timeline(mixed)) == pytest.approx(mixed.active + mixed.cpu.cycles)
    assert mixed.check.compared and not mixed.check.differing


def test_costs_of_the_model_on_the_cpu_alone_stand_in_where_the_image_is_not_known(mixed):
    without = costs_left(mixed.left, "not supported", mixed.alone)
    assert without == {mixed.left[0].place: mixed.alone.layers[1]}
    shared = replace(mixed.alone, layers={1: replace(mixed.alone.layers[1], sources=(0, 1))})
    assert costs_left(mixed.left, "not supported", shared) == {}, "computed along with what the NPU has"
    assert costs_left(mixed.left, "not supported", "nor this") == {}
    assert replace(mixed, costs={}).cpu is None


def test_a_file_that_was_compiled_runs_as_it_is(mixed, tmp_path):
    path = tmp_path / "mixed_vela.tflite"
    path.write_bytes(mixed.compilation.file)
    again = offloaded(path)
    assert again.subject.compiled and again.compilation.options.accelerator == ACCELERATOR
    assert (again.active, again.beats, again.memory) == (mixed.active, mixed.beats, mixed.memory)
    assert again.cpu == mixed.cpu and [one.name for one in again.left] == ["L2_NORMALIZATION"]
    assert again.check.vectors == 2 and not again.check.compared and "before Vela" in again.check.note
    assert again.alone == "the model before Vela is not known"


def test_what_differs_is_found(kws, monkeypatch):
    from harness.offload import checking

    real = checking.open_oracle

    def other(name, graph, **options):
        session = real(name, graph, **options)
        invoke = session.invoke

        def changed(row):
            result = invoke(row)
            return replace(result, outputs=tuple(output ^ 1 for output in result.outputs))

        if name == "tflm":
            monkeypatch.setattr(session, "invoke", changed)
        return session

    monkeypatch.setattr(checking, "open_oracle", other)
    checker = checking.OutputChecker(kws.subject, checking.RandomVectors(random=1), lambda *_: None)
    check = checker.check(kws.compilation)
    assert check.compared and [diff.differing for diff in check.differing] == [12]


def test_an_accelerator_that_is_not_simulated_is_compiled(tmp_path):
    run = offloaded(FIXTURES / "residual.tflite", "ethos-u85-256")
    assert not run.compilation.simulated and run.memory is None and not run.counts
    assert float(run.compilation.result.summary["cycles_total"]) > 0
    assert {layer.where for layer in run.layers} <= {Where.NPU, Where.CPU}


def test_what_is_no_model_or_no_accelerator_is_refused(tmp_path):
    with pytest.raises(OptionError, match="no accelerator 'ethos-u77'"):
        check_accelerator("ethos-u77")
    assert "ethos-u55-32" in NAMES
    for name, content in (("a.tflite", b""), ("b.tflite", b"\0\0\0\0TFL3" + b"\xff" * 40), ("c.txt", b"text")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelFileError, match=name):
            read_subject(tmp_path / name)
    with pytest.raises(ModelFileError, match="missing.tflite"):
        read_subject(tmp_path / "missing.tflite")
