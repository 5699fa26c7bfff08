"""What tests with emulated boards share."""

from pathlib import Path

import pytest

from tests.support.kws import kws_model


@pytest.fixture(scope="session")
def kws(tmp_path_factory) -> Path:
    """A keyword-spotting model."""
    return kws_model(tmp_path_factory.mktemp("kws"))
