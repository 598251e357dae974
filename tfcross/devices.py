"""Which devices a node can be pinned to where there is one CPU: the rules of a session's placer."""

from __future__ import annotations

import re

from .node import quoted

_PART = re.compile(
    r"/(?:job:(?P<job>[A-Za-z]\w*|\*)|replica:(?P<replica>\d+|\*)|task:(?P<task>\d+|\*)"
    r"|device:(?P<type>[A-Za-z]\w*|\*)(?::(?P<id>\d+|\*))?|(?P<old>cpu|CPU|gpu|GPU):(?P<old_id>\d+|\*))"
)
#: What the one device of a session says of itself; other values of a part do not match it.
_HERE = {"job": "localhost", "replica": "0", "task": "0", "type": "CPU", "id": "0"} | {
    "old": "CPU",
    "old_id": "0",
}
CLEAR = "Clear the device in the graph"


def why_not_here(device: str) -> str:
    """Why a session with one CPU places no node on ``device``; "" if it does."""
    pinned, at = "", 0
    while at < len(device) and device != "/":
        part = _PART.match(device, at)
        if not part:
            return f"its device {quoted(device)} is no device name. {CLEAR}."
        at = part.end()
        pinned = pinned or _elsewhere(part)
    return pinned and f"it is pinned to {quoted(device)}, and {pinned}"


def _elsewhere(part: re.Match[str]) -> str:
    for name, value in part.groupdict().items():
        if value in (None, "*") or (value.upper() if name == "old" else value) == _HERE[name]:
            continue
        if name in ("job", "replica", "task"):
            return f"there is only this machine. {CLEAR}."
        return f"there is one device, CPU:0. {CLEAR}, or set allow_soft_placement in the ConfigProto."
    return ""
