"""The git checkout that this project runs in."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path


def revision(root: Path) -> str:
    """The git commit of the checkout ``root``, with ``-dirty`` where files differ from it; "" without git."""
    command = ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def checkout_state(root: Path) -> str:
    """Changes with the tracked files of the checkout ``root``: its commit, what differs; "" without git."""
    commit = revision(root)
    command = ["git", "-C", str(root), "diff", "HEAD", "--binary", "--no-ext-diff"]
    try:
        changed = subprocess.run(command, capture_output=True, check=True).stdout if commit else b""
    except (OSError, subprocess.CalledProcessError):
        return ""
    return commit + (hashlib.sha256(changed).hexdigest() if changed else "")
