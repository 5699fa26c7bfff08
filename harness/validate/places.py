"""A model that runs at several addresses: what each showed, and what it costs beside the form that is linked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import TinyhilError

if TYPE_CHECKING:
    from harness.boards import Resolved
    from harness.boards.source import BoardSource
    from harness.build import Image
    from harness.build.progress import Progress
    from harness.compiler.emit.package import Package
    from harness.quantization.types import Array
    from harness.validate.measurement import Measurement


@dataclass(frozen=True, eq=False)
class PlaceRun:
    """What a model showed at one address.

    Attributes:
        name: of the address, such as "RAM".
    """

    name: str
    measurement: Measurement


@dataclass(frozen=True, eq=False)
class StaticRun:
    """The form that is linked, on the first vector: what the other one is compared with.

    Attributes:
        flash: bytes of the network.
    """

    measurement: Measurement
    flash: int


def differs(one: Measurement, other: Measurement) -> str:
    """Where the results of two runs over the same vectors differ, as the end of a sentence; "" where they agree."""
    for number, (a, b) in enumerate(zip(one.outputs, other.outputs, strict=True)):
        if not _same(a, b):
            return f"the outputs of vector {number}"
    for number, (a_layers, b_layers) in enumerate(zip(one.layer_outputs or (), other.layer_outputs or (), strict=True)):
        for layer, (a_written, b_written) in enumerate(zip(a_layers, b_layers, strict=True)):
            if not _same(a_written, b_written):
                return f"layer {layer} of vector {number}"
    return ""


def _same(one: Sequence[Array | None], other: Sequence[Array | None]) -> bool:
    """None stands for what the device found as expected, without sending it."""
    bytes_of = [[None if array is None else array.tobytes() for array in side] for side in (one, other)]
    return bytes_of[0] == bytes_of[1]


def run_static(
    boards: BoardSource, resolved: Resolved, image: Image, package: Package, vector: Sequence[Array], tell: Progress
) -> StaticRun:
    """Runs one vector in the form that is linked.

    Raises:
        LinkError, BoardError, DeviceFaultError: as of any run.
    """
    from harness.validate.measurement import measure

    with boards.open_session(resolved, image) as session:
        try:
            measured = measure(session, image, package, [vector], layers=False, progress=tell)
        except TinyhilError as error:
            error.transcript = session.transcript()
            raise
    return StaticRun(measured, image.sizes.network.flash)
