"""Writes docs/img/report.webp: the beginning of an HTML report, in Chromium.

tinyhil validate fixtures/residual.hil.yaml -b nucleo-f446 --report reports
python scripts/report_picture.py reports/report.html
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
HEIGHT = 1900
"""Pixels of the page that are shown."""


def main() -> None:
    """Write the picture."""
    sys.path.insert(0, str(ROOT))
    from tests.support.browser import browser, chromium

    program = chromium()
    if program is None:
        sys.exit("no Chromium: sh scripts/setup.sh test")
    target = ROOT / "docs" / "img" / "report.webp"
    report = Path(sys.argv[1]).resolve().as_uri()
    with (
        TemporaryDirectory() as profile,
        browser(program, Path(profile)) as started,
        started.page(report, width=1080, height=HEIGHT) as page,
    ):
        target.write_bytes(page.picture("webp"))
    print(target)


if __name__ == "__main__":
    main()
