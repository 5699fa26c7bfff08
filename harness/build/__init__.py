"""From C sources to an image: compilers, the cache of what they made, and the sizes of the result."""

from harness.build.image import Image, build_image
from harness.build.sections import Sections, Sizes
from harness.build.sources import Package
from harness.build.toolchain import Toolchain, find

__all__ = ["Image", "Package", "Sections", "Sizes", "Toolchain", "build_image", "find"]
