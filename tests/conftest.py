"""Settings of the whole test run."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.sampled import leave_out

# The sample is the same in every run; `make test-long` draws anew. How long an example takes only says how busy the
# machine is.
_UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("whole", _UNTIMED)
settings.register_profile("sample", _UNTIMED, derandomize=True)
settings.load_profile("whole" if os.environ.get("TINYHIL_LONG") == "1" else "sample")


def pytest_configure():
    # A run in the background of a script inherits that Ctrl-C is ignored, and so would the programs that tests
    # interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config, items):
    leave_out(config, items)


@pytest.fixture
def attach(tmp_path, monkeypatch) -> Callable[..., dict[str, str]]:
    """Attaches virtual probes for some boards, with faults or none, to this process; gives what a child needs."""
    from tests.support.probe import virtual_probes

    def _attach(*boards: str, faults: str = "") -> dict[str, str]:
        environment = virtual_probes(*boards, folder=tmp_path, faults=faults)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        for name in ("TINYHIL_PROBE", "TINYHIL_LEASE_WAIT", "PYTEST_XDIST_WORKER"):
            monkeypatch.delenv(name, raising=False)
        return environment

    return _attach


@pytest.fixture(scope="session")
def kws(tmp_path_factory) -> Path:
    """A keyword-spotting model."""
    from tests.support.kws import kws_model

    return kws_model(tmp_path_factory.mktemp("kws"))
