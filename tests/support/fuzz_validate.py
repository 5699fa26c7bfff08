"""The child process of the validation fuzz: `tinyhil validate -b host` on damaged models, the whole way and in process.

`python -m tests.support.fuzz_validate FIRST COUNT FOLDER SEED.tflite...` prints one JSON object: how many models ended
how ("exact", "refused CODE"), what went wrong, and the slowest. FOLDER is for models and the build cache. A crash of
anything that the command calls ends this process, which its caller sees.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import json
import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from harness.cli.app import EXIT_UNEXPECTED
from harness.cli.app import main as tinyhil
from tests.support.mutate import mutate, seed

HANG_S = 120
"""No model takes a fifth of this on a machine of its own."""

_MAY_REFUSE = frozenset({2, 4})


class HangError(BaseException):
    """A model took longer than HANG_S."""


def _stop(*_: object) -> None:
    faulthandler.dump_traceback()
    raise HangError


def _command(path: Path) -> tuple[int, str, str]:
    """(exit code, standard output, standard error) of the command on a model."""
    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["tinyhil", "validate", str(path), "--board", "host", "--vectors", "2", "--json"]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            tinyhil()
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
    return code, out.getvalue(), err.getvalue()


def judge(code: int, out: str, err: str) -> tuple[str, str]:
    """(how a run ended, what is wrong with that, or "")."""
    try:
        document = json.loads(out)
    except ValueError:
        return "no document", f"exit {code}, no JSON on standard output: {out[:200]!r} {err[-300:]!r}"
    if code == 0:
        return "exact", ""
    if code == 1:
        checks = [check for run in document.get("runs", []) for check in run.get("checks", [])]
        failed = [check for check in checks if check.get("status") == "fail"]
        return "wrong", f"not exact: {failed or document}"
    error = document.get("error", {})
    ended = f"refused {error.get('code')}"
    if code == EXIT_UNEXPECTED or code not in _MAY_REFUSE or "Traceback" in err:
        return ended, f"exit {code}: {err[-500:]}"
    missing = [key for key in ("code", "stage", "message", "hint") if not error.get(key)]
    if missing or error["code"] in ("build", "board", "link", "protocol"):
        return ended, f"{missing} missing in, or no clear refusal: {error}"
    return ended, ""


def main(first: int, count: int, folder: Path, paths: list[str]) -> dict[str, object]:
    """Runs `count` mutants from number `first` on."""
    os.environ["TINYHIL_CACHE"] = str(folder / "cache")
    seeds = [seed(Path(p).stem, Path(p).read_bytes()) for p in paths]
    signal.signal(signal.SIGALRM, _stop)
    outcomes: Counter[str] = Counter()
    wrong: list[str] = []
    slowest = (0.0, -1)
    for number in range(first, first + count):
        how, data = mutate(seeds, number, deep=True)
        path = folder / f"m{number}.tflite"
        path.write_bytes(data)
        start = time.monotonic()
        signal.alarm(HANG_S)
        try:
            ended, problem = judge(*_command(path))
        except HangError:
            ended, problem = "hang", f"longer than {HANG_S} s"
        except BaseException as error:  # whatever it is, the command let it through
            ended, problem = "raised", repr(error)
        finally:
            signal.alarm(0)
        outcomes[ended] += 1
        if problem:
            wrong.append(f"{number} ({how}): {problem}")
        else:
            path.unlink()
        slowest = max(slowest, (time.monotonic() - start, number))
        if number % 100 == 99:
            print(number + 1, dict(outcomes), len(wrong), file=sys.stderr, flush=True)
    return {"outcomes": outcomes, "wrong": wrong, "slowest": slowest}


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])))
