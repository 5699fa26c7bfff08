"""A package with entry points, as if it were installed."""

from __future__ import annotations

from pathlib import Path


def install(folder: Path, package: str, group: str, points: str, code: str | None = None) -> None:
    """Put a package into a folder of sys.path.

    Args:
        folder: where it goes.
        package: its name; its module is NAME_code.
        group: of its entry points.
        points: them, a line each: NAME = MODULE:OBJECT.
        code: text of the module; None where the caller writes its modules itself.
    """
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{points}\n")
    if code is not None:
        (folder / f"{package}_code.py").write_text(code)
