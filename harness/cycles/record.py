"""Records a profile: runs a model once on an emulated board."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.build.cache import BuildCache, default_root, digest
from harness.cycles import replay
from harness.cycles.image import Layout, read_layout
from harness.cycles.observers import OBSERVERS, TRACE, ObservedRun, observer_of, unobservable
from harness.cycles.profile import LayerProfile, Profile
from harness.errors import ProfileError
from harness.hardware.board import VIRTUAL
from harness.quantization.types import Array

if TYPE_CHECKING:
    from harness.boards import Resolved
    from harness.build import Image, PackageSources
    from harness.compiler.plan import Plan

FORMAT = "3"


@dataclass(frozen=True, eq=False)
class Recording:
    """A profile with the outputs of the run.

    Attributes:
        outputs: bytes of each of the model's outputs.
        fresh: whether the model ran now; else the recording is from the cache.
    """

    profile: Profile
    outputs: tuple[bytes, ...]
    fresh: bool


def record(
    resolved: Resolved, image: Image, package: PackageSources, inputs: Sequence[Array], *, cache_dir: Path | None = None
) -> Recording:
    """The recording of one inference, from the cache if there is one.

    Args:
        resolved: the board that runs, which must be emulated.
        image: built for it.
        package: the model in the image.
        inputs: an array for each of the model's inputs, of its shape and type.
        cache_dir: where profiles are kept; None for $TINYHIL_CACHE or the user's cache.

    Raises:
        ProfileError: the board is not emulated, its emulator cannot be observed, or the model's layers did not all run.
        TinyhilError: the model cannot run on the board.
    """
    observer = observer_of(resolved.runs_on)
    emulator = f"{observer.emulator} {observer.version()}"
    layout = read_layout(image.elf, package.plan.name)
    data = [np.ascontiguousarray(array).tobytes() for array in inputs]
    cache = BuildCache(default_root() if cache_dir is None else cache_dir)
    key = digest("profile", FORMAT, replay.sources(), image.build_id, package.plan.name, emulator, *data)
    trace, facts = cache.find(key, ".trace"), cache.find(key, ".json")
    fresh = trace is None or facts is None
    if trace is None or facts is None:
        with cache.workspace() as folder:
            outputs = observer.run(ObservedRun(resolved, image, package, layout, data, folder))
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
    """The profile of each layer, with the plan's names.

    Raises:
        ProfileError: the layers that ran are not the plan's, or in another order.
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
    """The emulated board to profile for board `name`: the board itself; or its own image under Unicorn, if that is
    installed and emulates the core; or the emulated board that stands in for it.

    Raises:
        BoardConfigError: no board has that name.
        ProfileError: no board that can be observed stands in for it.
    """
    from harness.boards import Resolved, find_board

    asked = find_board(name)
    own = OBSERVERS.get(asked.backend)
    if own is not None and own.can_run(asked):
        return Resolved(asked, asked, False, "")
    if OBSERVERS[VIRTUAL].can_run(asked):
        reason = f"{name}'s own image is profiled under Unicorn, which knows a {asked.core}"
        return Resolved(asked, replace(asked, backend=VIRTUAL), True, reason)
    if asked.stand_in is not None:
        runs_on = find_board(asked.stand_in)
        emulator = observer_of(runs_on).emulator
        return Resolved(asked, runs_on, True, f"{runs_on.name} ({runs_on.core}, {emulator}) stands in for {name}")
    raise unobservable(name)
