"""Settings of the whole test run."""

import os
import signal

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
