"""Writes docs/img/report.png: the top of an HTML report and the network of its first run, in Chromium.

    python scripts/report_picture.py REPORT.html [PICTURE]
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
HEIGHT = 1330
"""Pixels of the page that are shown."""


def main() -> None:
    """Write the picture."""
    sys.path.insert(0, str(ROOT))
    from tests.support.browser import browser, chromium

    program = chromium()
    if program is None:
        sys.exit("no Chromium: sh scripts/setup.sh test")
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "docs" / "img" / "report.png"
    with TemporaryDirectory() as profile, browser(program, Path(profile)) as started:
        with started.page(Path(sys.argv[1]).resolve().as_uri(), width=1100, height=HEIGHT) as page:
            target.write_bytes(page.picture())
    print(target)


if __name__ == "__main__":
    main()
