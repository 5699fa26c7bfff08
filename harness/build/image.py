"""Image: an executable for a board, compiled and linked from generated packages and the firmware."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.build.cache import BuildCache, default_root
from harness.build.fit_advice import advice, check_fit
from harness.build.jobs import Job, compile_all
from harness.build.linking import link_objects
from harness.build.memory import copied_sections, region_usage
from harness.build.plan import BuildOptions, BuildPlan, plan_build
from harness.build.progress import Progress
from harness.build.sources import PackageSources
from harness.elf.reader import is_elf
from harness.elf.sizes import Origin, Sizes, measure_sizes
from harness.errors import BuildError, DoesNotFitError

if TYPE_CHECKING:
    from harness.hardware.board import Board

MEMORY_SCRIPT = "memory.ld"


@dataclass(frozen=True)
class Image:
    """A linked image, ready for a board.

    Attributes:
        elf: the image, in the cache; copy it to keep it.
        build_id: 16 hex digits of a hash over all inputs of the build; the device sends it in its answer to HELLO.
        board, core, link: what it was built for.
        language: the name of the protocol on its link, see harness.build.language.
        packages: names of the models in it, in the order of their index on the device.
        sizes: bytes by model, kernels and runtime.
        toolchain: compiler and version.
        compiled: objects that were not in the cache.
        seconds: wall-clock seconds that building or finding it took.
        stack_size: bytes reserved for the stack; 0 where the operating system provides it.
        sanitize: built with address and undefined-behaviour sanitizers.
        placement: part of the image -> memory region; None for a board without placement.
        regions: memory region -> bytes used.
    """

    elf: Path
    build_id: str
    board: str
    core: str
    link: str
    language: str
    packages: tuple[str, ...]
    sizes: Sizes
    toolchain: str
    compiled: int
    seconds: float
    stack_size: int
    sanitize: bool
    placement: Mapping[str, str] | None = None
    regions: Mapping[str, int] = field(default_factory=dict)

    def index_of(self, package: str) -> int:
        """The index of a model on the device.

        Raises:
            BuildError: the model is not in the image.
        """
        try:
            return self.packages.index(package)
        except ValueError:
            raise BuildError(
                f"model {package} is not in the image", hint=f"it has: {', '.join(self.packages)}"
            ) from None


def build_image(
    packages: Sequence[PackageSources],
    board: Board,
    options: BuildOptions = BuildOptions(),  # noqa: B008
    *,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
) -> Image:
    """Compile and link an image, or find it in the cache.

    Args:
        packages: generated models; several share one arena, as large as the largest needs.
        board: what to build for.
        options: how to build.
        cache_dir: the cache; None for $TINYHIL_CACHE or the user's.
        progress: called with ("compile" or "link", done, total).

    Raises:
        ToolchainMissingError: no usable compiler.
        BuildError: a source does not compile or the image does not link.
        DoesNotFitError: the image is larger than the board's memory.
        BoardConfigError: the board's port does not exist.
    """
    start = time.monotonic()
    plan = plan_build(packages, board, options)
    check_fit(packages, board, plan.placement)
    cache = BuildCache(default_root() if cache_dir is None else cache_dir)
    image = cached_image(plan, cache)
    if image is None:
        with cache.lock(plan.key):  # another process may have made it while this one waited
            try:
                image = cached_image(plan, cache) or make_image(plan, cache, progress)
            except DoesNotFitError as error:
                error.hint = advice(packages, board, plan.placement, error.excess)
                raise
        cache.prune()
    return replace(image, seconds=time.monotonic() - start)


def cached_image(plan: BuildPlan, cache: BuildCache) -> Image | None:
    """The image of a plan from the cache; None if it is not there."""
    elf = cache.find(plan.key, ".elf")
    facts = cache.find(plan.key, ".json")
    if elf is None or facts is None or not os.access(elf, os.X_OK):
        return None
    return _image(elf, json.loads(facts.read_bytes()), 0)


def make_image(plan: BuildPlan, cache: BuildCache, progress: Progress | None = None) -> Image:
    """Compile the objects that are not in the cache, link, and put the image into the cache.

    Raises:
        ToolchainMissingError: the compiler cannot be started, or its C library is missing.
        BuildError: a source does not compile or the image does not link.
        DoesNotFitError: the image is larger than the board's memory.
    """
    jobs = (*plan.jobs, plan.build_id_job)
    with cache.workspace() as workspace:
        objects, compiled = compile_all(jobs, plan.toolchain, cache, workspace, _path_flags(plan, workspace), progress)
        if progress:
            progress("link", 0, 1)
        elf, sizes = _link(plan, jobs, objects, workspace)
        facts = _facts(plan, sizes, region_usage(elf, plan.board))
        path = cache.put(plan.key, ".elf", elf.read_bytes(), mode=0o755)
        cache.put(plan.key, ".json", json.dumps(facts, sort_keys=True).encode())
        if progress:
            progress("link", 1, 1)
    return _image(path, facts, compiled)


def _path_flags(plan: BuildPlan, workspace: Path) -> list[str]:
    """Flags that replace this machine's paths in the objects, so that builds are reproducible."""
    # Both, as the driver passes only the first to the assembler.
    kinds = ("-fdebug-prefix-map", "-fmacro-prefix-map")
    folders = ((workspace, "."), (plan.firmware, "firmware"))
    return [f"{kind}={path}={name}" for kind in kinds for path, name in folders]


def _link(plan: BuildPlan, jobs: Sequence[Job], objects: Sequence[Path], workspace: Path) -> tuple[Path, Sizes]:
    """(the linked image in the workspace, its sizes)."""
    elf = workspace / "image.elf"
    if plan.memory_script:
        (workspace / MEMORY_SCRIPT).write_text(plan.memory_script, encoding="utf-8")
    link_map = link_objects(
        plan.toolchain, plan.firmware, plan.port, plan.link_flags, objects, elf, plan.board, plan.placement
    )
    origins = {str(path): job.origin for path, job in zip(objects, jobs, strict=True)}
    return elf, _sizes(elf, link_map, origins, copied_sections(plan.board, plan.placement))


def _facts(plan: BuildPlan, sizes: Sizes, regions: Mapping[str, int]) -> dict[str, Any]:
    """The data that the cache keeps beside an image."""
    return {
        "build_id": plan.build_id,
        "board": plan.board.name,
        "core": plan.port.core,
        "link": plan.link,
        "language": plan.language,
        "packages": plan.packages,
        "sizes": sizes.as_dict(),
        "toolchain": plan.toolchain.version,
        "stack_size": plan.stack_size,
        "sanitize": plan.sanitize,
        "placement": None if plan.placement is None else plan.placement.parts,
        "regions": regions,
    }


def _image(elf: Path, facts: Mapping[str, Any], compiled: int) -> Image:
    return Image(
        elf=elf,
        build_id=facts["build_id"],
        board=facts["board"],
        core=facts["core"],
        link=facts["link"],
        language=facts["language"],
        packages=tuple(facts["packages"]),
        sizes=Sizes.from_dict(facts["sizes"]),
        toolchain=facts["toolchain"],
        compiled=compiled,
        seconds=0.0,
        stack_size=facts["stack_size"],
        sanitize=facts["sanitize"],
        placement=facts["placement"],
        regions=facts["regions"],
    )


def _sizes(elf: Path, link_map: str, origins: Mapping[str, Origin], copied: frozenset[str]) -> Sizes:
    if not is_elf(elf):
        return Sizes()  # executables of macOS and Windows; native sizes are no estimate for a board

    def origin(file: str) -> Origin:
        known = origins.get(file)
        if known is not None:
            return known
        return Origin(re.sub(r"^.*[/\\]", "", file))

    return measure_sizes(elf, link_map, origin, copied)
