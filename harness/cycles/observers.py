"""Observers: run a model on an emulated board and write a trace of what the core executes; one for each backend."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from harness.boards.backends.qemu.plugin import escape, plugin_library, plugin_loads
from harness.cycles import direct, replay
from harness.cycles.image import Layout
from harness.errors import ProfileError
from harness.hardware.board import VIRTUAL

if TYPE_CHECKING:
    from harness.boards import Board, Resolved, Session
    from harness.build import Image, PackageSources

TRACE = "trace"
PLUGIN = ("plugin.c", "tracer.h", "tracer_regions.h", "trace.h")
"""Sources of QEMU's plugin."""
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
    """Runs a model on boards of one backend and traces what the core executes.

    Attributes:
        emulator: the emulator's name.
    """

    emulator: ClassVar[str]

    def can_run(self, board: Board) -> bool:
        """Whether a board of the backend can be observed here."""
        del board
        return True

    @abstractmethod
    def version(self) -> str:
        """The emulator's version.

        Raises:
            EmulatorMissingError: it is not installed.
        """

    @abstractmethod
    def run(self, run: ObservedRun) -> tuple[bytes, ...]:
        """Runs the model; returns its outputs, and leaves the trace in the run's folder.

        Raises:
            ProfileError: the emulator cannot be observed.
            TinyhilError: the model cannot run on the board.
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

        arguments = plugin_arguments(run.layout, run.folder)
        with (
            plugin_loads("the profiler's plugin"),
            QemuSession(run.resolved, run.image, arguments=arguments) as session,
        ):
            return _infer(session, run)


class UnicornObserver(Observer):
    """The model alone under Unicorn, without starting the firmware."""

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
"""Backend -> observer of its boards."""


def observer_of(board: Board) -> Observer:
    """The observer of a board that runs.

    Raises:
        ProfileError: its backend has no observer.
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
    """Writes the file with the addresses of layers and exception handlers, for the tracer; returns its path."""
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
    plugin = plugin_library(replay.PACKAGE, PLUGIN)
    return ["-plugin", f"{escape(plugin)},list={escape(points)},trace={escape(folder / TRACE)}"]


def _infer(session: Session, run: ObservedRun) -> tuple[bytes, ...]:
    from harness.boards.session import open_client

    client = open_client(session, run.image)
    client.init(run.image.index_of(run.package.plan.name), _PAINT_SEED)
    return tuple(client.infer(run.inputs).outputs)
