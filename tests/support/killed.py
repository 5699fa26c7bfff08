"""Commands that are killed by SIGKILL at seeded random moments, and started again until they are through."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.paths import REPOSITORY


def killed_until_done(arguments: Sequence[object], folder: Path, kills: int, rng: random.Random) -> tuple[str, int]:
    """What `tinyhil` with these arguments prints at last, and how often it was killed.

    A moment is some milliseconds after a random number of changes in its folder, so that kills fall into all of its
    work, however fast the machine is.
    """
    done = 0
    while True:
        process = _started(arguments)
        try:
            if done < kills and _killed(process, folder, rng):
                done += 1
                continue
            printed, errors = process.communicate()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        assert process.returncode == 0, errors[-3000:]
        return printed, done


def _started(arguments: Sequence[object]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "harness.cli", *map(str, arguments)]
    return subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def _killed(process: subprocess.Popen[str], folder: Path, rng: random.Random) -> bool:
    """Kills the process and its children after some changes; False where it ended before."""
    changes, after = rng.randint(1, 12), rng.uniform(0, 0.2)
    seen = _state(folder)
    while changes and process.poll() is None:
        time.sleep(0.002)
        now = _state(folder)
        changes -= now != seen
        seen = now
    time.sleep(after)
    if process.poll() is not None:
        return False
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return True


def _state(folder: Path) -> dict[str, int]:
    found = {}
    for path, _, files in os.walk(folder):
        for name in files:
            try:
                found[os.path.join(path, name)] = os.stat(os.path.join(path, name)).st_mtime_ns
            except FileNotFoundError:  # renamed since
                continue
    return found


def without_seconds(text: str) -> Any:
    """A JSON document without what took how long, and when."""
    return _without(json.loads(text))


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without(held) for key, held in value.items() if key not in ("seconds", "started", "duration_s")}
    return [_without(held) for held in value] if isinstance(value, list) else value
