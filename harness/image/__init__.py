"""Guest images: built from Debian packages, cached, verified before use."""

from harness.image.cache import cache_root, obtain_images
from harness.image.image_set import ImageSet, write_floppy

__all__ = ["ImageSet", "cache_root", "obtain_images", "write_floppy"]
