"""Labels of classes: from a model's metadata and a card, into the header, as what they are and never as code."""

from __future__ import annotations

import subprocess
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import emit, write_package
from harness.compiler.emit.text import string_literal
from harness.errors import CardError
from harness.frontends.tflite.labels import METADATA, output_labels
from harness.frontends.tflite.reader import load
from harness.frontends.tflite.writer import write
from harness.ir.graph import Graph
from harness.validate.card import load_card
from tests.support.graphs import Builder
from tests.support.metadata import AXIS_LABELS, labelled, metadata, with_files
from tests.support.patience import little_work

NAMES = ("silence", "unknown", "ja", "größer")
HOSTILE = (
    '"); system("x"); //', "*/ #error x", "??/", "a\\", "\\", "\u202eevil", "模型", "100%s", "/*", "\x1b[2J", "\x07777",
    "don't", "a & b", "", "x" * 300, "\udcff",
)  # fmt: skip


def classifier(classes: int = 4) -> Graph:
    b = Builder()
    x = b.input(1, classes)
    return b.graph(b.add(x, x), name="named")


def test_a_models_labels_reach_the_graph_and_survive_the_passes() -> None:
    graph = load(labelled(classifier(), *NAMES), name="named")
    assert graph.labels == (NAMES,)
    plan = compile_graph(graph, core="host")
    assert plan.graph.labels_of(0) == NAMES and plan.graph.labels_of(1) == ()
    package = emit(plan)
    assert package.manifest["outputs"][0]["labels"] == list(NAMES)
    head = package.files["named.h"].split("#ifndef")[0]
    assert "classes: silence, unknown, ja, gr__er" in head
    assert "label" not in emit(compile_graph(classifier(), core="host")).files["named.h"]


@pytest.mark.parametrize("compiler", [("gcc", "-std=c11"), ("clang", "-std=c11"), ("g++", "-std=c++11", "-x", "c++")])
def test_labels_are_strings_of_c_and_never_code(compiler: tuple[str, ...], tmp_path: Path) -> None:
    graph = load(labelled(classifier(len(HOSTILE) - 1), *HOSTILE[:-1]), name="named")
    wanted = [label[:200].strip() for label in HOSTILE[:-1]]
    assert list(graph.labels[0]) == wanted
    package = emit(compile_graph(graph, core="host"))
    write_package(package, tmp_path)
    assert package.files["named.h"].isascii()
    (tmp_path / "main.c").write_text(
        '#include <stdio.h>\n#include "named.h"\nint main(void) {\n'
        "for (size_t i = 0; i < NAMED_OUTPUT_0_COUNT; ++i) { fputs(named_label_output_0(i), stdout); putchar(0); }\n"
        "return named_label_output_0(NAMED_OUTPUT_0_COUNT) != NULL; }\n"
    )
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Wtrigraphs", "-Wconversion", "-Wshadow", "-Werror"]
    command = [*compiler, *warnings, "main.c", "-o", "main"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    printed = subprocess.run([tmp_path / "main"], capture_output=True, check=True).stdout
    assert printed.decode().split("\0")[:-1] == wanted


@pytest.mark.parametrize("level", ["-O0", "-O2", "-Os"])
def test_labels_cost_nothing_where_they_are_not_asked_for(level: str, tmp_path: Path) -> None:
    sizes = []
    for graph in (load(labelled(classifier(), *NAMES), name="named"), classifier()):
        write_package(emit(compile_graph(graph, core="host")), tmp_path)
        (tmp_path / "main.c").write_text(
            '#include "named.h"\nint x(named_context *c) { return named_output_0(c)[0]; }\n'
        )
        subprocess.run(["gcc", level, "-c", "main.c"], cwd=tmp_path, check=True)
        listed = subprocess.run(["size", "main.o"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        sizes.append(listed.splitlines()[1].split()[:3])
        assert b"silence" not in (tmp_path / "main.o").read_bytes()
    assert sizes[0] == sizes[1]


def test_string_literals() -> None:
    assert string_literal('a"b\\c?') == '"a\\042b\\134c\\077"'
    assert string_literal("é1") == '"\\303\\2511"'
    assert string_literal("\udcff\n") == '"\\077\\012"'


def test_of_several_files_the_one_of_labels_for_any_language_is_taken() -> None:
    files = [("words.txt", 5, ""), ("fr.txt", AXIS_LABELS, "fr"), ("all.txt", AXIS_LABELS, "")]
    model = write(classifier(2), {"min_runtime_version": b"1.5.0", METADATA: metadata([files])})
    data = with_files(model, {"words.txt": b"w", "fr.txt": b"oui\nnon", "all.txt": b"yes\r\nno\r\n"})
    assert load(data).labels == (("yes", "no"),)


def test_another_number_of_labels_than_classes_is_none() -> None:
    assert load(labelled(classifier(), "one", "two")).labels == ((),)


@cache
def damaged_files() -> dict[str, bytes]:
    graph = classifier(2)
    described = write(graph, {METADATA: metadata([[("labels.txt", AXIS_LABELS, "")]])})
    sound = with_files(described, {"labels.txt": b"a\nb"})
    directory = bytearray(sound)
    directory[-10:-6] = (0xFFFFFF).to_bytes(4, "little")
    return {
        "no zip": described,
        "no such file in the zip": with_files(described, {"other.txt": b"a\nb"}),
        "cut": sound[:-30],
        "a directory of 16 MB": bytes(directory),
        "a file of 64 MB": with_files(described, {"labels.txt": b"a\n" * (32 << 20)}),
        "metadata of noise": with_files(write(graph, {METADATA: bytes(range(256))}), {"labels.txt": b"a\nb"}),
        "metadata of nothing": with_files(write(graph, {METADATA: b""}), {"labels.txt": b"a\nb"}),
        "metadata of no output": with_files(write(graph, {METADATA: metadata([])}), {"labels.txt": b"a\nb"}),
        "lzma": with_files(described, {"labels.txt": b"a\nb"}, zipfile.ZIP_LZMA),
    }


@pytest.mark.parametrize("kind", damaged_files())
def test_damaged_metadata_is_passed_over(kind: str) -> None:
    with little_work():
        assert load(damaged_files()[kind]).labels == ((),)


def test_mutated_metadata_never_raises() -> None:
    data = bytearray(labelled(classifier(), *NAMES, method=zipfile.ZIP_STORED))
    rng = np.random.default_rng(0)
    for _ in range(300):
        mutated = bytearray(data)
        for at in rng.integers(0, len(data), 6):
            mutated[at] = rng.integers(0, 256)
        found = output_labels(bytes(mutated), "mutated")
        assert isinstance(found, tuple)


def card(folder: Path, labels: str) -> Path:
    (folder / "named.tflite").write_bytes(labelled(classifier(), *NAMES))
    (folder / "named.hil.yaml").write_text(f"model: named.tflite\nlabels: {labels}\n")
    return folder / "named.hil.yaml"


def test_a_cards_labels_go_before_the_models(tmp_path: Path) -> None:
    loaded = load_card(card(tmp_path, "[a, 'no', 3, ü]"))
    assert loaded.labels == ("a", "no", "3", "ü")
    assert loaded.labelled(load(loaded.model)).labels == (("a", "no", "3", "ü"),)
    (tmp_path / "names.txt").write_text("a\r\nb\nc\nd\n")
    assert load_card(card(tmp_path, "names.txt")).labels == ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ("[yes, no, a, b]", "line 2: labels: yes, no, on and off are true and false in YAML"),
        ("[a, [b]]", "names are text"),
        ("[]", "a list of names"),
        ("{a: b}", "a list of names"),
        ("absent.txt", "absent.txt: cannot be read"),
        (".", "a directory"),
        ("[" + "x" * 201 + "]", "name 0 has more than 200 characters"),
        ('"a\\0b"', "no path of a file"),
    ],
)
def test_a_cards_labels_that_are_none(labels: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(CardError) as caught:
        load_card(card(tmp_path, labels))
    assert told in str(caught.value) and caught.value.hint


def test_a_cards_labels_are_counted(tmp_path: Path) -> None:
    loaded = load_card(card(tmp_path, "[a, b]"))
    with pytest.raises(CardError, match="2 labels, but output 0 of .* has 4 classes"):
        loaded.labelled(load(loaded.model))
