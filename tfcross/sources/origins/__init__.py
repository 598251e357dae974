"""The kinds of place that a pinned archive can come from, and how bytes are brought from there."""

from __future__ import annotations


class OriginError(Exception):
    """Why one origin did not bring its archive, in a few words; the next origin is tried."""
