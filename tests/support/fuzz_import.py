"""The child process of the import fuzz: reads damaged files under limits of time and memory, and reports.

`python -m tests.support.fuzz_import FIRST COUNT SEED.tflite...` prints one JSON object: how many files were refused
(by error code) and accepted, what went wrong, the slowest file, and the memory it took.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import emit
from harness.errors import TinyhilError
from harness.frontends.tflite import reader as tflite
from harness.ir.graph import Graph
from harness.ir.verifier import verify
from tests.support.mutate import mutate, seed

MEMORY = 1 << 30
READ_SECONDS = 2.0
COMPILE_SECONDS = 10.0


class HangError(BaseException):
    """A file took longer than its limit; not an Exception, so that nothing in between takes it for one."""


@contextmanager
def _limit(seconds: float) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise HangError(f"longer than {seconds} s")

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _limit_memory() -> None:
    """Address space of 1 GiB beyond what the imports took."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * os.sysconf("SC_PAGE_SIZE") + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _compile(graph: Graph) -> None:
    """What is accepted must also become C."""
    package = emit(compile_graph(graph, core="cortex-m4"))
    assert package.sources and all(package.files[name] for name in package.sources)


def main(first: int, count: int, paths: list[str]) -> dict[str, object]:
    seeds = [seed(Path(p).stem, Path(p).read_bytes()) for p in paths]
    outcomes: Counter[str] = Counter()
    wrong: list[str] = []
    slowest = 0.0
    _limit_memory()
    for number in range(first, first + count):
        how, data = mutate(seeds, number)
        start = time.perf_counter()
        try:
            with _limit(READ_SECONDS):
                graph = tflite.load(data)
                verify(graph)
            outcomes["accepted"] += 1
            with _limit(COMPILE_SECONDS):
                _compile(graph)
            outcomes["compiled"] += 1
        except TinyhilError as error:
            outcomes[error.code] += 1
            if not error.message or not error.hint:
                wrong.append(f"{number} ({how}): an error without message or hint: {error!r}")
        except (Exception, HangError) as error:
            place = traceback.extract_tb(error.__traceback__)[-3:]
            wrong.append(f"{number} ({how}): {error!r} at {[f'{f.filename}:{f.lineno}' for f in place]}")
        slowest = max(slowest, time.perf_counter() - start)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"outcomes": outcomes, "wrong": wrong, "slowest": slowest, "memory": memory}


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])))
