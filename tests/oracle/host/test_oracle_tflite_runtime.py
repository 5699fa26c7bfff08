"""The tests of LiteRT hold with its predecessor tflite-runtime, too."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from filelock import FileLock

from harness.oracle.litert import PACKAGES
from tests.support.paths import REPOSITORY

TESTS = "tests/oracle/host/test_oracle_litert.py"


@pytest.fixture(scope="module")
def python() -> Path:
    """Interpreter of the environment with tflite-runtime: `make test` made it already, anything else makes it here."""
    home = Path(sys.prefix) if sys.prefix != sys.base_prefix else REPOSITORY / ".venv"
    home.mkdir(exist_ok=True)
    with FileLock(home / "tflite-runtime.lock", timeout=240):
        command = ["sh", "scripts/setup.sh", "tflite-runtime", str(home)]
        environment = {**os.environ, "PYTHON": sys.executable}
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return home / "tflite-runtime" / "bin" / "python"


@pytest.mark.timeout(600)
@pytest.mark.skipif(sys.platform != "linux", reason="tflite-runtime has wheels for Linux only")
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="tflite-runtime has no wheels for Python 3.12 and later")
def test_the_tests_of_litert_pass_with_tflite_runtime(python: Path, tmp_path: Path) -> None:
    record = tmp_path / "junit.xml"
    options = ["-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestConfigWarning", f"--junit-xml={record}"]
    done = subprocess.run(
        [python, "-m", "pytest", *options, TESTS],
        cwd=REPOSITORY,
        env={k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "PYTHON"))},
        capture_output=True,
        text=True,
        timeout=540,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    cases = list(ElementTree.parse(record).iter("testcase"))
    skips = [skip.get("message") or "" for case in cases for skip in case.iter("skipped")]
    # Others' models may be absent, as they may in the run that this is part of.
    assert [message for message in skips if "TINYHIL_MODELS" not in message] == []
    passed = [case.get("name") or "" for case in cases if not list(case)]
    assert not any("ai-edge-litert" in name for name in passed)
    kinds = {re.sub(r"\[.*", "", name) for name in passed if "tflite-runtime" in name}
    assert {"test_version_names_the_package", "test_sums_beside_rounding_boundaries"} <= kinds
    assert sum("tflite-runtime" in name for name in passed) >= 15
    assert set(PACKAGES) == {"ai-edge-litert", "tflite-runtime"}
