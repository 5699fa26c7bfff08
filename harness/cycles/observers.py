"""How a run on an emulated board is observed: one observer a backend whose boards show what they execute."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from harness.build.host_library import host_library
from harness.cycles import direct, replay
from harness.cycles.image import Layout
from harness.errors import BoardError, ProfileError
from harness.hardware.board import VIRTUAL

if TYPE_CHECKING:
    from harness.boards import Board, Resolved, Session
    from harness.build import Image, PackageSources

TRACE = "trace"
_PLUGIN = ("plugin.c", "tracer.h", "trace.h")
_PAINT_SEED = 0x5EED


@dataclass(frozen=True, eq=False)
class ObservedRun:
    """One inference to observe.

    Attributes:
        resolved: the board that runs.
        image: built for it.
        package: the model in the image.
        layout: of the model in the image.
        inputs: bytes of each of the model's inputs.
        folder: where the trace is written, as file `trace`.
    """

    resolved: Resolved
    image: Image
    package: PackageSources
    layout: Layout
    inputs: Sequence[bytes]
    folder: Path


class Observer(ABC):
    """Runs a model on boards of one backend and writes down what the core executes.

    Attributes:
        emulator: name of what runs the core.
    """

    emulator: ClassVar[str]

    def can_run(self, board: Board) -> bool:
        """Whether a board of the backend can be observed here."""
        del board
        return True

    @abstractmethod
    def version(self) -> str:
        """The emulator's.

        Raises:
            EmulatorMissingError: it is not installed.
        """

    @abstractmethod
    def run(self, run: ObservedRun) -> tuple[bytes, ...]:
        """The model's outputs; the trace is in the run's folder afterwards.

        Raises:
            ProfileError: the emulator cannot be observed.
            TinyhilError: whatever else keeps a model from running on a board.
        """


class QemuObserver(Observer):
    """The whole image under QEMU, with a plugin that writes the trace."""

    emulator = "QEMU"

    def version(self) -> str:
        """See base."""
        from harness.boards.backends.qemu.session import qemu_version

        return qemu_version().rpartition(" (")[0].removeprefix("QEMU emulator version ")

    def run(self, run: ObservedRun) -> tuple[bytes, ...]:
        """See base."""
        from harness.boards.backends.qemu.session import QemuSession

        try:
            with QemuSession(run.resolved, run.image, arguments=plugin_arguments(run.layout, run.folder)) as session:
                return _infer(session, run)
        except BoardError as error:
            if "plugin" in error.details:
                raise ProfileError(
                    "QEMU does not load the profiler's plugin",
                    hint="use a QEMU from 7.2 on that is built with plugins, as Debian's is",
                    details=error.details,
                ) from error
            raise


class UnicornObserver(Observer):
    """The model by itself under Unicorn, without the firmware around it."""

    emulator = "Unicorn"

    def can_run(self, board: Board) -> bool:
        """Whether Unicorn is installed and knows the board's core."""
        return direct.can_run(board)

    def version(self) -> str:
        """See base."""
        return direct.version()

    def run(self, run: ObservedRun) -> tuple[bytes, ...]:
        """See base."""
        points = write_points(run.layout, run.folder)
        board, trace = run.resolved.runs_on, run.folder / TRACE
        return direct.run(board, run.image, run.package, run.layout, run.inputs, points, trace)


OBSERVERS: Mapping[str, Observer] = {"qemu": QemuObserver(), VIRTUAL: UnicornObserver()}
"""Backend -> how its boards are observed."""


def observer_of(board: Board) -> Observer:
    """The observer of a board that runs.

    Raises:
        ProfileError: its backend shows nothing of what it executes.
    """
    observer = OBSERVERS.get(board.backend)
    if observer is None:
        raise unobservable(board.name)
    return observer


def unobservable(name: str) -> ProfileError:
    """The error for a board that cannot be observed."""
    return ProfileError(
        f"{name} cannot be profiled: only emulated boards show what they execute",
        hint="profile an emulated board, such as mps2-an386 for a Cortex-M4",
    )


def write_points(layout: Layout, folder: Path) -> Path:
    """The file that tells the tracer where layers and exception handlers begin."""
    points = folder / "points"
    points.write_text(
        "".join(f"layer {address:x}\n" for address in layout.layers)
        + "".join(f"handler {address:x}\n" for address in layout.handlers)
    )
    return points


def plugin_arguments(layout: Layout, folder: Path) -> list[str]:
    """QEMU's arguments for a run that writes `folder`/trace.

    Raises:
        ToolchainMissingError: no host compiler, and the plugin is not in the cache.
    """
    points = write_points(layout, folder)
    plugin = host_library(replay.PACKAGE, _PLUGIN)
    return ["-plugin", f"{_escape(plugin)},list={_escape(points)},trace={_escape(folder / TRACE)}"]


def _infer(session: Session, run: ObservedRun) -> tuple[bytes, ...]:
    from harness.boards.session import open_client

    client = open_client(session, run.image)
    client.init(run.image.index_of(run.package.plan.name), _PAINT_SEED)
    return tuple(client.infer(run.inputs).outputs)


def _escape(path: Path) -> str:
    """A path as a part of one of QEMU's options."""
    return str(path).replace(",", ",,")
