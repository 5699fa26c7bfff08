"""Settings of the whole test run."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

# The sample is the same in every run; `make test-long` draws anew.
settings.register_profile("sample", derandomize=True)
if os.environ.get("TINYHIL_LONG") != "1":
    settings.load_profile("sample")


def pytest_configure():
    # A run in the background of a script inherits that Ctrl-C is ignored, and so would the programs that tests
    # interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def kws(tmp_path_factory) -> Path:
    """A keyword-spotting model."""
    from tests.support.kws import kws_model

    return kws_model(tmp_path_factory.mktemp("kws"))
