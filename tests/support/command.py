"""The command in this process: quicker than one of its own, for tests of many calls."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from dataclasses import dataclass
from unittest import mock

from harness.cli.app import main


@dataclass(frozen=True)
class Called:
    """What a call of the command printed, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


def called(*arguments: object) -> Called:
    """Calls `tinyhil` with these arguments, without variables of the environment but for the cache."""
    out, err = io.StringIO(), io.StringIO()
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TINYHIL_") or k == "TINYHIL_CACHE"}
    with (
        mock.patch.dict(os.environ, {**kept, "NO_COLOR": "1", "COLUMNS": "400"}, clear=True),
        mock.patch.object(sys, "argv", ["tinyhil", *map(str, arguments)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Called(code, out.getvalue(), err.getvalue())
