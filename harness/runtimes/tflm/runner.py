"""Arm's prebuilt inference runner: where it is, that it is the one that is known, and how it starts without an NPU.

Package mlia-ethos-u has it: TFLM with CMSIS-NN and 98 operators for a Cortex-M55, built by Arm's ML Embedded Evaluation
Kit. Its program expects an Ethos-U beside the core, which QEMU's mps3-an547 has not. Five functions that start and
count the NPU are therefore replaced, in a copy: nothing is written where pip put the package.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from harness.build.cache import BuildCache, default_root, digest
from harness.elf.sections import read_sections
from harness.elf.segments import read_segments
from harness.errors import ImageFileError, OptionError, ToolError
from harness.files.reading import read_regular

PACKAGE = "mlia-ethos-u"
VARIABLE = "TINYHIL_TFLM_RUNNER"
HOW_TO_GET = f"pip install --no-deps {PACKAGE}, or name the file: --tflm-runner FILE, or {VARIABLE}"
_FILE = (
    "mlia/resources/backends/applications/inference_runner-sse-300-26.03.0-tflm-ethos-U65-Default-noTA/"
    "mlek_inference_runner.axf"
)
_MOST_BYTES = 64 << 20

# Thumb code
_RETURN = bytes.fromhex("7047")  # bx lr
_RETURN_ZERO = bytes.fromhex("0020 7047")  # movs r0, #0; bx lr
_RETURN_NO_COUNTERS = bytes.fromhex("0022 c0f8c020 0122 80f8c420 7047")  # r0->count = 0, r0->initialised = 1


@dataclass(frozen=True)
class Patch:
    """Code that takes the place of a function's beginning."""

    function: str
    address: int
    code: bytes


@dataclass(frozen=True)
class Build:
    """A runner that is known by the hash of its file: addresses hold for no other.

    Attributes:
        title: what reports call it.
        patches: what starts it without an NPU.
        handler_call, handler_return: where main calls the function that copies inputs, runs one inference and copies
            outputs; its argument is in r0.
        invoke_call, invoke_return: where that calls MicroInterpreter::Invoke, the status is in r0 afterwards.
        subgraph_begin, subgraph_ends, node: in MicroInterpreterGraph::InvokeSubgraph: its first and last instructions,
            and the head of its loop over the operators.
        given_up: functions that are reached when the runner gives up.
        stack_limit, stack_size: lowest address of the stack, and its bytes.
        arena_size: bytes of the arena that it gives TFLM.
        network: sections that are the runner's own code and constants.
    """

    sha256: str
    title: str
    patches: tuple[Patch, ...]
    handler_call: int
    handler_return: int
    invoke_call: int
    invoke_return: int
    subgraph_begin: int
    subgraph_ends: tuple[int, ...]
    node: int
    given_up: tuple[int, ...]
    stack_limit: int
    stack_size: int
    arena_size: int
    network: tuple[str, ...]


U65 = Build(
    sha256="dd4ea227343fb3efe15ae1e99bb4e0a5207a22a550cd4072771fb40ed955cd11",
    title=f"Arm's runner of {PACKAGE} 0.1.0 (MLEK 25.12.0, GCC 13.2.1, CMSIS-NN, 98 operators)",
    patches=(
        Patch("arm_ethosu_npu_init", 0x289C, _RETURN_ZERO),
        Patch("ethosu_pmu_init", 0x29BC, _RETURN_ZERO),
        Patch("ethosu_get_pmu_counters", 0x2A8C, _RETURN_ZERO),
        Patch("platform_get_counters", 0x2204, _RETURN_NO_COUNTERS),
        Patch("platform_reset_counters", 0x2140, _RETURN),  # it would start SysTick, whose interrupts would be counted
    ),
    handler_call=0x190E,
    handler_return=0x1912,
    invoke_call=0x320E,
    invoke_return=0x3212,
    subgraph_begin=0x158C8,
    subgraph_ends=(0x159C4, 0x159D8),
    node=0x15938,
    given_up=(0x0B0C, 0x09EC, 0x0A10, 0x0A34, 0x0A58, 0x0A7C),  # _exit and the handlers of faults
    stack_limit=0x20078000,
    stack_size=0x8000,
    arena_size=0x200000,
    network=(".text.at_itcm", ".ARM.exidx.at_itcm", ".text.at_ddr", ".bram.at_ddr", ".data.at_ddr"),
)

BUILDS = {build.sha256: build for build in (U65,)}

REFUSED = {
    "a72f0f35": "the SSE-300 runner for the Ethos-U55: it is built without optimization, its times mean nothing",
}
"""First digits of other runners' hashes -> what they are."""


class RunnerMissingError(ToolError):
    """Arm's runner of TFLM is not installed, or not the one that is known."""

    code = "tflm-runner-missing"
    stage = "runtime"


@dataclass(frozen=True)
class TflmRunner:
    """A runner that was found and checked.

    Attributes:
        path: the file, as it was shipped.
        build: which one it is.
    """

    path: Path
    build: Build

    @property
    def flash(self) -> int:
        """Bytes of its code and constants, with all operators and without a model."""
        return _flash(self.path, self.build)

    def image(self, cache_dir: Path | None = None) -> Path:
        """The program with its patches, in the build cache.

        Raises:
            ImageFileError: the file went away.
            BuildError: the cache cannot be written to.
        """
        cache_ = BuildCache(default_root() if cache_dir is None else cache_dir)
        patches = self.build.patches
        key = digest("tflm-runner", self.build.sha256, *(f"{p.address:x} {p.code.hex()}" for p in patches))
        found = cache_.find(key, ".axf")
        return found or cache_.put(key, ".axf", patched(self.path, self.build))


def find_runner(named: Path | None = None) -> TflmRunner:
    """The runner: the file that is named, by the argument or $TINYHIL_TFLM_RUNNER; else the installed package's.

    Raises:
        OptionError: the named file cannot be read.
        RunnerMissingError: there is none, or it is another than the one that is known.
    """
    variable = os.environ.get(VARIABLE)
    if named is None and variable:
        named = Path(variable).expanduser()
    path = _installed() if named is None else named
    try:
        facts = path.stat()
        sha256 = _sha256(path, facts.st_mtime_ns, facts.st_size)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        if named is None:
            raise RunnerMissingError(
                f"package {PACKAGE} is installed without {path.name}: {reason}", hint=f"again: {HOW_TO_GET}"
            ) from None
        raise OptionError(f"{path}: {reason}", hint=f"name mlek_inference_runner.axf of {PACKAGE}") from None
    build = BUILDS.get(sha256)
    if build is not None:
        return TflmRunner(path, build)
    what = next((why for start, why in REFUSED.items() if sha256.startswith(start)), "not a file that is known")
    kind = RunnerMissingError if named is None else OptionError
    raise kind(
        f"{path} is {what} (SHA-256 {sha256[:8]}..., not {U65.sha256[:8]}...)",
        hint=f"the SSE-300 runner for the Ethos-U65 of {PACKAGE} 0.1.0 is known: {HOW_TO_GET}",
    )


def patched(path: Path, build: Build) -> bytes:
    """The bytes of the runner's file with the patches.

    Raises:
        ImageFileError: the file cannot be read, or has no bytes at a patch's address.
    """
    try:
        content = bytearray(read_regular(path, _MOST_BYTES))
    except OSError as error:
        raise ImageFileError(f"{path}: {error.strerror or error}", hint=HOW_TO_GET) from None
    segments = [(segment, content.find(segment.data)) for segment in read_segments(path) if segment.data]
    for patch in build.patches:
        for segment, offset in segments:
            at = patch.address - segment.address
            if offset >= 0 and 0 <= at <= len(segment.data) - len(patch.code):
                content[offset + at : offset + at + len(patch.code)] = patch.code
                break
        else:
            raise ImageFileError(f"{path} has no code at 0x{patch.address:x}, {patch.function}", hint=HOW_TO_GET)
    return bytes(content)


def _installed() -> Path:
    """Where pip put the runner.

    Raises:
        RunnerMissingError: it did not.
    """
    try:
        return Path(str(distribution(PACKAGE).locate_file(_FILE)))
    except PackageNotFoundError:
        raise RunnerMissingError(
            f"TFLM for the Cortex-M55 is in package {PACKAGE}, which is not installed", hint=HOW_TO_GET
        ) from None


@cache
def _sha256(path: Path, modified_ns: int, size: int) -> str:
    """The file's hash, computed once as long as it has this time and size."""
    del modified_ns, size
    return hashlib.sha256(read_regular(path, _MOST_BYTES)).hexdigest()


@cache
def _flash(path: Path, build: Build) -> int:
    return sum(section.size for section in read_sections(path) if section.name in build.network)
