"""Guest images: built from Debian packages, cached, verified before use."""

from harness.image.cache import cache_root, obtain_images
from harness.image.image_set import ImageSet, write_floppy
from harness.image.recipe import Recipe, recipe_folder

__all__ = ["ImageSet", "cache_root", "instance_command_line", "obtain_images", "write_floppy"]


def instance_command_line(*, from_iso: bool = False) -> str:
    """Return the kernel command line with which the instance image's own boot loader starts its kernel."""
    recipe = Recipe.load(recipe_folder())
    return recipe.command_line(recipe.instance_iso if from_iso else recipe.instance)
