"""Settings of the whole test run."""

import signal


def pytest_configure():
    # A run in the background of a script inherits that Ctrl-C is ignored, and so would the programs that tests
    # interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
