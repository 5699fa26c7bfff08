"""Arm's prebuilt inference runners: where they are, that they are those that are known, and their patched copies.

Package mlia-ethos-u has them: TFLM with CMSIS-NN and 98 operators for a Cortex-M55, built by Arm's ML Embedded
Evaluation Kit. Nothing is written where pip put the package.
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
from harness.runtimes.tflm.builds import PACKAGE, U55, U65, Build

VARIABLE = "TINYHIL_TFLM_RUNNER"
HOW_TO_GET = f"pip install --no-deps {PACKAGE}, or name the file: --tflm-runner FILE, or {VARIABLE}"
_FOLDER = "mlia/resources/backends/applications"
_FILE = "mlek_inference_runner.axf"
_MOST_BYTES = 64 << 20

BUILDS = {build.sha256: build for build in (U65, U55)}
NPUS = {U65.product: "Ethos-U65", U55.product: "Ethos-U55"}


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


def find_runner(named: Path | None = None, product: int | None = None) -> TflmRunner:
    """The runner: the file that is named, by the argument or $TINYHIL_TFLM_RUNNER; else the installed package's.

    Args:
        named: the file.
        product: the NPU that a model is compiled for, as Accelerator.product; None for a model of the CPU alone, which
            takes the optimized runner.

    Raises:
        OptionError: the named file cannot be read, or is another runner than the model needs.
        RunnerMissingError: there is none, or it is another than the one that is known.
    """
    variable = os.environ.get(VARIABLE)
    if named is None and variable:
        named = Path(variable).expanduser()
    wanted = U55 if product == U55.product else U65
    path = _installed(wanted) if named is None else named
    try:
        facts = path.stat()
        sha256 = _sha256(path, facts.st_mtime_ns, facts.st_size)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        if named is None:
            raise RunnerMissingError(
                f"package {PACKAGE} is installed without {path.name}: {reason}", hint=f"again: {HOW_TO_GET}"
            ) from None
        raise OptionError(f"{path}: {reason}", hint=f"name {_FILE} of {PACKAGE}") from None
    build = BUILDS.get(sha256)
    if build is not None and build.product == wanted.product:
        return TflmRunner(path, build)
    kind = RunnerMissingError if named is None else OptionError
    why = _what_it_is(build, product)
    raise kind(
        f"{path} is {why} (SHA-256 {sha256[:8]}..., not {wanted.sha256[:8]}...)",
        hint=f"the SSE-300 runner for the {NPUS[wanted.product]} of {PACKAGE} 0.1.0 is wanted: {HOW_TO_GET}",
    )


def _what_it_is(build: Build | None, product: int | None) -> str:
    """Why a file is not the runner that is wanted."""
    if build is None:
        return "not a file that is known"
    if product is not None:
        return f"the SSE-300 runner for the {NPUS[build.product]}, and the model is compiled for the {NPUS[product]}"
    return f"the SSE-300 runner for the {NPUS[build.product]}: it is built without optimization, its times mean nothing"


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


def _installed(build: Build) -> Path:
    """Where pip put a runner.

    Raises:
        RunnerMissingError: it did not.
    """
    try:
        npu = NPUS[build.product].removeprefix("Ethos-")
        folder = f"{_FOLDER}/inference_runner-sse-300-26.03.0-tflm-ethos-{npu}-Default-noTA"
        return Path(str(distribution(PACKAGE).locate_file(f"{folder}/{_FILE}")))
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
