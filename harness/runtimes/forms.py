"""Forms: the ways in which a model's package becomes an image.

`static` links it into the firmware; `relocatable` makes a file of its own of it, which runs at any address
(docs/relocatable.md), and puts that file into the firmware at several. A form is a file here and its line in FORMS.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from harness.plugins import Table
from harness.runtimes import RUNTIMES, ProgramRuntime

if TYPE_CHECKING:
    from pathlib import Path

    from harness.build import BuildOptions, Image
    from harness.build.progress import Progress
    from harness.build.sources import PackageSources
    from harness.compiler.emit.package import Package
    from harness.hardware.board import Board
    from harness.link.client import Client
    from harness.runtimes.base import SourceRuntime

DEFAULT_FORM = "static"


@dataclass(frozen=True, eq=False)
class ModelPlace:
    """An address of a model in an image.

    Attributes:
        name: for people, such as "RAM".
        package: the model under the name that it has there.
    """

    name: str
    package: PackageSources


@dataclass(frozen=True, eq=False)
class FormedImage:
    """An image, and where the model is in it.

    Attributes:
        image: what runs.
        places: one or more; the model is measured at the first, and compared at all.
        notes: what has no room on the board.
        prepare: what is to be done before the model is there; None for nothing.
    """

    image: Image
    places: tuple[ModelPlace, ...]
    notes: tuple[str, ...] = ()
    prepare: Callable[[Client, Progress], None] | None = None


class Form(Protocol):
    """A way to make an image of a package."""

    @property
    def name(self) -> str:
        """As in Options.forms."""

    @property
    def movable(self) -> bool:
        """Whether a model runs at more than one address, and has a price beside the static form."""

    def image(
        self,
        runtime: SourceRuntime,
        package: Package,
        board: Board,
        options: BuildOptions,
        *,
        cache_dir: Path | None = None,
        progress: Progress | None = None,
    ) -> FormedImage:
        """An image for `board` that holds the package; arguments and errors as harness.build.build_image."""


FORMS: Table[Form] = Table(
    "form",
    "tinyhil.forms",
    {
        DEFAULT_FORM: "harness.runtimes.static:STATIC",
        "relocatable": "harness.runtimes.relocatable:RELOCATABLE",
    },
)
"""Name -> form; its module is imported by `get`."""


@dataclass(frozen=True)
class Way:
    """How a model is computed: by which runtime, in which form."""

    runtime: str
    form: str = DEFAULT_FORM


def split_forms(texts: Sequence[str]) -> tuple[str, ...]:
    """The names of options such as `static,relocatable`, each once."""
    return tuple(dict.fromkeys(name for text in texts for name in text.replace(",", " ").split()))


def forms_of(runtime: str, forms: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the forms that a runtime has: one that takes model files as they are has no other than the first."""
    if isinstance(RUNTIMES.get(runtime), ProgramRuntime):
        return tuple(form for form in forms if form == DEFAULT_FORM)
    return forms
