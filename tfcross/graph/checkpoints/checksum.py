"""Checksums of checkpoints: CRC32C, masked so that a checksum of data with checksums in it is no trap."""

from __future__ import annotations

import google_crc32c

_DELTA = 0xA282EAD8


def mask(crc: int) -> int:
    """A CRC32C as files hold it."""
    return ((crc >> 15 | crc << 17) + _DELTA) & 0xFFFFFFFF


def extend(crc: int, content: bytes) -> int:
    """The plain CRC32C of what gave ``crc`` (0 for nothing) and ``content`` behind it."""
    return int(google_crc32c.extend(crc, content))
