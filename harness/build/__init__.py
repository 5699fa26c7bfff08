"""From C sources to an image: compilers, the cache of objects and images, and the sizes of the result."""

from harness.build.image import Image, build_image
from harness.build.plan import BuildOptions
from harness.build.sources import PackageSources
from harness.build.toolchain import Toolchain, find
from harness.elf.sizes import SectionSizes, Sizes

__all__ = ["BuildOptions", "Image", "PackageSources", "SectionSizes", "Sizes", "Toolchain", "build_image", "find"]
