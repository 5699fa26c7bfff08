"""The HTML report: one file that people open by choice. page.py puts it together; each kind of picture has a module."""

from harness.report.html.page import modelled, render

__all__ = ["modelled", "render"]
