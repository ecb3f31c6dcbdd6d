"""The images below instance and rescue disks: shipped ones, and the user's files, which are only read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.guest.keys import RunKey
from harness.guest.login import CLOUD_INIT_PATIENCE, SYSTEMD_PATIENCE, Login, read_private_key
from harness.image import ImageSet
from harness.image.content import ImageContent
from harness.image.debian import DebianSet
from harness.image.user_file import inspected
from harness.instance.storage.unbootable import blank_medium, data_iso
from harness.scenario.images import RescueSource, ShippedImage, UserImage
from harness.scenario.models import Scenario
from harness.scenario.rescue_image import RescueImage
from harness.scenario.steps import rescues_from


@dataclass(frozen=True)
class BaseImage:
    """An image, and the way to log in to a guest that boots from it."""

    content: ImageContent
    login: Login


@dataclass(frozen=True)
class BaseImages:
    """The images of an instance's root disk, of its rescue medium, and of the media of rescues among the steps.

    ``by_step`` goes by the step's position.
    """

    instance: BaseImage
    rescue: BaseImage
    by_step: Mapping[int, BaseImage] = field(default_factory=dict)

    @property
    def cloud_init_users(self) -> tuple[str, ...]:
        """The users who log in by way of cloud-init."""
        logins = (image.login for image in (self.instance, self.rescue, *self.by_step.values()))
        return tuple(dict.fromkeys(login.user for login in logins if login.by_cloud_init))


def base_images(
    scenario: Scenario,
    folder: Path,
    *,
    minimal: ImageSet,
    debian: Callable[[], DebianSet],
    run_key: RunKey,
    scratch: Path,
) -> BaseImages:
    """Return the images of a case's instance and rescue media; the user's paths are relative to ``folder``.

    ``debian`` is called only if a Debian image is needed, because the call may have to build the images. ``scratch``
    is the case's folder, for media from which nothing boots.

    Raises:
        HostError: an image cannot be built or read.
    """
    login = Login(run_key.key)
    debian_login = Login(run_key.key, patience=SYSTEMD_PATIENCE)
    instance = scenario.instance
    match instance.image:
        case UserImage() as image:
            own = user_image(image, folder, run_key)
        case ShippedImage.DEBIAN:
            own = _shipped(debian().instance, debian_login)
        case ShippedImage.DEBIAN_ON_VOLUMES:
            own = _shipped(debian().volumes, debian_login)
        case ShippedImage.MINIMAL:
            own = _shipped(minimal.instance_iso if instance.is_from_iso else minimal.instance, login)

    def medium(rescue: RescueImage) -> BaseImage:
        match rescue.image:
            case UserImage() as image:
                return user_image(image, folder, run_key)
            case RescueSource.INSTANCE:
                return own
            case RescueSource.DEBIAN:
                return _shipped(debian().rescue, debian_login)
            case RescueSource.MINIMAL:
                return _shipped(minimal.rescue, login)
            case RescueSource.BLANK:
                return BaseImage(blank_medium(scratch), login)
            case RescueSource.DATA_ISO:
                return BaseImage(data_iso(scratch), login)

    by_step = {position: medium(image) for position, image in rescues_from(scenario.steps).items()}
    return BaseImages(own, medium(scenario.rescue_image), by_step)


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
