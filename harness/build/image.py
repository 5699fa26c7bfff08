"""Packages and a board -> an image."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import resources
from harness.build import toolchain as toolchains
from harness.build.cache import BuildCache, default_root, digest
from harness.build.jobs import compile_all
from harness.build.language import FRAMES, Language
from harness.build.linking import link_flags, link_objects, linker_scripts
from harness.build.memory import copied_sections, memory_script, region_usage, section_macros
from harness.build.port import load_port
from harness.build.progress import Progress
from harness.build.sources import BUILD_ID_SOURCE, PackageSources, Sources, compile_flags
from harness.elf.reader import is_elf
from harness.elf.sizes import Origin, Sizes, measure_sizes
from harness.errors import BoardConfigError, BuildError

if TYPE_CHECKING:  # boards import images
    from harness.hardware.board import Board

FORMAT = "6"
MEMORY_SCRIPT = "memory.ld"


@dataclass(frozen=True)
class Image:
    """A linked image, ready for a board.

    Attributes:
        elf: the image, in the cache; copy it to keep it.
        build_id: 16 hex digits over all that went in; the device tells it in its HELLO.
        board, core, link: what it was built for.
        language: what it speaks on the link.
        packages: names of the models in it, in the order of their index on the device.
        sizes: where its bytes went.
        toolchain: compiler and version.
        compiled: objects that were not in the cache.
        seconds: wall-clock seconds that building or finding it took.
        stack_size: bytes set aside for the stack; 0 where the operating system does it.
        sanitize: built with address and undefined-behaviour sanitizers.
        placement: part of the image -> memory region; None where the board has no choice.
        regions: memory region -> bytes of it that are taken.
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
        """The number by which the device knows a model.

        Raises:
            BuildError: it is not in the image.
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
    *,
    link: str | None = None,
    language: Language = FRAMES,
    placement: Mapping[str, str] | None = None,
    sanitize: bool = False,
    test_faults: bool = False,
    unity: bool = False,
    model_list: str | None = None,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
) -> Image:
    """Compile and link an image, or find it in the cache.

    Args:
        packages: generated models; several share one arena, as large as the largest needs.
        board: what to build for.
        link: "uart", "semihost", "fast" (the quickest that the port has), or None for the port's own; a port with one
            link always gets that.
        language: what the image speaks there.
        placement: part of the image -> memory region, where it differs from the board's own placement.
        sanitize: AddressSanitizer and UndefinedBehaviorSanitizer, host board only.
        test_faults: with the command that provokes faults, for tests of fault handling.
        unity: compile each package with its glue as one file: a quarter quicker for images of many small models. The
            glue then counts as model, and the compiler may inline what it would not in a user's own build.
        model_list: text of hil_models.c; made from the packages when None.
        cache_dir: the cache; None for $TINYHIL_CACHE or the user's.
        progress: called with ("compile" or "link", done, total).

    Raises:
        ToolchainMissingError: no usable compiler.
        BuildError: a source does not compile or the image does not link.
        DoesNotFitError: the image is larger than the board's memory.
        BoardConfigError: the board's port does not exist.
        PlacementError: a part cannot be where `placement` wants it.
    """
    start = time.monotonic()
    from harness.hardware.placement import assign_regions

    placed = assign_regions(board, placement or {})
    firmware = resources.firmware()
    port = load_port(firmware, board.port)
    link = port.choose_link(link)
    if sanitize and port.toolchain != "host":
        raise BuildError(f"sanitizers cannot run on {board.name}", hint="use --board host for a sanitized build")
    names = tuple(package.plan.name for package in packages)
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise BuildError(f"two models in one image are named {twice[0]}", hint="give each model a name of its own")
    if model_list is None:
        from harness.compiler.emit.package import model_list as make_model_list

        model_list = make_model_list(packages)  # type: ignore[arg-type]

    script = ""
    if port.memory_of_board:
        if placed is None:
            raise BoardConfigError(
                f"board {board.name}: port {port.name} needs `placement`", hint="see nucleo-h743 in boards.yaml"
            )
        script = memory_script(board, placed)
    toolchain = toolchains.find(port.toolchain)
    cache = BuildCache(default_root() if cache_dir is None else cache_dir)
    flags, macros = compile_flags(port, sanitize), section_macros(board, placed)
    sources = Sources(firmware, port, link, flags, macros, test_faults, language)
    of_package = sources.of_package_at_once if unity else sources.of_package
    jobs = [job for package in packages for job in of_package(package)] + sources.of_kernels(packages)
    jobs.append(sources.of_model_list(model_list))
    jobs += sources.of_runtime()
    stack_size = board.stack_size if port.ldscript else 0
    linking = link_flags(port, sanitize, stack_size)
    build_id_text = (firmware / "runtime" / BUILD_ID_SOURCE).read_text(encoding="utf-8")
    key = digest(
        "image",
        FORMAT,
        toolchain.identity,
        board.name,
        board.core,
        link,
        language.name,
        *linking,
        *port.libs,
        "",
        *linker_scripts(firmware, port),
        script,
        "",
        *(job.key(toolchain) for job in jobs),
        build_id_text,
    )
    image = _cached(cache, key, start)
    if image is not None:
        return image
    with cache.lock(key):
        image = _cached(cache, key, start)  # another process may have made it meanwhile
        if image is not None:
            return image
        build_id = key[:16]
        jobs.append(sources.of_build_id(build_id_text, build_id, board.name))
        with cache.workspace() as workspace:
            # both kinds, as the driver gives its assembler only the first
            kinds = ("-fdebug-prefix-map", "-fmacro-prefix-map")
            folders = ((workspace, "."), (firmware, "firmware"))
            paths = [f"{kind}={path}={name}" for kind in kinds for path, name in folders]
            objects, compiled = compile_all(jobs, toolchain, cache, workspace, paths, progress)
            if progress:
                progress("link", 0, 1)
            elf = workspace / "image.elf"
            if script:
                (workspace / MEMORY_SCRIPT).write_text(script, encoding="utf-8")
            link_map = link_objects(toolchain, firmware, port, linking, objects, elf, board, placed)
            origins = {str(path): job.origin for path, job in zip(objects, jobs, strict=True)}
            sizes = _sizes(elf, link_map, origins, copied_sections(board, placed))
            facts: dict[str, Any] = {
                "build_id": build_id,
                "board": board.name,
                "core": port.core,
                "link": link,
                "language": language.name,
                "packages": names,
                "sizes": sizes.as_dict(),
                "toolchain": toolchain.version,
                "stack_size": stack_size,
                "sanitize": sanitize,
                "placement": None if placed is None else asdict(placed),
                "regions": region_usage(elf, board),
            }
            path = cache.put(key, ".elf", elf.read_bytes(), mode=0o755)
            cache.put(key, ".json", json.dumps(facts, sort_keys=True).encode())
            if progress:
                progress("link", 1, 1)
    cache.prune()
    return _image(path, facts, compiled, start)


def _image(elf: Path, facts: Mapping[str, Any], compiled: int, start: float) -> Image:
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
        seconds=time.monotonic() - start,
        stack_size=facts["stack_size"],
        sanitize=facts["sanitize"],
        placement=facts["placement"],
        regions=facts["regions"],
    )


def _cached(cache: BuildCache, key: str, start: float) -> Image | None:
    elf = cache.find(key, ".elf")
    facts = cache.find(key, ".json")
    if elf is None or facts is None or not os.access(elf, os.X_OK):
        return None
    return _image(elf, json.loads(facts.read_bytes()), 0, start)


def _sizes(elf: Path, link_map: str, origins: Mapping[str, Origin], copied: frozenset[str]) -> Sizes:
    if not is_elf(elf):
        return Sizes()  # macOS and Windows executables: native sizes say nothing of a board anyway

    def origin(file: str) -> Origin:
        known = origins.get(file)
        if known is not None:
            return known
        return Origin(re.sub(r"^.*[/\\]", "", file))

    return measure_sizes(elf, link_map, origin, copied)
