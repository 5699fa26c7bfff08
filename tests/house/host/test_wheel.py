"""The wheel carries firmware and boards, and works where there is no checkout."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.paths import FIXTURES, REPOSITORY


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The wheel's content, unpacked like an installation of the package alone."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "-w", folder]
    command = [sys.executable, "-m", "pip", "wheel", *options, REPOSITORY]
    subprocess.run(list(map(str, command)), check=True, timeout=120)
    (wheel,) = folder.glob("tinyhil-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_it_holds_what_it_needs_and_no_more(installed):
    package = installed / "harness"
    for needed in (
        "_firmware/runtime/hil_model.h", "_firmware/kernels", "_firmware/ports/mps2-an500/port.yaml", "_boards.yaml",
        "data/baselines.json", "data/templates", "virtual/native.c", "data/cycles/cores/cortex-m7.yaml",
        "data/cycles/boards/nucleo-l4r5.yaml", "_firmware/calibrate/cortex-m7.s",
        "data/tflm/figures.json.gz", "data/tflm/costs.json",
        "data/labgrid.txt", "farm/labgrid_bridge.py", "cycles/native/plugin.c", "runtimes/tflm/count.c",
        "boards/backends/qemu/qemu_plugin.h",
        "_docs/cards.md", "_docs/usage.md",
    ):  # fmt: skip
        assert (package / needed).exists(), needed
    assert {p.name for p in installed.iterdir() if not p.name.endswith(".dist-info")} == {"harness"}
    metadata = next(installed.glob("*.dist-info"))
    entries = (metadata / "entry_points.txt").read_text()
    assert "tinyhil = harness.pytest_plugin.plugin" in entries
    assert "[pyocd.probe]" in entries and "harness.virtual.plugin:VirtualProbePlugin" in entries
    about = (metadata / "METADATA").read_text()
    assert "Framework :: Pytest" in about
    assert re.search(r"^Provides-Extra: virtual$", about, re.MULTILINE)
    assert re.search(r"^Requires-Dist: unicorn.*extra == 'virtual'", about, re.MULTILINE)
    assert re.search(r"^Project-URL: Documentation, ", about, re.MULTILINE)
    assert (metadata / "licenses" / "LICENSE").is_file()


def run(installed, folder, *arguments):
    """The command of the unpacked wheel, outside of the checkout."""
    code = f"import harness.cli.app as c; assert c.__file__.startswith({str(installed)!r}), c.__file__; c.main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(installed), "TINYHIL_CACHE": str(folder / "cache")},
    )


def test_it_validates_outside_the_checkout(installed, tmp_path):
    options = ("-b", "host", "--vectors", "2", "--json")
    done = run(installed, tmp_path, "validate", str(FIXTURES / "digits.tflite"), *options)
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)["runs"]
    assert found["verdict"]["passed"]
    assert found["image"]["compiled"] > 0


def test_hints_lead_to_pages_that_came_with_it(installed, tmp_path):
    (tmp_path / "a.hil.yaml").write_text("model: x.tflite\nzzzz: 1\n")
    refused = run(installed, tmp_path, "validate", "a.hil.yaml")
    assert refused.returncode == 2
    page = re.search(r"`tinyhil docs ([a-z-]+)`", refused.stderr)
    assert page, refused.stderr
    shown = run(installed, tmp_path, "docs", page[1])
    assert shown.returncode == 0 and shown.stdout == (REPOSITORY / "docs" / f"{page[1]}.md").read_text()
