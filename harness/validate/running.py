"""Running an image on a board: what is run, what it showed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.build.progress import Progress
from harness.errors import TinyhilError
from harness.ir.graph import Graph
from harness.quantization.types import Array
from harness.runtimes import Runtime
from harness.runtimes.forms import Form, FormedImage
from harness.validate.link_check import LinkCheck
from harness.validate.vectors import Vectors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.boards import Resolved, Session
    from harness.boards.source import BoardSource
    from harness.build import Image, PackageSources
    from harness.compiler.emit.package import Package
    from harness.compression.network import CompressedModel
    from harness.hardware.board import Placement
    from harness.link.client import Client
    from harness.link.compare import ExpectedLayers
    from harness.validate.measurement import Measurement
    from harness.validate.places import PlaceRun, StaticRun


@dataclass(frozen=True, eq=False)
class Subject:
    """What is run on which board.

    Attributes:
        form: how it becomes an image.
        graph: what runs.
        model: what the reference computes: the same, or the model before Vela compiled it.
        compressed: how `graph` was made of the card's model; None where it is that.
        placement: the region of each part of the image; None for a board without placement.
        compared: number of vectors, from the first on, whose layers are compared.
    """

    resolved: Resolved
    runtime: Runtime
    form: Form
    graph: Graph
    vectors: Vectors
    placement: Placement | None
    compared: int
    model: Graph
    compressed: CompressedModel | None = None


@dataclass(frozen=True, eq=False)
class Ran:
    """What was made for a run, and what it showed."""

    package: Package
    image: Image
    measurement: Measurement
    transcript: str = ""
    notes: tuple[str, ...] = ()
    link_check: LinkCheck | None = None
    places: tuple[PlaceRun, ...] = ()
    static: StaticRun | None = None


@dataclass(frozen=True, eq=False)
class GivenForm:
    """A form that is no name's, such as a file of a user's, and the package that it was made of."""

    form: Form
    package: Package


def run_image(
    boards: BoardSource,
    subject: Subject,
    formed: FormedImage,
    tell: Progress,
    expected: Sequence[ExpectedLayers] | None = None,
) -> tuple[tuple[PlaceRun, ...], str, tuple[str, ...]]:
    """(measurements at each place, transcript of the line, notes of the board's session)."""
    from harness.boards.session import open_client
    from harness.validate.places import PlaceRun

    with _session(boards, subject.resolved, formed.image) as session:
        client = open_client(session, formed.image)
        if formed.prepare is not None:
            formed.prepare(client, tell)
        runs = tuple(
            PlaceRun(place.name, _measure(session, client, subject, formed.image, place.package, tell, expected))
            for place in formed.places
        )
        transcript = session.transcript()
    return runs, transcript, (*formed.notes, *session.notes())


@contextmanager
def _session(boards: BoardSource, resolved: Resolved, image: Image) -> Iterator[Session]:
    """A board's session; adds the line's transcript to errors."""
    with boards.open_session(resolved, image) as session:
        try:
            yield session
        except TinyhilError as error:
            error.transcript = session.transcript()
            raise


def _measure(
    session: Session,
    client: Client,
    subject: Subject,
    image: Image,
    package: PackageSources,
    tell: Progress,
    expected: Sequence[ExpectedLayers] | None,
) -> Measurement:
    """Runs all vectors; looks at layers' outputs only for those that are compared."""
    from harness.validate.measurement import measure

    inputs, compared = subject.vectors.inputs, subject.compared
    measures = subject.runtime.measures

    def run(part: Sequence[Sequence[Array]], *, layers: bool, profile: bool = True) -> Measurement:
        return measure(
            session,
            image,
            package,
            part,
            layers=layers,
            expected=expected if layers else None,
            profile=profile,
            measures=measures,
            progress=tell,
            client=client,
        )

    if compared in (0, len(inputs)):
        return run(inputs, layers=bool(compared))
    first, rest = run(inputs[:compared], layers=True), run(inputs[compared:], layers=False, profile=False)
    return replace(
        first,
        outputs=(*first.outputs, *rest.outputs),
        stack_high=max(first.stack_high, rest.stack_high),
        arena_high=max(first.arena_high, rest.arena_high),
        arena_overrun=max(first.arena_overrun, rest.arena_overrun),
        reads_unwritten=first.reads_unwritten or rest.reads_unwritten,
        line=rest.line,
        seconds={phase: seconds + rest.seconds[phase] for phase, seconds in first.seconds.items()},
    )
