"""Compiles objects in parallel, except those that are in the cache."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from harness.build.cache import BuildCache, digest
from harness.build.progress import Progress
from harness.build.toolchain import Toolchain, install_hint
from harness.elf.sizes import Origin
from harness.errors import BuildError, ToolchainMissingError

TOOL_TIMEOUT_S = 300.0
OUTPUT_LIMIT = 20_000


@dataclass(frozen=True, eq=False)
class SourceTree:
    """The files of a generated package, written to disk only if something has to be compiled.

    Attributes:
        name: folder name in the workspace.
        files: file name -> text.
    """

    name: str
    files: Mapping[str, str]

    def headers(self) -> str:
        """Digest over all headers among the files."""
        names = sorted(name for name in self.files if name.endswith((".h", ".inc")))
        return digest(*(text for name in names for text in (name, self.files[name])))

    def write(self, workspace: Path) -> None:
        """Write the files to folder `name` in the workspace."""
        folder = workspace / self.name
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in self.files.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")


@dataclass(frozen=True, eq=False)
class Job:
    """One C file to compile.

    Attributes:
        origin: label in messages and size tables, and the model it belongs to.
        source: path of the C file; in the workspace where `tree` is given.
        tree: the generated files it belongs to; None for a file of the firmware.
        text: content of the source.
        flags: all flags except include folders, which are paths of this machine.
        includes: include folders; relative ones are in the workspace.
        context: digest over every header the source may include.
    """

    origin: Origin
    source: str
    tree: SourceTree | None
    text: str
    flags: tuple[str, ...]
    includes: tuple[str, ...]
    context: str

    def key(self, toolchain: Toolchain) -> str:
        """The object's key in the cache."""
        return digest("object", toolchain.identity, *self.flags, "", self.origin.label, self.text, self.context)


def job_count() -> int:
    """Most compilers at once: $TINYHIL_JOBS, or one per processor."""
    named = os.environ.get("TINYHIL_JOBS", "")
    return int(named) if named.isdigit() and int(named) > 0 else (os.cpu_count() or 1)


def compile_all(
    jobs: Sequence[Job],
    toolchain: Toolchain,
    cache: BuildCache,
    workspace: Path,
    path_flags: Sequence[str],
    progress: Progress | None = None,
) -> tuple[list[Path], int]:
    """(objects of all jobs in order, how many had to be compiled).

    Args:
        path_flags: flags that replace this machine's paths in the objects; not part of the key.

    Raises:
        BuildError: a file does not compile; details carry the compiler's output.
        ToolchainMissingError: the compiler cannot be started, or its C library is missing.
    """
    keys = [job.key(toolchain) for job in jobs]
    objects = [cache.find(key, ".o") for key in keys]
    todo = [index for index, path in enumerate(objects) if path is None]
    if todo:
        _write_trees([jobs[index] for index in todo], workspace)

        def compile_one(index: int) -> Path:
            made = _compile(jobs[index], workspace / f"{index}.o", toolchain, path_flags)
            path = cache.put(keys[index], ".o", made.read_bytes())
            made.unlink()
            return path

        for index, path in zip(todo, _at_once(compile_one, todo, progress), strict=True):
            objects[index] = path
    return [path for path in objects if path is not None], len(todo)


def _write_trees(jobs: Sequence[Job], workspace: Path) -> None:
    """Write the generated files that the jobs belong to, each tree once."""
    trees = {id(tree): tree for tree in (job.tree for job in jobs) if tree is not None}
    for tree in trees.values():
        tree.write(workspace)


def _compile(job: Job, made: Path, toolchain: Toolchain, path_flags: Sequence[str]) -> Path:
    """Compile one file to `made` in the workspace; returns the object in the cache."""
    command = [str(toolchain.cc), *job.flags, *path_flags, *(f"-I{folder}" for folder in job.includes)]
    command += ["-c", job.source, "-o", made.name]
    run_tool(command, made.parent, f"{job.origin.label} does not compile", toolchain)
    return made


def _at_once(compile_one: Callable[[int], Path], todo: Sequence[int], progress: Progress | None) -> Iterator[Path]:
    """Results of all of `todo`, in order, so that of several errors always the same one is raised."""
    if progress:
        progress("compile", 0, len(todo))
    pool = ThreadPoolExecutor(max_workers=job_count(), thread_name_prefix="tinyhil-cc")
    try:
        futures = [pool.submit(compile_one, index) for index in todo]
        for done, future in enumerate(futures, start=1):
            yield future.result()
            if progress:
                progress("compile", done, len(todo))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def run_tool(command: Sequence[str], folder: Path, failure: str, toolchain: Toolchain) -> str:
    """Run the compiler driver; returns what it printed.

    Raises:
        BuildError: it failed, with `failure` as the message and its output as details.
        ToolchainMissingError: it cannot be started, or its C library is missing.
    """
    try:
        done = subprocess.run(
            list(command),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=TOOL_TIMEOUT_S,
            env={**os.environ, "LC_ALL": "C"},
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(
            f"{failure}: the compiler gave up no result in {TOOL_TIMEOUT_S:.0f} s", hint="is the machine out of memory?"
        ) from error
    except OSError as error:
        raise ToolchainMissingError(
            f"{toolchain.cc} cannot be started: {error.strerror}", hint=install_hint(toolchain.kind)
        ) from error
    output = done.stdout
    if done.returncode == 0:
        return output
    if "string.h: No such file" in output or "cannot find -lc" in output:
        raise ToolchainMissingError(
            f"{toolchain.cc} has no C library", hint=install_hint(toolchain.kind), details=output[:OUTPUT_LIMIT]
        )
    raise BuildError(
        failure,
        hint="the compiler's output says where; generated code that does not compile is "
        "a bug of tinyhil, please report it",
        details=output[:OUTPUT_LIMIT],
    )
