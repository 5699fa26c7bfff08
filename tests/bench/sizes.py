"""Size of an installation: the package alone and with each extra, each in a fresh virtual environment."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

from rich.console import Console

from tests.bench.common import table
from tests.support.paths import REPOSITORY


def extras() -> list[str]:
    """The extras of the project, in their order."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return list(project["optional-dependencies"])


def pip(*words: str | Path) -> bool:
    """Runs pip; whether it could do it."""
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *map(str, words)]
    return subprocess.run(command, cwd=REPOSITORY, stderr=subprocess.DEVNULL).returncode == 0


def measured(folder: Path) -> tuple[int, int]:
    """Packages and bytes of an environment."""
    (packages,) = folder.glob("lib/python*/site-packages")
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return len(list(packages.glob("*.dist-info"))), sum(path.stat().st_size for path in files)


def run(console: Console) -> None:
    """Print packages and MB (of 1,000,000 bytes, compiled Python included) of each."""
    made = table("Installed", "pip install", "packages", "MB", "more than tinyhil")
    with tempfile.TemporaryDirectory() as folder:
        alone = Path(folder) / "alone"
        venv.create(alone, with_pip=False)
        wheel = pip("wheel", "--no-deps", "--wheel-dir", folder, REPOSITORY) and next(Path(folder).glob("*.whl"))
        if not wheel or not pip("--python", alone / "bin" / "python", "install", wheel):
            console.print("pip installs nothing here: is the package index there?")
            return
        packages, base = measured(alone)
        made.add_row("tinyhil", f"{packages}", f"{base / 1e6:.0f}", "")
        for extra in extras():
            with tempfile.TemporaryDirectory() as other:
                # What an extra adds to a fresh environment with tinyhil alone.
                shutil.copytree(alone, other, symlinks=True, dirs_exist_ok=True)
                done = pip("--python", Path(other) / "bin" / "python", "install", f"{wheel}[{extra}]")
                packages, size = measured(Path(other))
            more = f"{(size - base) / 1e6:.0f}"
            figures = (f"{packages}", f"{size / 1e6:.0f}", more) if done else ("", "", "pip cannot")
            made.add_row(f"tinyhil[{extra}]", *figures)
            console.print(f"{extra}: {' '.join(figures)}", style="dim")
    console.print(made)
