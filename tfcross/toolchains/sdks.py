"""What the NDK and Xcode families share: revisions that have to be in ranges, and APIs that have floors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfcross.errors import TfcrossError
from tfcross.targets.profile import Profile
from tfcross.toolchains.versions import Version, VersionRange, narrowest, parse_version


class UnfitSdkError(TfcrossError):
    """There is an SDK, of a version that the profile cannot be built with."""


def first_range(ranges: Mapping[str, str], version: Version) -> str | None:
    """The value of the first range that ``version`` is in."""
    return next((value for text, value in ranges.items() if version in VersionRange(text)), None)


def fits(profile: Profile, data: Mapping[str, Any], version: Version) -> bool:
    """Whether an SDK of ``version`` will do for the toolchain file ``data`` and for the profile's release."""
    return all(version in VersionRange(text) for text in (data["revisions"], profile.sdk) if text)


def fitting_words(profile: Profile, data: Mapping[str, Any]) -> str:
    """What will do, in words: ``r19 or later``."""
    return str(narrowest([text for text in (data["revisions"], profile.sdk) if text]))


def check_floor(profile: Profile, floor: str, what: str) -> None:
    """TfcrossError if the profile's API is older than ``floor`` or than the arch."""
    for oldest, who in ((floor, what), (profile.api_floor, f"{profile.target} {profile.arch}")):
        if oldest and parse_version(profile.api) < parse_version(oldest):
            raise TfcrossError(
                f"API={profile.api}: {oldest} is the oldest of {who}; pass API={oldest} or later."
            )
