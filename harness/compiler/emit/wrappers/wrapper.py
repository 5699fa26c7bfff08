"""Wrapper: the files with which an ecosystem takes a package, and the facts that they are made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Facts:
    """What wrappers may say of a package. All text is ours: names are C identifiers of ASCII letters, digits and _.

    Attributes:
        name: of the model, in lower case; at most 50 characters.
        upper: the same in capitals.
        version: of tinyhil, as Python writes versions.
        sha256: of the model file, hexadecimal.
        core: what the kernels are for, such as "cortex-m4".
        needs: features that the code does not compile without, "dsp" or "mve".
        assembly: whether a source is assembly (GNU syntax).
        folder: where the C is: "" for the package's own folder, or "src/".
        sources: file names of C and assembly, without `folder`.
        headers: file names of headers, without `folder`; NAME.h is the one for users.
        inputs, outputs: how many the model has.
        summary: what it is, in a line.
        scratch: whether the caller provides scratch beside the arena.
    """

    name: str
    upper: str
    version: str
    sha256: str
    core: str
    needs: tuple[str, ...]
    assembly: bool
    folder: str
    sources: tuple[str, ...]
    headers: tuple[str, ...]
    inputs: int
    outputs: int
    summary: str
    scratch: bool = False


def _none(_facts: Facts, _texts: Mapping[str, str]) -> Mapping[str, bytes]:
    return {}


@dataclass(frozen=True)
class Wrapper:
    """What one ecosystem expects.

    Attributes:
        name: as `--for` takes it.
        files: path in the package -> text.
        usage: how to take the package of this folder, in a line.
        src: the ecosystem compiles only what is in a folder src/, so all C goes there.
        archives: path in the package -> bytes, made of the facts and of all texts of the package by path.
    """

    name: str
    files: Callable[[Facts], Mapping[str, str]]
    usage: Callable[[Facts, str], str]
    src: bool = False
    archives: Callable[[Facts, Mapping[str, str]], Mapping[str, bytes]] = _none


def semantic_version(version: str, *, build: bool = True) -> str:
    """A version of Python as a semantic one: 1.2rc3.dev4 is 1.2.0-rc.3.dev.4, and 1.2.post1 is 1.2.0+post.1.

    Args:
        version: as PEP 440 has it.
        build: with build metadata (after a +); some ecosystems have no place for it.
    """
    found = re.match(r"(?:\d+!)?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:\.\d+)*", version)
    numbers = [int(number or 0) for number in found.groups()] if found else [0, 0, 0]
    rest = version[found.end() :] if found else version
    rest, _, local = rest.partition("+")
    labels = re.findall(r"(a|b|rc|dev|post)(\d+)", rest)
    before = [part for label, number in labels if label != "post" for part in (label, str(int(number)))]
    after = [part for label, number in labels if label == "post" for part in (label, str(int(number)))]
    after += [part for part in re.split(r"[^0-9A-Za-z]+", local) if part]
    text = ".".join(map(str, numbers))
    text += f"-{'.'.join(before)}" if before else ""
    return text + (f"+{'.'.join(after)}" if after and build else "")
