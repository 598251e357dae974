"""The Debian origin: a source package's upstream tarball, found by apt with the machine's own settings.

apt works in a state folder of ours, so no root is needed and the machine's lists stay as they are.
Only the upstream tarball is taken: it stays the same from one Debian revision to the next.
"""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

from tfcross.environment import system_environment
from tfcross.releases.release import Origin
from tfcross.sources.origins import OriginError, aptsources
from tfcross.sources.origins.download import Remote

SECONDS = 300

# Hooks of the machine (they clean or index its own lists) need root and are none of our business.
# An index that is past its date does no harm: what it leads to is checked against the release's own sha256.
CONFIG = """\
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "{folder}/sources.d";
Dir::State::Lists "{folder}/lists";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
Acquire::Retries "2";
Acquire::http::Timeout "20";
APT::Sandbox::User "";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""


class AptArchive:
    """The source indexes of Debian suites, as this machine's apt reaches them; safe for threads.

    ``lock(name)`` keeps other processes away from a state folder while apt works in it. ``wanted`` are
    the origins that may be asked for: the first question about a suite looks up all of them.
    """

    def __init__(
        self,
        folder: Path,
        lock: Callable[[str], AbstractContextManager[None]],
        wanted: Iterable[Origin],
    ) -> None:
        self._lock, self._guard = lock, threading.Lock()
        by_suite: dict[str, list[Origin]] = {}
        for origin in wanted:
            by_suite.setdefault(origin.suite, []).append(origin)
        self._suites = {suite: Suite(folder / suite, origins) for suite, origins in by_suite.items()}

    def locate(self, origin: Origin, *, refresh: bool = False) -> Remote:
        """Where the archive has the tarball; ``refresh`` when a place told before was out of date."""
        with self._guard, self._lock("apt"):
            return self._suites[origin.suite].locate(origin, refresh)


class Suite:
    """apt's view of one suite's source packages, in a state folder of our own."""

    def __init__(self, folder: Path, wanted: Sequence[Origin]) -> None:
        self.folder, self.wanted = folder, wanted
        self.updated = False
        self.trouble = ""
        self.found: dict[str, tuple[str, str]] | None = None

    def locate(self, origin: Origin, refresh: bool) -> Remote:
        """Looks into the lists of an earlier run first, then into new ones."""
        self._set_up()
        if refresh and not self.updated:
            self._update()
        if self.found is None:
            self.found = self._look_up()
        if origin.file not in self.found and not self.updated:
            self._update()
            self.found = self._look_up()
        if origin.file not in self.found:
            reason = f" ({self.trouble})" if self.trouble else ""
            raise OriginError(f"apt finds no {origin.file}{reason}")
        uri, sha256 = self.found[origin.file]
        return _remote(uri, sha256, origin)

    def _set_up(self) -> None:
        """Write apt's configuration, from the machine's entries as they are now."""
        if self.found is not None:
            return
        sources = aptsources.source_entries(machine_entries(), self.folder.name)
        if not sources:
            raise OriginError("no entry of a Debian archive is among this machine's apt sources")
        for name in ("sources.d", "lists/partial", "cache/archives/partial"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "status").touch()
        (self.folder / "sources.d" / "tfcross.sources").write_text(sources)
        (self.folder / "apt.conf").write_text(CONFIG.format(folder=self.folder))

    def _update(self) -> None:
        """Bring the index; a partial failure is told only if a file is then not found."""
        self.updated, self.found = True, None
        answer = self._apt("apt-get", "-q", "update")
        lines = (answer.stdout + answer.stderr).splitlines()
        told = [line.strip() for line in lines if line.startswith(("E:", "Err:"))]
        self.trouble = told[0] if told else ""

    def _look_up(self) -> dict[str, tuple[str, str]]:
        """(URI, sha256 or "") of every file that the wanted upstream versions' packages have."""
        names = sorted({origin.name for origin in self.wanted})
        stanzas = self._apt("apt-cache", "showsrc", "--only-source", *names).stdout
        upstream = {(origin.name, origin.version) for origin in self.wanted}
        chosen = matching_packages(stanzas, upstream)
        if not chosen:
            return {}
        uris = self._apt("apt-get", "source", "--print-uris", "--only-source", *chosen)
        if uris.returncode != 0:
            self.trouble = uris.stderr.strip().splitlines()[-1]
        return printed_uris(uris.stdout)

    def _apt(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run_apt(program, "-c", str(self.folder / "apt.conf"), *arguments)


def _remote(uri: str, sha256: str, origin: Origin) -> Remote:
    if sha256 and sha256 != origin.sha256:
        raise OriginError(
            f"sha256 of {origin.file} in the archive is {sha256[:8]}…, "
            f"the release pins {origin.sha256[:8]}…. Not used"
        )
    scheme = urlsplit(uri).scheme
    if scheme not in ("http", "https", "file"):
        raise OriginError(f"apt reaches it by '{scheme}', which is none of http, https, file")
    return Remote(uri, apt_proxies())


def run_apt(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of apt's programs; OriginError where there is none."""
    if shutil.which(program) is None:
        raise OriginError(f"{program} is not on PATH")
    environment = system_environment()
    try:
        return subprocess.run(
            [program, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
            env=environment,
        )
    except subprocess.TimeoutExpired as error:
        raise OriginError(f"{program} did not answer in {SECONDS} s") from error


def machine_entries() -> Iterator[aptsources.Entry]:
    """What the machine's apt reads, in both formats."""
    places = apt_settings("Dir::Etc::SourceList/f", "Dir::Etc::SourceParts/d")
    parts = Path(places["Dir::Etc::SourceParts/d"])
    files = sorted(parts.glob("*.sources")) + sorted(parts.glob("*.list")) if parts.is_dir() else []
    for path in [Path(places["Dir::Etc::SourceList/f"]), *files]:
        if path.is_file():
            parse = aptsources.parse_deb822 if path.suffix == ".sources" else aptsources.parse_list
            yield from parse(path.read_text(encoding="utf-8", errors="replace"))


def apt_settings(*names: str) -> dict[str, str]:
    """The machine's apt settings of those names; "" for one that is not set."""
    pairs = [word for number, name in enumerate(names) for word in (f"V{number}", name)]
    listing = run_apt("apt-config", "shell", *pairs).stdout
    values = dict(re.findall(r"^V(\d+)='(.*)'$", listing, re.MULTILINE))
    return {name: values.get(str(number), "") for number, name in enumerate(names)}


@functools.cache
def apt_proxies() -> dict[str, str]:
    """The proxies that apt uses, in requests' form."""
    settings = apt_settings("Acquire::http::Proxy", "Acquire::https::Proxy")
    schemes = {name.split("::")[1]: value for name, value in settings.items()}
    return {scheme: value for scheme, value in schemes.items() if value and value != "DIRECT"}


def matching_packages(showsrc: str, upstream: Collection[tuple[str, str]]) -> list[str]:
    """``name=version`` of each stanza of ``apt-cache showsrc`` that is a wanted (name, upstream version)."""
    stanzas = re.findall(r"^Package: (\S+)$.*?^Version: (\S+)$", showsrc, re.MULTILINE | re.DOTALL)
    chosen = [f"{name}={version}" for name, version in stanzas if (name, upstream_part(version)) in upstream]
    return list(dict.fromkeys(chosen))


def upstream_part(version: str) -> str:
    """``3.21.12`` of ``1:3.21.12-3+deb12u1``."""
    return version.split(":", 1)[-1].rsplit("-", 1)[0]


def printed_uris(text: str) -> dict[str, tuple[str, str]]:
    """(URI, sha256 or "") by file name, from what ``--print-uris`` wrote."""
    lines = re.findall(r"^'([^']+)' (\S+) \d+ ?(?:SHA256:)?(\S*)$", text, re.MULTILINE)
    return {file: (uri, checksum if len(checksum) == 64 else "") for uri, file, checksum in lines}
