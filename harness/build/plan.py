"""Build plan: the jobs and flags of an image, and its key in the cache, from packages, a board and options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness import resources
from harness.build import toolchain as toolchains
from harness.build.cache import digest
from harness.build.jobs import Job
from harness.build.language import FRAMES, Language
from harness.build.linking import link_flags, linker_scripts
from harness.build.memory import memory_script, section_macros
from harness.build.port import Port, load_port
from harness.build.sources import BUILD_ID_SOURCE, PackageSources, Sources, compile_flags
from harness.build.toolchain import Toolchain
from harness.errors import BoardConfigError, BuildError

if TYPE_CHECKING:
    from harness.hardware.board import Board, Placement

FORMAT = "6"


@dataclass(frozen=True, eq=False)
class BuildOptions:
    """How an image is built.

    Attributes:
        link: "uart", "semihost", "fast" (the fastest that the port has), or None for the port's default; ignored for a
            port with one link.
        language: the protocol on the link.
        placement: the region of each part, as harness.hardware.placement.assign_regions gives it; None for the board's
            own.
        sanitize: AddressSanitizer and UndefinedBehaviorSanitizer, host board only.
        test_faults: with the command that provokes faults, for tests of fault handling.
        unity: compile each package with its glue as one file: a quarter less time for images of many small models.
            The glue then counts as model in sizes, and the compiler may inline more than in a user's own build.
        model_list: text of hil_models.c; made from the packages when None.
        folders: of firmware/, which are compiled into the image besides.
        defines: macros of the runtime besides those of port and link.
    """

    link: str | None = None
    language: Language = FRAMES
    placement: Placement | None = None
    sanitize: bool = False
    test_faults: bool = False
    unity: bool = False
    model_list: str | None = None
    folders: tuple[str, ...] = ()
    defines: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class BuildPlan:
    """Everything that an image is made from.

    Attributes:
        key: digest over everything here that can change a byte of the image; its key in the cache.
        board: what it is built for.
        packages: names of the models, in the order of their index on the device.
        port, link, language: as chosen.
        placement: the region of each part; None for a board without placement.
        sanitize: with sanitizers.
        toolchain: the compiler.
        jobs: all objects except that with the build id, which needs the key.
        build_id_job: the one with the build id.
        link_flags: of the linker.
        memory_script: text of memory.ld; "" where the port has a memory map of its own.
        stack_size: bytes reserved for the stack; 0 where the operating system provides it.
        firmware: folder of runtime and ports.
    """

    key: str
    board: Board
    packages: tuple[str, ...]
    port: Port
    link: str
    language: str
    placement: Placement | None
    sanitize: bool
    toolchain: Toolchain
    jobs: tuple[Job, ...]
    build_id_job: Job
    link_flags: tuple[str, ...]
    memory_script: str
    stack_size: int
    firmware: Path

    @property
    def build_id(self) -> str:
        """The id that the device sends in its answer to HELLO: 16 hex digits."""
        return self.key[:16]


def plan_build(packages: Sequence[PackageSources], board: Board, options: BuildOptions) -> BuildPlan:
    """The plan of an image; compiles and writes nothing.

    Raises:
        ToolchainMissingError: no usable compiler.
        BuildError: no such link, sanitizers on another board than the host, or two models of one name.
        BoardConfigError: the board's port does not exist, or needs a placement that the board does not have.
    """
    firmware = resources.firmware()
    port = load_port(firmware, board.port)
    link = port.choose_link(options.link)
    names = _names(packages, port, board, options)
    placement = board.placement if options.placement is None else options.placement
    script = _memory_script(port, board, placement)
    toolchain = toolchains.find(port.toolchain)
    flags, macros = compile_flags(port, options.sanitize), (*section_macros(board, placement), *_npu_macros(board))
    defines = (*options.defines, *(["HIL_TEST_FAULTS"] if options.test_faults else []))
    sources = Sources(firmware, port, link, flags, macros, defines, options.language, options.folders)
    jobs = _jobs(sources, packages, options)
    stack_size = board.stack_size if port.ldscript else 0
    linking = link_flags(port, options.sanitize, stack_size)
    build_id_text = (firmware / "runtime" / BUILD_ID_SOURCE).read_text(encoding="utf-8")
    key = digest(
        "image", FORMAT, toolchain.identity, board.name, board.core, link, options.language.name, *linking,
        *port.libs, "", *linker_scripts(firmware, port), script, "", *(job.key(toolchain) for job in jobs),
        build_id_text,
    )  # fmt: skip
    return BuildPlan(
        key=key,
        board=board,
        packages=names,
        port=port,
        link=link,
        language=options.language.name,
        placement=placement,
        sanitize=options.sanitize,
        toolchain=toolchain,
        jobs=tuple(jobs),
        build_id_job=sources.of_build_id(build_id_text, key[:16], board.name),
        link_flags=tuple(linking),
        memory_script=script,
        stack_size=stack_size,
        firmware=firmware,
    )


def _npu_macros(board: Board) -> tuple[str, ...]:
    """Flags that tell the driver where the NPU's registers are."""
    return () if board.npu is None else (f"-DHIL_ETHOSU_BASE=0x{board.npu.base:08X}U",)


def _names(packages: Sequence[PackageSources], port: Port, board: Board, options: BuildOptions) -> tuple[str, ...]:
    """The models' names; checks that port and board allow the options."""
    if options.sanitize and port.toolchain != "host":
        raise BuildError(f"sanitizers cannot run on {board.name}", hint="use --board host for a sanitized build")
    names = tuple(package.plan.name for package in packages)
    if len(set(names)) < len(names):
        twice = min(name for name in names if names.count(name) > 1)
        raise BuildError(f"two models in one image are named {twice}", hint="give each model a name of its own")
    return names


def _memory_script(port: Port, board: Board, placement: Placement | None) -> str:
    """Text of memory.ld; "" where the port has a memory map of its own."""
    if not port.memory_of_board:
        return ""
    if placement is None:
        raise BoardConfigError(
            f"board {board.name}: port {port.name} needs `placement`", hint="see nucleo-h743 in boards.yaml"
        )
    return memory_script(board, placement)


def _jobs(sources: Sources, packages: Sequence[PackageSources], options: BuildOptions) -> list[Job]:
    """All objects except that with the build id."""
    model_list = options.model_list
    if model_list is None:
        from harness.compiler.emit.package import model_list as make_model_list

        model_list = make_model_list(packages)  # type: ignore[arg-type]
    of_package = sources.of_package_at_once if options.unity else sources.of_package
    jobs = [job for package in packages for job in of_package(package)] + sources.of_kernels(packages)
    return [*jobs, sources.of_model_list(model_list), *sources.of_runtime()]
