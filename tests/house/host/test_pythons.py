"""The package works with every Python that it names, where that is installed; only in full runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import FIXTURES, REPOSITORY

VERSIONS = re.findall(r"Python :: (3\.\d+)", (REPOSITORY / "pyproject.toml").read_text())


def interpreter(version: str) -> str | None:
    """A Python of this version on PATH or of pyenv; None where there is none."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    own = map(str, pyenv.glob(f"{version}.*/bin/python"))
    for name in (f"python{version}", "python3", sys.executable, *own):
        found = shutil.which(name)
        told = "import sys; print('%d.%d' % sys.version_info[:2])"
        if found and subprocess.run([found, "-c", told], capture_output=True, text=True).stdout.strip() == version:
            return found
    return None


@pytest.mark.skipif(os.environ.get("TINYHIL_LONG") != "1", reason="installs the package; TINYHIL_LONG=1")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("version", VERSIONS)
def test_it_installs_and_validates(version, tmp_path):
    python = interpreter(version)
    if python is None:
        pytest.skip(f"there is no Python {version} here")
    subprocess.run([python, "-m", "venv", tmp_path / "venv"], check=True)
    bin_ = tmp_path / "venv" / "bin"
    subprocess.run([bin_ / "python", "-m", "pip", "install", "--quiet", REPOSITORY], check=True, timeout=500)
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run(*command: object) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            list(map(str, command)), capture_output=True, text=True, cwd=tmp_path, env=env, timeout=200, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    card = FIXTURES / "digits.hil.yaml"
    told = json.loads(run(bin_ / "tinyhil", "validate", card, "-b", "host", "--json").stdout)
    assert told["verdict"] == "pass" and told["tools"]["python"].startswith(f"{version}.")
    run(bin_ / "tinyhil", "generate", FIXTURES / "digits.tflite", "-o", tmp_path / "out", "--core", "cortex-m4")
    run(bin_ / "python", "-m", "pytest", "-p", "no:cacheprovider", card, "--board", "mps2-an500", "-c", os.devnull)
