"""Compile jobs of an image: packages, kernels, runtime and port, with their flags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from harness.build.cache import digest
from harness.build.jobs import Job, SourceTree
from harness.build.language import Language
from harness.build.port import Port
from harness.compiler.plan import Plan
from harness.elf.sizes import Origin
from harness.errors import BuildError

# -g1 is for functions and lines in fault reports; it does not change the code.
COMMON_FLAGS = ("-std=c11", "-O2", "-g1", "-ffunction-sections", "-fdata-sections")
WARNING_FLAGS = ("-Wall", "-Wextra", "-Wconversion", "-Werror")
SANITIZE_FLAGS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer")
BUILD_ID_SOURCE = "build_id.c"
MODEL_LIST = "hil_models.c"
_KERNELS = "kernels"


class PackageSources(Protocol):
    """A generated package as the builder sees it; harness.compiler.emit.package.Package is one."""

    @property
    def plan(self) -> Plan:
        """The plan, whose name prefixes all symbols."""

    @property
    def files(self) -> Mapping[str, str]:
        """File name -> text of everything but the glue."""

    @property
    def sources(self) -> Sequence[str]:
        """The files among `files` that are compiled."""

    @property
    def shared(self) -> Sequence[str]:
        """Those of `sources` that are kernels' code, the same in every package."""

    @property
    def glue(self) -> str:
        """Text of NAME_hil.c."""

    @property
    def constant_bytes(self) -> int:
        """Bytes of weights and tables."""


def compile_flags(port: Port, sanitize: bool) -> tuple[str, ...]:
    """Flags for all C files of a port."""
    return (*COMMON_FLAGS, *WARNING_FLAGS, *port.cflags, *(SANITIZE_FLAGS if sanitize else ()))


class Sources:
    """Makes the jobs of one image."""

    def __init__(
        self,
        firmware: Path,
        port: Port,
        link: str,
        flags: tuple[str, ...],
        macros: tuple[str, ...],
        defines: tuple[str, ...],
        language: Language,
        folders: tuple[str, ...] = (),
    ) -> None:
        self._firmware = firmware
        self._language = language
        self._port = port
        self._choice = port.links[link]
        self._flags = flags
        self._package_flags = (*flags, *macros)
        all_defines = (*port.defines, *self._choice.defines, *defines)
        self._runtime_flags = (*flags, *(f"-D{define}" for define in all_defines))
        self._folders = folders
        self._glue = tuple(str(firmware / folder) for folder in ("runtime", *folders))
        includes = [*port.includes, *([language.folder] if language.folder else []), *folders]
        self._includes = tuple(str(firmware / folder) for folder in includes)
        self._model_context = _header_digest(firmware, ["runtime", *folders])
        self._runtime_context = _header_digest(firmware, ["runtime", *includes])

    def of_package(self, package: PackageSources) -> list[Job]:
        """The package's sources, whose only include folder is the package, and its glue."""
        name = package.plan.name
        glue = f"{name}_hil.c"
        tree = SourceTree(name, {**package.files, glue: package.glue})
        headers = tree.headers()
        kernels = _kernels(package)
        jobs = []
        for source in _own_sources(package):
            label = f"{name}/{source}"
            origin = Origin(label, name, kernels)
            jobs.append(Job(origin, label, tree, package.files[source], self._package_flags, (name,), headers))
        label = f"{name}/{glue}"
        context = digest(headers, self._model_context)
        jobs.append(Job(Origin(label), label, tree, package.glue, self._flags, (name, *self._glue), context))
        return jobs

    def of_package_at_once(self, package: PackageSources) -> list[Job]:
        """The package and its glue as one job, see BuildOptions.unity."""
        name = package.plan.name
        label = f"{name}/{name}_unity.c"
        text = "".join(f'#include "{source}"\n' for source in (*_own_sources(package), f"{name}_hil.c"))
        tree = SourceTree(name, {**package.files, f"{name}_hil.c": package.glue, Path(label).name: text})
        context = digest(*(part for file in tree.files.items() for part in file), self._model_context)
        origin = Origin(label, name, _kernels(package))
        return [Job(origin, label, tree, text, self._package_flags, (name, *self._glue), context)]

    def of_kernels(self, packages: Sequence[PackageSources]) -> list[Job]:
        """The kernels' sources, each file once for all models that use it."""
        users: dict[str, list[str]] = {}
        files: dict[str, str] = {}
        for package in packages:
            for source in package.shared:
                users.setdefault(source, []).append(package.plan.name)
            if package.shared:
                known = {**_kernel_headers(package), **{source: package.files[source] for source in package.shared}}
                files.update(known)
        tree = SourceTree(_KERNELS, files)
        headers = tree.headers()
        return [
            Job(
                Origin(f"{_KERNELS}/{source}", users=tuple(models)),
                f"{_KERNELS}/{source}",
                tree,
                files[source],
                self._package_flags,
                (_KERNELS,),
                headers,
            )
            for source, models in sorted(users.items())
        ]

    def of_model_list(self, text: str) -> Job:
        """hil_models.c."""
        tree = SourceTree("hil_models", {MODEL_LIST: text})
        return Job(
            Origin(MODEL_LIST),
            f"hil_models/{MODEL_LIST}",
            tree,
            text,
            self._flags,
            self._glue,
            self._model_context,
        )

    def of_runtime(self) -> list[Job]:
        """The runtime or another language, the port and the link, without build_id.c."""
        language = self._language
        files = self._c_files("runtime") if language.runtime is None else language.runtime
        sources = [f"runtime/{name}" for name in files if name != BUILD_ID_SOURCE]
        for folder in (*([language.folder] if language.folder else []), *self._folders):
            sources += [f"{folder}/{name}" for name in self._c_files(folder)]
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
        tree = SourceTree(self._language.name, {name: text})
        return Job(Origin(label), label, tree, text, self._flags, self._includes, self._runtime_context)

    def of_build_id(self, text: str, build_id: str, board: str) -> Job:
        """The object with the build id, the only one that depends on the whole image."""
        defines = (f'-DHIL_BUILD_ID="{build_id}"', f'-DHIL_BOARD="{board}"')
        return self._of_firmware(f"runtime/{BUILD_ID_SOURCE}", text, defines)

    def _of_firmware(self, source: str, text: str, defines: tuple[str, ...]) -> Job:
        flags = (*self._runtime_flags, *defines)
        path = str(self._firmware / source)
        return Job(Origin(source), path, None, text, flags, self._includes, self._runtime_context)


def _own_sources(package: PackageSources) -> list[str]:
    return [source for source in package.sources if source not in package.shared]


def _kernel_headers(package: PackageSources) -> dict[str, str]:
    own = (f"{package.plan.name}.h", f"{package.plan.name}_weights.h")
    return {file: text for file, text in package.files.items() if file.endswith(".h") and file not in own}


def _kernels(package: PackageSources) -> frozenset[str]:
    """Names of the functions that count as kernels in sizes: those with the name of a kernel's file."""
    files = {Path(file).stem for file in _kernel_headers(package)}
    return frozenset(layer.kernel for layer in package.plan.layers) | files


def _header_digest(firmware: Path, folders: Sequence[str]) -> str:
    parts: list[str] = []
    for folder in dict.fromkeys(folders):
        for path in sorted((firmware / folder).glob("*.h")):
            parts += [f"{folder}/{path.name}", path.read_text(encoding="utf-8")]
    return digest(*parts)
