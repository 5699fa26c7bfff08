"""The check of the UART beside a run over a faster link: the first vector once more, over the UART's own image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import ProtocolError, TinyhilError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.boards import Resolved
    from harness.boards.source import BoardSource
    from harness.build import Image, PackageSources
    from harness.hardware.board import Board
    from harness.link.compare import ExpectedLayers
    from harness.quantization.types import Array
    from harness.validate.measurement import Measurement

AUTO = "auto"
UART = "uart"


@dataclass(frozen=True)
class LinkCheck:
    """What went over another link than the run's, with the same results.

    Attributes:
        link: its name.
        vectors, layers: how many, from the first on.
    """

    link: str
    vectors: int
    layers: int


def link_to_build(link: str, board: Board) -> str:
    """The link of an option for a board: "auto" is the fastest of an emulated board, and the UART of others."""
    from harness.boards.backends import find_backend

    if link != AUTO:
        return link
    return "fast" if find_backend(board.backend).emulated else UART


def check_uart(
    boards: BoardSource,
    resolved: Resolved,
    build: Callable[[str], Image],
    package: PackageSources,
    vector: Sequence[Array],
    measured: Measurement,
    link: str,
    expected: ExpectedLayers | None,
) -> LinkCheck | None:
    """Runs the first vector over the UART; None where the port has none.

    Args:
        boards: opens the session.
        resolved: the board.
        build: makes the image for a link.
        package: the model.
        vector: the first.
        measured, link: what came over the other link, and its name.
        expected: what the layers should write; None where the run looked at no layers.

    Raises:
        ProtocolError: the results are not those of the other link.
        LinkError, BoardError, BuildError, DeviceFaultError: as of any run.
    """
    from harness import resources
    from harness.build.port import load_port
    from harness.validate.measurement import run_once

    if UART not in load_port(resources.firmware(), resolved.runs_on.port).links:
        return None
    image = build(UART)
    layers = measured.layer_outputs is not None
    with boards.open_session(resolved, image) as session:
        try:
            outputs, made = run_once(session, image, package, vector, layers=layers, expected=expected)
        except TinyhilError as error:
            error.transcript = session.transcript()
            raise
    told = measured.layer_outputs[0] if measured.layer_outputs is not None else ()
    if not _same([outputs, *(made or ())], [measured.outputs[0], *told]):
        raise ProtocolError(
            f"{package.plan.name} gives other results for the first vector over the UART than over {link}",
            hint="--link uart and --link fast show each; does the model read memory that it never wrote?",
        )
    return LinkCheck(UART, 1, len(told))


def _same(one: Sequence[Sequence[Array | None]], other: Sequence[Sequence[Array | None]]) -> bool:
    for row, also in zip(one, other, strict=True):
        for a, b in zip(row, also, strict=True):
            if a is not None and b is not None and a.tobytes() != b.tobytes():
                return False
    return True
