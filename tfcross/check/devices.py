"""Which devices a node can be pinned to where there is one CPU: the rules of a session's placer."""

from __future__ import annotations

import re

from tfcross.errors import quoted
from tfcross.selection.refusal import PINNED, Refusal

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


def why_not_here(op: str, device: str) -> Refusal | None:
    """Why a session with one CPU places no node of ``op`` on ``device``; None if it does."""
    elsewhere, at = None, 0
    while at < len(device) and device != "/":
        part = _PART.match(device, at)
        if not part:
            return Refusal(PINNED, op, f"its device {quoted(device)} is no device name", f"{CLEAR}.")
        at = part.end()
        elsewhere = elsewhere or _elsewhere(part)
    if elsewhere is None:
        return None
    why, remedy = elsewhere
    return Refusal(PINNED, op, f"it is pinned to {quoted(device)}, and {why}", remedy)


def _elsewhere(part: re.Match[str]) -> tuple[str, str] | None:
    """What is there in the place of ``part``, and the remedy."""
    for name, value in part.groupdict().items():
        if value in (None, "*") or (value.upper() if name == "old" else value) == _HERE[name]:
            continue
        if name in ("job", "replica", "task"):
            return "there is only this machine", f"{CLEAR}."
        return "there is one device, CPU:0", f"{CLEAR}, or set allow_soft_placement in the ConfigProto."
    return None
