"""port.yaml -> Port; firmware/ports/README.md explains the keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from harness.errors import BoardConfigError, BuildError

SCHEMA = 1


@dataclass(frozen=True)
class LinkChoice:
    """The sources and macros that one kind of link adds to the port."""

    sources: tuple[str, ...]
    defines: tuple[str, ...]


@dataclass(frozen=True)
class Port:
    """A port of the runtime; paths are relative to the firmware folder."""

    name: str
    core: str
    toolchain: Literal["arm", "host"]
    cflags: tuple[str, ...]
    ldflags: tuple[str, ...]
    libs: tuple[str, ...]
    includes: tuple[str, ...]
    defines: tuple[str, ...]
    sources: tuple[str, ...]
    ldscript: str | None
    library_dirs: tuple[str, ...]
    memory_of_board: bool
    stack_size: int
    default_link: str
    links: Mapping[str, LinkChoice]

    def choose_link(self, link: str | None) -> str:
        """The link to build for: the port's default for None, its fastest for "fast"; the only one if there is one.

        Raises:
            BuildError: the port has no such link.
        """
        if link is None or len(self.links) == 1:
            return self.default_link
        if link == "fast":
            return "semihost" if "semihost" in self.links else self.default_link
        if link not in self.links:
            raise BuildError(
                f"port {self.name} has no link {link!r}", hint=f"choose one of: fast, {', '.join(self.links)}"
            )
        return link


def load_port(firmware: Path, name: str) -> Port:
    """Read firmware/ports/NAME/port.yaml.

    Raises:
        BoardConfigError: there is no such port.
        BuildError: the file breaks its schema.
    """
    path = firmware / "ports" / name / "port.yaml"
    if not path.is_file():
        ports = sorted(file.parent.name for file in (firmware / "ports").glob("*/port.yaml"))
        raise BoardConfigError(
            f"firmware port {name!r} does not exist in this version", hint=f"ports there are: {', '.join(ports)}"
        )
    import yaml

    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        content = cast("dict[str, Any]", yaml.load(path.read_text(encoding="utf-8"), loader))
        if content["schema"] != SCHEMA:
            raise ValueError(f"schema is {content['schema']}, not {SCHEMA}")
        port = Port(
            name=str(content["name"]),
            core=str(content["core"]),
            toolchain=content["toolchain"],
            cflags=_words(content["cflags"]),
            ldflags=_words(content["ldflags"]),
            libs=_words(content["libs"]),
            includes=_words(content["includes"]),
            defines=_words(content["defines"]),
            sources=_words(content["sources"]),
            ldscript=content["ldscript"],
            library_dirs=_words(content["library_dirs"]),
            memory_of_board=content.get("memory") == "board",
            stack_size=int(content["stack_size"]),
            default_link=str(content["default_link"]),
            links={
                str(link): LinkChoice(_words(choice["sources"]), _words(choice["defines"]))
                for link, choice in content["links"].items()
            },
        )
        if port.toolchain not in ("arm", "host") or port.default_link not in port.links:
            raise ValueError("toolchain or default_link has no meaning")
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        raise BuildError(f"{path}: {error}", hint="firmware/ports/README.md explains the keys") from error
    return port


def core_flags(firmware: Path, core: str) -> tuple[str, ...]:
    """The compiler flags with which tinyhil itself builds for a core, on whatever board."""
    for folder in sorted((firmware / "ports").iterdir()):
        if (folder / "port.yaml").is_file():
            port = load_port(firmware, folder.name)
            if port.core == core and port.toolchain == "arm":
                return port.cflags
    return (f"-mcpu={core}", "-mthumb")


def _words(value: list[Any]) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"a list was expected, not {value!r}")
    return tuple(str(word) for word in value)
