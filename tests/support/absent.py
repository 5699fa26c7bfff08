"""A Python in which packages or modules cannot be imported, as where they have no wheel or the system lacks them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.support.paths import REPOSITORY

WITHOUT_WHEEL = ("tflite_micro", "ai_edge_litert", "tflite_runtime")
"""What some platforms have no wheel of."""

EXTRAS = ("pyocd", "serial", "unicorn")
"""What only extras bring."""

POSIX = ("fcntl", "termios", "tty", "pty", "resource", "pwd", "grp", "syslog", "readline")
"""What Windows has not; nor these of os: """
POSIX_NAMES = ("getuid", "geteuid", "fork", "killpg", "setsid", "mkfifo", "O_NOFOLLOW", "O_NONBLOCK", "O_DIRECTORY")

_CUSTOM = """
import importlib.abc, os, sys

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {modules!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
for name in {modules!r}:
    sys.modules.pop(name, None)
for name in {names!r}:
    if hasattr(os, name):
        delattr(os, name)
"""


def tinyhil_without(
    modules: Iterable[str], folder: Path, *arguments: object, names: Iterable[str] = (), **env: str
) -> subprocess.CompletedProcess[str]:
    """The command where these modules, and these `names` of os, are not there; its children see the same."""
    (folder / "sitecustomize.py").write_text(_CUSTOM.format(modules=tuple(modules), names=tuple(names)))
    return subprocess.run(
        [sys.executable, "-m", "harness.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=200,
        env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{REPOSITORY}", **env},
    )
