"""Size of an installation: the package alone and with each extra, each in a fresh virtual environment."""

from __future__ import annotations

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


def installed(wheel: Path, extra: str, folder: Path) -> tuple[int, int] | None:
    """Packages and bytes of a new environment with the wheel and an extra ("" for none); None where pip cannot."""
    venv.create(folder, with_pip=False)
    wanted = f"{wheel}[{extra}]" if extra else str(wheel)
    if not pip("--python", folder / "bin" / "python", "install", wanted):
        return None
    (packages,) = folder.glob("lib/python*/site-packages")
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return len(list(packages.glob("*.dist-info"))), sum(path.stat().st_size for path in files)


def run(console: Console) -> None:
    """Print packages and MB (of 1,000,000 bytes, compiled Python included) of each."""
    made = table("Installed", "pip install", "packages", "MB", "more than tinyhil")
    with tempfile.TemporaryDirectory() as folder:
        if not pip("wheel", "--no-deps", "--wheel-dir", folder, REPOSITORY):
            console.print("pip builds no wheel here: is the package index there?")
            return
        (wheel,) = Path(folder).glob("*.whl")
        base = 0
        for extra in ("", *extras()):
            with tempfile.TemporaryDirectory() as environment:
                found = installed(wheel, extra, Path(environment))
            name = f"tinyhil[{extra}]" if extra else "tinyhil"
            if found is None:
                made.add_row(name, "", "", "pip cannot")
                continue
            count, size = found
            base = base or size
            made.add_row(name, f"{count}", f"{size / 1e6:.0f}", f"{(size - base) / 1e6:.0f}" if extra else "")
    console.print(made)
