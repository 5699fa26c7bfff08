"""Images with layers on the Ethos-U, and inputs for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from harness.boards import find_board
from harness.build import BuildOptions, build_image
from harness.build.image import Image
from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import Package, emit
from harness.frontends.tflite.reader import load
from harness.ir.graph import Graph
from harness.ir.interpreter import run as run_specification
from harness.ir.operators.ethos_u import EthosUAttrs
from harness.quantization.types import Array
from tests.support.models import real_model
from tests.support.vela import compile_model

BOARD = "mps3-an547"


def npu_graph(model: str, accelerator: str = "ethos-u55-128") -> Graph:
    """A model of others, compiled by Vela."""
    return load(compile_model(real_model(model).read_bytes(), accelerator).file, name=model)


def with_words(graph: Graph, image: Image, changes: Mapping[int, int], to: Path) -> Image:
    """The image with other words in the command stream of the graph's only layer, as if flash were damaged."""
    (node,) = graph.nodes
    assert isinstance(node.attrs, EthosUAttrs)
    words = node.attrs.words.copy()
    for place, word in changes.items():
        words[place] = word
    content = image.elf.read_bytes()
    assert content.count(node.attrs.stream) == 1
    to.write_bytes(content.replace(node.attrs.stream, words.astype("<u4").tobytes()))
    return replace(image, elf=to)


def npu_image(graph: Graph, link: str | None = None, board: str = BOARD) -> tuple[Package, Image]:
    """Its C package and its image."""
    package = emit(compile_graph(graph, core="cortex-m55", name="model"))
    return package, build_image([package], find_board(board), BuildOptions(link=link))


def vectors_for(graph: Graph, count: int, seed: int = 0) -> list[list[Array]]:
    """Random inputs."""
    rng = np.random.default_rng(seed)
    tensors = [graph.tensors[index] for index in graph.inputs]
    return [
        [rng.integers(-128, 128, tensor.shape).astype(tensor.dtype.numpy) for tensor in tensors] for _ in range(count)
    ]


def specified(graph: Graph, inputs: list[Array]) -> tuple[Array, ...]:
    """What the specification computes."""
    return tuple(run_specification(graph, inputs, None).outputs)
