"""Packages and a board -> an image."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from harness import resources
from harness.build import toolchain as toolchains
from harness.build.cache import Cache, default_root, digest
from harness.build.jobs import Job, Progress, Tree, compile_all, run_tool
from harness.build.language import FRAMES, Language
from harness.build.memory import copied_sections, does_not_fit, memory_script, region_usage, section_macros
from harness.build.port import Port, load_port
from harness.build.sections import Origin, Sizes, measure_sizes
from harness.build.toolchain import Toolchain
from harness.errors import BoardConfigError, BuildError
from harness.plan import Plan

if TYPE_CHECKING:  # boards import images
    from harness.boards.records import Board, Placement

# -g1 gives fault reports function names and lines, and does not change the code
COMMON_FLAGS = ("-std=c11", "-O2", "-g1", "-ffunction-sections", "-fdata-sections")
WARNING_FLAGS = ("-Wall", "-Wextra", "-Wconversion", "-Werror")
SANITIZE_FLAGS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer")
FORMAT = "5"
BUILD_ID_SOURCE = "build_id.c"
MODEL_LIST = "hil_models.c"
MEMORY_SCRIPT = "memory.ld"


class Package(Protocol):
    """What the builder needs of a generated package; harness.emit.Package is one."""

    @property
    def plan(self) -> Plan:
        """The plan, whose name prefixes all symbols."""

    @property
    def files(self) -> Mapping[str, str]:
        """File name -> text of everything but the glue."""

    @property
    def sources(self) -> Sequence[str]:
        """The C files among `files`."""

    @property
    def glue(self) -> str:
        """Text of NAME_hil.c."""


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
    packages: Sequence[Package],
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
    from harness.boards.placement import place

    placed = place(board, placement or {})
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
        from harness.emit import model_list as make_model_list

        model_list = make_model_list(packages)  # type: ignore[arg-type]

    script = ""
    if port.memory_of_board:
        if placed is None:
            raise BoardConfigError(
                f"board {board.name}: port {port.name} needs `placement`", hint="see nucleo-h743 in boards.yaml"
            )
        script = memory_script(board, placed)
    toolchain = toolchains.find(port.toolchain)
    cache = Cache(default_root() if cache_dir is None else cache_dir)
    flags, macros = _flags(port, sanitize), section_macros(board, placed)
    sources = _Sources(firmware, port, link, flags, macros, test_faults, language)
    of_package = sources.of_package_at_once if unity else sources.of_package
    jobs = [job for package in packages for job in of_package(package)]
    jobs.append(sources.of_model_list(model_list))
    jobs += sources.of_runtime()
    stack_size = board.stack_size if port.ldscript else 0
    link_flags = _link_flags(port, sanitize, stack_size)
    build_id_text = (firmware / "runtime" / BUILD_ID_SOURCE).read_text(encoding="utf-8")
    key = digest(
        "image",
        FORMAT,
        toolchain.identity,
        board.name,
        board.core,
        link,
        language.name,
        *link_flags,
        *port.libs,
        "",
        *_linker_scripts(firmware, port),
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
            paths = [f"-ffile-prefix-map={workspace}=.", f"-ffile-prefix-map={firmware}=firmware"]
            objects, compiled = compile_all(jobs, toolchain, cache, workspace, paths, progress)
            if progress:
                progress("link", 0, 1)
            elf = workspace / "image.elf"
            if script:
                (workspace / MEMORY_SCRIPT).write_text(script, encoding="utf-8")
            link_map = _link(toolchain, firmware, port, link_flags, objects, elf, board, placed)
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


def _cached(cache: Cache, key: str, start: float) -> Image | None:
    elf = cache.find(key, ".elf")
    facts = cache.find(key, ".json")
    if elf is None or facts is None or not os.access(elf, os.X_OK):
        return None
    return _image(elf, json.loads(facts.read_bytes()), 0, start)


def _flags(port: Port, sanitize: bool) -> tuple[str, ...]:
    return (*COMMON_FLAGS, *WARNING_FLAGS, *port.cflags, *(SANITIZE_FLAGS if sanitize else ()))


class _Sources:
    """Makes the jobs of one image."""

    def __init__(
        self,
        firmware: Path,
        port: Port,
        link: str,
        flags: tuple[str, ...],
        macros: tuple[str, ...],
        test_faults: bool,
        language: Language,
    ) -> None:
        self._firmware = firmware
        self._language = language
        self._port = port
        self._choice = port.links[link]
        self._flags = flags
        self._package_flags = (*flags, *macros)
        defines = [*port.defines, *self._choice.defines, *(["HIL_TEST_FAULTS"] if test_faults else [])]
        self._runtime_flags = (*flags, *(f"-D{define}" for define in defines))
        self._runtime = str(firmware / "runtime")
        includes = [*port.includes, *([language.folder] if language.folder else [])]
        self._includes = tuple(str(firmware / folder) for folder in includes)
        self._model_context = _header_digest(firmware, ["runtime"])
        self._runtime_context = _header_digest(firmware, ["runtime", *includes])

    def of_package(self, package: Package) -> list[Job]:
        """The package's own sources, which see nothing but the package, and its glue."""
        name = package.plan.name
        glue = f"{name}_hil.c"
        tree = Tree(name, {**package.files, glue: package.glue})
        headers = tree.headers()
        kernels = _kernels(package)
        jobs = []
        for source in package.sources:
            label = f"{name}/{source}"
            origin = Origin(label, name, kernels)
            jobs.append(Job(origin, label, tree, package.files[source], self._package_flags, (name,), headers))
        label = f"{name}/{glue}"
        context = digest(headers, self._model_context)
        jobs.append(Job(Origin(label), label, tree, package.glue, self._flags, (name, self._runtime), context))
        return jobs

    def of_package_at_once(self, package: Package) -> list[Job]:
        """The package and its glue as one file."""
        name = package.plan.name
        label = f"{name}/{name}_unity.c"
        text = "".join(f'#include "{source}"\n' for source in (*package.sources, f"{name}_hil.c"))
        tree = Tree(name, {**package.files, f"{name}_hil.c": package.glue, Path(label).name: text})
        context = digest(*(part for file in tree.files.items() for part in file), self._model_context)
        origin = Origin(label, name, _kernels(package))
        return [Job(origin, label, tree, text, self._package_flags, (name, self._runtime), context)]

    def of_model_list(self, text: str) -> Job:
        """hil_models.c."""
        tree = Tree("hil_models", {MODEL_LIST: text})
        return Job(
            Origin(MODEL_LIST),
            f"hil_models/{MODEL_LIST}",
            tree,
            text,
            self._flags,
            (self._runtime,),
            self._model_context,
        )

    def of_runtime(self) -> list[Job]:
        """The runtime or another language, the port and the link, without build_id.c."""
        language = self._language
        files = self._c_files("runtime") if language.runtime is None else language.runtime
        sources = [f"runtime/{name}" for name in files if name != BUILD_ID_SOURCE]
        if language.folder:
            sources += [f"{language.folder}/{name}" for name in self._c_files(language.folder)]
        jobs = [self._of_generated(name, text) for name, text in language.files.items()]
        for source in [*sources, *self._port.sources, *self._choice.sources]:
            path = self._firmware / source
            try:
                text = path.read_text(encoding="utf-8")
            except OSError as error:
                raise BuildError(
                    f"{path}: {error.strerror}", hint=f"firmware/ports/{self._port.name}/port.yaml names it"
                ) from error
            jobs.append(self._of_firmware(source, text, ()))
        return jobs

    def _c_files(self, folder: str) -> list[str]:
        return sorted(path.name for path in (self._firmware / folder).glob("*.c"))

    def _of_generated(self, name: str, text: str) -> Job:
        label = f"{self._language.name}/{name}"
        tree = Tree(self._language.name, {name: text})
        return Job(Origin(label), label, tree, text, self._flags, self._includes, self._runtime_context)

    def of_build_id(self, text: str, build_id: str, board: str) -> Job:
        """The one object that differs between images of the same parts."""
        defines = (f'-DHIL_BUILD_ID="{build_id}"', f'-DHIL_BOARD="{board}"')
        return self._of_firmware(f"runtime/{BUILD_ID_SOURCE}", text, defines)

    def _of_firmware(self, source: str, text: str, defines: tuple[str, ...]) -> Job:
        flags = (*self._runtime_flags, *defines)
        path = str(self._firmware / source)
        return Job(Origin(source), path, None, text, flags, self._includes, self._runtime_context)


def _kernels(package: Package) -> frozenset[str]:
    """Names of functions that count as kernels: a kernel's file has its function's name."""
    files = {Path(file).stem for file in package.files if file.endswith(".h")} - {package.plan.name}
    return frozenset(layer.kernel for layer in package.plan.layers) | files


def _header_digest(firmware: Path, folders: Sequence[str]) -> str:
    parts: list[str] = []
    for folder in dict.fromkeys(folders):
        for path in sorted((firmware / folder).glob("*.h")):
            parts += [f"{folder}/{path.name}", path.read_text(encoding="utf-8")]
    return digest(*parts)


def _linker_scripts(firmware: Path, port: Port) -> list[str]:
    if port.ldscript is None:
        return []
    paths = [firmware / port.ldscript]
    for folder in port.library_dirs:
        paths += sorted((firmware / folder).glob("*.ld"))
    try:
        return [path.read_text(encoding="utf-8") for path in paths]
    except OSError as error:
        raise BuildError(
            f"{error.filename}: {error.strerror}", hint=f"firmware/ports/{port.name}/port.yaml names it"
        ) from error


def _link_flags(port: Port, sanitize: bool, stack_size: int) -> list[str]:
    flags = [*port.cflags, *(SANITIZE_FLAGS if sanitize else ()), *port.ldflags]
    if port.ldscript:
        flags += [f"-Wl,--defsym=HIL_STACK_SIZE={stack_size}", "-Wl,--fatal-warnings"]
    return flags


def _link(
    toolchain: Toolchain,
    firmware: Path,
    port: Port,
    flags: Sequence[str],
    objects: Sequence[Path],
    elf: Path,
    board: Board,
    placed: Placement | None,
) -> str:
    """Link the objects; gives the text of the link map ("" where the linker writes none)."""
    scripts = [f"-L{firmware / folder}" for folder in port.library_dirs]
    if port.memory_of_board:
        scripts.append(f"-L{elf.parent}")
    if port.ldscript:
        scripts.append(f"-T{firmware / port.ldscript}")
    link_map = elf.with_suffix(".map")
    gnu = toolchain.kind == "arm" or os.name == "posix" and os.uname().sysname == "Linux"
    # a list of many models is longer than a command line may be
    listed = elf.with_suffix(".rsp")
    listed.write_text("\n".join('"' + str(path).replace("\\", "\\\\") + '"' for path in objects), encoding="utf-8")
    command = [
        str(toolchain.cc),
        *flags,
        *scripts,
        *([f"-Wl,-Map={link_map}"] if gnu else []),
        f"@{listed}",
        *port.libs,
    ]
    try:
        run_tool([*command, "-o", str(elf)], elf.parent, f"the image for {board.name} does not link", toolchain)
    except BuildError as error:
        excess = does_not_fit(board, placed, error)
        if excess is None:
            raise
        raise excess from error
    return link_map.read_text(encoding="utf-8", errors="replace") if gnu else ""


def _sizes(elf: Path, link_map: str, origins: Mapping[str, Origin], copied: frozenset[str]) -> Sizes:
    with elf.open("rb") as file:
        if file.read(4) != b"\x7fELF":
            return Sizes()  # macOS and Windows executables: native sizes say nothing of a board anyway

    def origin(file: str) -> Origin:
        known = origins.get(file)
        if known is not None:
            return known
        return Origin(re.sub(r"^.*[/\\]", "", file))

    return measure_sizes(elf, link_map, origin, copied)
