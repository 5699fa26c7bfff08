"""Runs a model once on an emulated board and keeps what it executed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.build.cache import BuildCache, default_root, digest
from harness.build.host_library import host_library
from harness.cycles import direct, replay
from harness.cycles.image import Layout, read_layout
from harness.cycles.profile import LayerProfile, Profile
from harness.errors import BoardError, ProfileError
from harness.quantization.types import Array

if TYPE_CHECKING:
    from harness.boards import Resolved, Session
    from harness.build import Image, PackageSources
    from harness.compiler.plan import Plan

FORMAT = "3"
_PLUGIN = ("plugin.c", "tracer.h", "trace.h")
TRACE = "trace"
_PAINT_SEED = 0x5EED


@dataclass(frozen=True, eq=False)
class Recording:
    """A profile, and what the run computed.

    Attributes:
        outputs: bytes of each of the model's outputs.
        fresh: whether it was run now, and not found from before.
    """

    profile: Profile
    outputs: tuple[bytes, ...]
    fresh: bool


def record(
    resolved: Resolved, image: Image, package: PackageSources, inputs: Sequence[Array], *, cache_dir: Path | None = None
) -> Recording:
    """Profile one inference, or find the profile of the same from before.

    Args:
        resolved: the board that runs, which must be emulated.
        image: built for it.
        package: the model in the image.
        inputs: an array for each of the model's inputs, of its shape and type.
        cache_dir: where profiles are kept; None for $TINYHIL_CACHE or the user's cache.

    Raises:
        ProfileError: the board is not emulated, its emulator cannot be observed, or the model's layers did not all run.
        TinyhilError: whatever else keeps a model from running on a board.
    """
    emulator = _emulator(resolved)
    layout = read_layout(image.elf, package.plan.name)
    data = [np.ascontiguousarray(array).tobytes() for array in inputs]
    cache = BuildCache(default_root() if cache_dir is None else cache_dir)
    key = digest("profile", FORMAT, replay.sources(), image.build_id, package.plan.name, emulator, *data)
    trace, facts = cache.find(key, ".trace"), cache.find(key, ".json")
    fresh = trace is None or facts is None
    if trace is None or facts is None:
        with cache.workspace() as folder:
            outputs = _run(resolved, image, package, layout, data, folder)
            content = replay.read_trace(folder / TRACE)
        trace = cache.put(key, ".trace", content)
        facts = cache.put(key, ".json", json.dumps({"outputs": [output.hex() for output in outputs]}).encode())
    profile = Profile(
        model=package.plan.name,
        layers=_layers(package.plan, layout, trace),
        elf=image.elf,
        code=layout.code,
        spans=layout.spans,
        board=resolved.runs_on.name,
        core=resolved.runs_on.core,
        emulator=emulator,
        toolchain=image.toolchain,
        trace=trace,
    )
    outputs = tuple(bytes.fromhex(output) for output in json.loads(facts.read_bytes())["outputs"])
    return Recording(profile, outputs, fresh)


def _layers(plan: Plan, layout: Layout, trace: Path) -> tuple[LayerProfile, ...]:
    """What each layer executed, under the plan's names.

    Raises:
        ProfileError: others ran than the plan has, or in another order.
    """
    counted = replay.count(trace, layout.spans)
    if tuple(layer.entry for layer in counted) != layout.layers or len(counted) != len(plan.layers):
        raise ProfileError(
            f"{len(counted)} layers ran where {plan.name} has {len(plan.layers)}",
            hint="this is a bug, please report it",
        )
    return tuple(
        LayerProfile(layer.name, layer.index, found.counts, found.transfers, found.accesses)
        for layer, found in zip(plan.layers, counted, strict=True)
    )


def observable(name: str) -> Resolved:
    """The emulated board to profile where `name` is asked for: its own image under Unicorn where that is installed and
    knows the core, else what stands in for it under QEMU.

    Raises:
        BoardConfigError: no board has that name.
        ProfileError: nothing that can be observed stands in for it.
    """
    from harness.boards import Resolved, find_board

    asked = find_board(name)
    if asked.backend == "qemu":
        return Resolved(asked, asked, False, "")
    if asked.backend == "pyocd" and direct.can_run(asked):
        reason = f"{name}'s own image is profiled under Unicorn, which knows a {asked.core}"
        return Resolved(asked, replace(asked, backend="virtual"), True, reason)
    if asked.stand_in is not None:
        runs_on = find_board(asked.stand_in)
        return Resolved(asked, runs_on, True, f"{runs_on.name} ({runs_on.core}, QEMU) stands in for {name}")
    raise ProfileError(
        f"{name} cannot be profiled: only emulated boards show what they execute",
        hint="profile an emulated board, such as mps2-an386 for a Cortex-M4",
    )


def _emulator(resolved: Resolved) -> str:
    """What runs the board, and its version."""
    backend = resolved.runs_on.backend
    if backend == "virtual":
        return f"Unicorn {direct.version()}"
    if backend == "qemu":
        from harness.boards.backends.qemu.session import qemu_version

        return "QEMU " + qemu_version().rpartition(" (")[0].removeprefix("QEMU emulator version ")
    raise ProfileError(
        f"{resolved.ran_on} cannot be profiled: only emulated boards show what they execute",
        hint="profile an emulated board, such as mps2-an386 for a Cortex-M4",
    )


def _run(
    resolved: Resolved, image: Image, package: PackageSources, layout: Layout, inputs: Sequence[bytes], folder: Path
) -> tuple[bytes, ...]:
    """One inference with its trace in `folder`."""
    if resolved.runs_on.backend == "virtual":
        points = write_points(layout, folder)
        return direct.run(resolved.runs_on, image, package, layout, inputs, points, folder / TRACE)
    from harness.boards.backends.qemu.session import QemuSession

    try:
        with QemuSession(resolved, image, arguments=plugin_arguments(layout, folder)) as session:
            return _infer(session, image, package, inputs)
    except BoardError as error:
        if "plugin" in error.details:
            raise ProfileError(
                "QEMU does not load the profiler's plugin",
                hint="use a QEMU from 7.2 on that is built with plugins, as Debian's is",
                details=error.details,
            ) from error
        raise


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


def _infer(session: Session, image: Image, package: PackageSources, inputs: Sequence[bytes]) -> tuple[bytes, ...]:
    from harness.boards.session import open_client

    client = open_client(session, image)
    client.init(image.index_of(package.plan.name), _PAINT_SEED)
    return tuple(client.infer(inputs).outputs)


def _escape(path: Path) -> str:
    """A path as a part of one of QEMU's options."""
    return str(path).replace(",", ",,")
