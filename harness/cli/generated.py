"""What `tinyhil generate` makes of a model, a package or a relocatable model: how each is written and told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from harness.errors import OptionError

if TYPE_CHECKING:
    from harness.build.progress import Progress
    from harness.compiler.emit.package import Package
    from harness.compiler.plan import Plan
    from harness.relocatable.make import Relocatable

INSIDE, APART = "inside", "apart"


class Generated(Protocol):
    """One form of a model."""

    @property
    def plan(self) -> Plan:
        """What is computed."""

    def write(self, folder: Path, *, force: bool) -> list[Path]:
        """Writes it whole, or not at all; the paths."""

    def document(self, paths: Sequence[Path]) -> dict[str, Any]:
        """What --json prints."""

    def usage(self, folder: Path) -> list[str]:
        """How to take it, in lines."""


def check_form(relocatable: bool, weights: str | None, scratch: str | None, ecosystems: Sequence[str]) -> None:
    """Refuses options that do not go together.

    Raises:
        OptionError: they do not.
    """
    if weights not in (None, INSIDE, APART):
        raise OptionError(f"--weights is '{weights}'", hint=f"it is {INSIDE} or {APART}")
    if weights is not None and not relocatable:
        raise OptionError("--weights is for relocatable models", hint="add --relocatable")
    if scratch not in (None, INSIDE, APART):
        raise OptionError(f"--scratch is '{scratch}'", hint=f"it is {INSIDE} or {APART}")
    if relocatable and scratch == APART:
        raise OptionError("relocatable models have their scratch in the arena", hint="leave --scratch out")
    if relocatable and ecosystems:
        raise OptionError("--for brings files for sources, and a relocatable model has none", hint="leave out one")


@dataclass(frozen=True, eq=False)
class GeneratedPackage:
    """Sources, with files for these ecosystems."""

    package: Package
    ecosystems: Sequence[str]

    @classmethod
    def of(cls, flat: Package, ecosystems: Sequence[str]) -> GeneratedPackage:
        """The package of a plan, with the stack that it takes."""
        from harness.build.stack import stack_need
        from harness.compiler.emit.package import emit

        return cls(emit(flat.plan, ecosystems, stack_need(flat)), ecosystems)

    @property
    def plan(self) -> Plan:
        """What is computed."""
        return self.package.plan

    def write(self, folder: Path, *, force: bool) -> list[Path]:
        """Writes it whole, or not at all; the paths."""
        from harness.compiler.emit.package import write_package

        return write_package(self.package, folder, force=force)

    def document(self, paths: Sequence[Path]) -> dict[str, Any]:
        """What --json prints."""
        from harness.compiler.emit.manifest import goals_document

        plan = self.plan
        return {
            "kind": "package",
            "name": plan.name,
            "core": plan.core,
            "goals": goals_document(plan.goals),
            "files": [str(path) for path in paths],
            "arena_size": plan.arena_size,
            "arena_align": plan.arena_align,
            **({"scratch_size": plan.scratch_size} if plan.scratch_apart else {}),
            "stack": self.package.manifest["stack"],
            "ecosystems": list(self.ecosystems),
        }

    def usage(self, folder: Path) -> list[str]:
        """How to take it, a line for each ecosystem."""
        from harness.compiler.emit.wrappers import WRAPPERS

        named = ((name, WRAPPERS.get(name)) for name in dict.fromkeys(self.ecosystems))
        return [f"{name}: {wrapper.usage(self.package.facts, folder.resolve().as_posix())}" for name, wrapper in named]


@dataclass(frozen=True, eq=False)
class GeneratedRelocatable:
    """One file of code and weights, or two."""

    plan: Plan
    made: Relocatable

    @classmethod
    def of(cls, plan: Plan, weights: str | None, tell: Progress) -> GeneratedRelocatable:
        """The relocatable form of a plan."""
        from harness.relocatable.make import make_relocatable

        return cls(plan, make_relocatable(plan, weights_apart=weights == APART, progress=tell))

    def write(self, folder: Path, *, force: bool) -> list[Path]:
        """Writes it whole, or not at all; the paths."""
        from harness.relocatable.files import write_relocatable

        return write_relocatable(self.made, self.plan, folder, force=force)

    def document(self, paths: Sequence[Path]) -> dict[str, Any]:
        """What --json prints."""
        from harness.relocatable.document import model_document

        return {"kind": "relocatable", "files": [str(path) for path in paths], **model_document(self.made.model)}

    def usage(self, folder: Path) -> list[str]:
        """What a firmware gives it, in a line."""
        model = self.made.model
        weights = "" if self.made.weights is None else f", its weights at a multiple of {model.weights_align}"
        return [
            f"{model.name}.bin runs on {model.core} at any address that is a multiple of {model.align}{weights}; "
            f"what else it needs: tinyhil inspect {folder / model.name}.bin"
        ]
