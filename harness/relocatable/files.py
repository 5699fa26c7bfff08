"""The files of a relocatable model: NAME.bin, perhaps NAME_weights.bin, and NAME.json with the plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.compiler.emit.folder import write_folder
from harness.compiler.emit.manifest import manifest, manifest_text
from harness.compiler.emit.stack import StackNeed
from harness.compiler.plan import Plan
from harness.relocatable.document import model_document
from harness.relocatable.make import Relocatable


def write_relocatable(made: Relocatable, plan: Plan, directory: Path, *, force: bool = False) -> list[Path]:
    """Writes the files into `directory`, which is made if missing; see harness.compiler.emit.package.write_package.

    Returns:
        The paths written.

    Raises:
        CompileError: the directory cannot be written, or has files in the way that tinyhil did not write, or that were
            changed since.
        OutputError: there is no room.
    """
    name = plan.name
    contents: dict[str, str | bytes] = {f"{name}.bin": made.file}
    if made.weights is not None:
        contents[f"{name}_weights.bin"] = made.weights
    contents[f"{name}.json"] = manifest_text(relocatable_manifest(made, plan), contents)
    write_folder(directory, contents, force=force)
    return [directory / file for file in contents]


def relocatable_manifest(made: Relocatable, plan: Plan) -> dict[str, Any]:
    """The plan as data, and what the file says of itself."""
    found = model_document(made.model)
    stack = StackNeed(made.model.stack_bytes, made.toolchain) if made.model.stack_bytes else None
    return {**manifest(plan, stack), "toolchain": made.toolchain, "relocatable": found}
