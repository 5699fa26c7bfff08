"""PlatformIO: library.json.

Source: PlatformIO's documentation, "library.json".
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from harness.compiler.emit.wrappers.wrapper import Facts, Wrapper, semantic_version


def _files(facts: Facts) -> Mapping[str, str]:
    manifest = {
        "name": facts.name,
        "version": semantic_version(facts.version),
        "description": f"{facts.summary}.",
        "keywords": ["neural network", "inference", "tinyhil"],
        "headers": f"{facts.name}.h",
        "frameworks": "*",
        "platforms": "*",
        "build": {
            "srcDir": facts.folder.rstrip("/") or ".",
            "includeDir": facts.folder.rstrip("/") or ".",
            # What is compiled is named: a wildcard would take other models' folders beneath, or examples.
            "srcFilter": ["-<*>", *(f"+<{source}>" for source in facts.sources)],
            "flags": ["-O2"],
        },
    }
    return {"library.json": json.dumps(manifest, indent=2) + "\n"}


def _usage(facts: Facts, folder: str) -> str:
    return f"lib_deps = symlink://{folder} in platformio.ini, or copy the folder to lib/{facts.name}"


PLATFORMIO = Wrapper("platformio", _files, _usage)
