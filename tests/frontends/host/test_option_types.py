"""Options of another operator's type are never read: TFLM takes them for none, with defaults of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.errors import TinyhilError
from harness.frontends.tflite import reader as tflite
from harness.frontends.tflite.flatbuffer import FlatTable
from harness.frontends.tflite.operator import FileView
from harness.frontends.tflite.schema import FileOperator
from harness.ir.operators import OPERATORS
from harness.ir.operators.tflite import CUSTOM
from tests.support.builders import BUILDERS
from tests.support.generated import random_graph

PLAIN = sorted(
    name
    for name in BUILDERS
    if name in OPERATORS
    and (form := OPERATORS[name].tflite) is not None
    and form.read is not None
    and form.options is None
    and form.code != CUSTOM
)


class Unread(FlatTable):
    """Options that nobody may look at."""

    def checked(self) -> FlatTable:
        raise AssertionError("an option is read, and its type is not known")

    def field(self, offset: int) -> int:
        return self.checked().pos


@pytest.mark.parametrize("name", PLAIN)
def test_who_reads_options_says_which(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = FileView.__init__

    def without(view: FileView, operator: str, file: FileOperator, *rest: object, **more: object) -> None:
        unread = Unread(b"\x04\x00\x04\x00\x04\x00\x00\x00", 4, "unread")
        made(view, operator, replace(file, options=unread) if operator == name else file, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(FileView, "__init__", without)
    for number in range(3):
        graph = tflite.load(random_graph(np.random.default_rng([9, number]), name).model)
        assert graph.source_ops


def test_options_of_another_operator_are_refused() -> None:
    model = random_graph(np.random.default_rng(3), "MIRROR_PAD").model
    kind = bytes([77])  # BuiltinOptions_MirrorPadOptions
    places = [i for i in range(len(model)) if model[i : i + 1] == kind]
    refused = 0
    for place in places:
        try:
            tflite.load(model[:place] + bytes([49]) + model[place + 1 :])
        except TinyhilError as error:
            refused += "options of type 49 for MIRROR_PAD" in error.message
    assert refused == 1
