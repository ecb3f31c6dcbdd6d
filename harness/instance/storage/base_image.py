"""The images below instance and rescue disks: shipped ones, and the user's files, which are only read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.evidence.inventory import State
from harness.guest.keys import RunKey
from harness.guest.login import CLOUD_INIT_PATIENCE, SYSTEMD_PATIENCE, Login, read_private_key
from harness.image import ImageSet
from harness.image.content import ImageContent
from harness.image.debian import DebianSet
from harness.image.user_file import inspected
from harness.scenario.images import RescueSource, ShippedImage, UserImage
from harness.scenario.models import Instance
from harness.scenario.rescue_image import RescueImage


@dataclass(frozen=True)
class BaseImage:
    """An image, and the way to log in to a guest that boots from it."""

    content: ImageContent
    login: Login


@dataclass(frozen=True)
class BaseImages:
    """The images of an instance's root disk and of its rescue medium."""

    instance: BaseImage
    rescue: BaseImage

    def in_state(self, state: State) -> BaseImage:
        """Return the image that a state boots from."""
        return self.rescue if state is State.RESCUED else self.instance

    @property
    def cloud_init_users(self) -> tuple[str, ...]:
        """The users who log in by way of cloud-init."""
        logins = (self.instance.login, self.rescue.login)
        return tuple(dict.fromkeys(login.user for login in logins if login.by_cloud_init))


def base_images(
    instance: Instance,
    rescue: RescueImage,
    folder: Path,
    *,
    minimal: ImageSet,
    debian: Callable[[], DebianSet],
    run_key: RunKey,
) -> BaseImages:
    """Return the images of a case's instance and rescue medium; the user's paths are relative to ``folder``.

    ``debian`` is called only if a Debian image is needed, because the call may have to build the images.

    Raises:
        HostError: an image cannot be built or read.
    """
    login = Login(run_key.key)
    debian_login = Login(run_key.key, patience=SYSTEMD_PATIENCE)
    match instance.image:
        case UserImage() as image:
            own = user_image(image, folder, run_key)
        case ShippedImage.DEBIAN:
            own = _shipped(debian().instance, debian_login)
        case ShippedImage.MINIMAL:
            own = _shipped(minimal.instance_iso if instance.is_from_iso else minimal.instance, login)
    match rescue.image:
        case UserImage() as image:
            medium = user_image(image, folder, run_key)
        case RescueSource.INSTANCE:
            medium = own
        case RescueSource.DEBIAN:
            medium = _shipped(debian().rescue, debian_login)
        case RescueSource.MINIMAL:
            medium = _shipped(minimal.rescue, login)
    return BaseImages(own, medium)


def _shipped(path: Path, login: Login) -> BaseImage:
    return BaseImage(ImageContent.of_raw(path), login)


def user_image(image: UserImage, folder: Path, run_key: RunKey) -> BaseImage:
    """Return a user's image; paths are relative to ``folder``.

    Raises:
        HostError: the image or the key cannot be used.
    """
    content = inspected(folder / image.file)
    if image.key is None:
        login = Login(run_key.key, image.user, says_ready=False, patience=CLOUD_INIT_PATIENCE, by_cloud_init=True)
    else:
        login = Login(read_private_key(folder / image.key), image.user, says_ready=False, patience=SYSTEMD_PATIENCE)
    return BaseImage(content, login)
