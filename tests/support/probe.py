"""Virtual debug probes for tests: their environment, in this process or for a child."""

from __future__ import annotations

import os
import sys
from importlib import metadata
from pathlib import Path

from tests.support.cmsis_pack import PACKED, make_pack
from tests.support.paths import REPOSITORY


def virtual_probes(*boards: str, folder: str | Path, faults: str = "") -> dict[str, str]:
    """Variables with which pyOCD sees a virtual probe for each board, all their state in `folder`."""
    paths = [str(REPOSITORY)]
    if not any(point.value.startswith("harness.virtual") for point in metadata.entry_points(group="pyocd.probe")):
        paths.append(str(_entry_point(Path(folder))))  # tinyhil is not installed here, only found
    return {
        "TINYHIL_VIRTUAL_PROBE": ",".join(boards),
        "TINYHIL_VIRTUAL_STATE": str(Path(folder) / "state"),
        "TINYHIL_VIRTUAL_FAULTS": faults,
        "TINYHIL_PACKS": os.pathsep.join(
            str(make_pack(board, Path(folder) / f"pack-{board}")) for board in PACKED if board in boards
        ),
        "TINYHIL_LEASES": str(Path(folder) / "leases"),
        "PYTHONPATH": os.pathsep.join([*paths, *filter(None, (os.environ.get("PYTHONPATH"),))]),
    }


def _entry_point(folder: Path) -> Path:
    """A folder that tells Python of the entry point, as an installation does."""
    about = folder / "installed" / "tinyhil_probe-0.dist-info"
    about.mkdir(parents=True, exist_ok=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: tinyhil-probe\nVersion: 0\n")
    (about / "entry_points.txt").write_text(
        "[pyocd.probe]\ntinyhil_virtual = harness.virtual.plugin:VirtualProbePlugin\n"
    )
    return about.parent


def pyocd_command(*arguments: str) -> list[str]:
    """pyOCD's own command line."""
    return [sys.executable, "-m", "pyocd", *arguments]
