"""Firmware of MLPerf Tiny's language on a board, for tests."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from harness.boards import Board, find_board, open_session
from harness.boards.session import Session
from harness.build import BuildOptions, Image, build_image
from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import Package, emit
from harness.ir.graph import Graph
from harness.mlperf.client import MlperfClient
from harness.mlperf.firmware import Interface, language


def build(
    graph: Graph, board: str | Board = "mps2-an500", interface: Interface | None = None, *, sanitize: bool = False
) -> tuple[Package, Image]:
    """An image of one model."""
    target = find_board(board) if isinstance(board, str) else board
    package = emit(compile_graph(graph, core=target.core, name=graph.name))
    spoken = language(package, interface or Interface())
    return package, build_image([package], target, BuildOptions(language=spoken, sanitize=sanitize))


@contextlib.contextmanager
def talking(image: Image, board: str | Board = "mps2-an500") -> Iterator[tuple[MlperfClient, Session]]:
    """A client that the device has answered."""
    with open_session(find_board(board) if isinstance(board, str) else board, image) as session:
        client = MlperfClient(session.stream())
        client.wait_ready()
        yield client, session
