"""Where things lie in this checkout."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
FIXTURES = REPOSITORY / "fixtures"
EXAMPLES = REPOSITORY / "examples"
FIRMWARE = REPOSITORY / "firmware"
