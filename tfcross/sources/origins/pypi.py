"""The PyPI origin: a wheel by project, version and file name, found by pip with pip's own settings."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfcross.environment import system_environment
from tfcross.releases.release import Origin
from tfcross.sources.origins import OriginError
from tfcross.sources.origins.download import Remote

SECONDS = 180


class PipIndex:
    """The machine's index, asked once per wheel; for one thread at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[str, Remote | OriginError] = {}

    def locate(self, origin: Origin) -> Remote:
        """Where the index has the wheel; one with another content is refused."""
        with self._lock:
            if origin.file not in self._found:
                try:
                    self._found[origin.file] = _locate(origin)
                except OriginError as error:
                    self._found[origin.file] = error
            located = self._found[origin.file]
        if isinstance(located, OriginError):
            raise located
        return located


def _locate(origin: Origin) -> Remote:
    info = _ask_pip(origin)
    name = info["url"].rsplit("/", 1)[-1].split("#")[0]
    if name != origin.file:
        raise OriginError(f"the index offers {name}, the release pins {origin.file}")
    archive = info.get("archive_info", {})
    digest = archive.get("hashes", {}).get("sha256") or archive.get("hash", "").partition("sha256=")[2]
    if digest and digest != origin.sha256:
        pinned = origin.sha256
        raise OriginError(
            f"sha256 of the file in the index is {digest[:8]}…, the release pins {pinned[:8]}…. Not used"
        )
    settings = _pip_settings()
    proxy = settings.get("proxy", "")
    return Remote(
        info["url"].split("#")[0],
        {"http": proxy, "https": proxy} if proxy else {},
        settings.get("cert", ""),
    )


def _ask_pip(origin: Origin) -> dict[str, Any]:
    """What pip would download, from its report of a dry run: no file of that size is fetched for it."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = ["install", "--dry-run", "--quiet", "--no-input", "--no-deps", "--ignore-installed"]
        command += ["--only-binary", ":all:", "--use-feature=fast-deps", *wheel_tags(origin.file)]
        command += ["--target", folder, "--report", str(report), f"{origin.name}=={origin.version}"]
        answer = _pip(command)
        if answer.returncode != 0 or not report.is_file():
            last = [line for line in answer.stderr.splitlines() if line.startswith("ERROR")][-1:]
            raise OriginError(f"pip does not find it ({last[0] if last else answer.stderr.strip()[-160:]})")
        installs = json.loads(report.read_text())["install"]
    return dict(installs[0]["download_info"])


def wheel_tags(file: str) -> list[str]:
    """pip's options that choose the wheel of that name, whatever machine asks."""
    python, abi, platforms = file.removesuffix(".whl").split("-")[-3:]
    options = ["--implementation", python[:2]]
    if len(python) > 3:  # py3 is for every Python 3
        options += ["--python-version", f"{python[2]}.{python[3:]}"]
    options += ["--abi", abi]
    for platform in platforms.split("."):
        options += ["--platform", platform]
    return options


def _pip(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=SECONDS, env=system_environment()
        )
    except subprocess.TimeoutExpired as error:
        raise OriginError(f"pip did not answer in {SECONDS} s") from error


def _pip_settings() -> dict[str, str]:
    """pip's ``cert`` and ``proxy``; those from the environment come last and win."""
    return parse_settings(_pip(["config", "list"]).stdout)


def parse_settings(listing: str) -> dict[str, str]:
    """``pip config list``'s lines, ``section.name='value'``, by name."""
    by_place: dict[str, dict[str, str]] = {"file": {}, "env": {}}
    for line in listing.splitlines():
        key, equals, value = line.partition("=")
        if equals:
            place = "env" if key.startswith(":env:") else "file"
            by_place[place][key.rpartition(".")[2]] = _literal(value)
    merged: Mapping[str, str] = {**by_place["file"], **by_place["env"]}
    return dict(merged)


def _literal(value: str) -> str:
    try:
        return str(ast.literal_eval(value))
    except (ValueError, SyntaxError):
        return value
