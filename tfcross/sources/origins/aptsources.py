"""The machine's apt entries, rewritten to bring the source index of one suite."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

Entry = Mapping[str, str]
CARRIED = ("URIs", "Signed-By", "Trusted", "Check-Valid-Until", "Allow-Insecure", "Allow-Weak")
_OPTION = re.compile(r"([A-Za-z-]+)=(\S+)")
_LINE = re.compile(r"deb(?:-src)?\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*(.*)")


def parse_deb822(text: str) -> Iterator[dict[str, str]]:
    """The stanzas of a ``.sources`` file; a field's further lines are kept as they are (keys in line)."""
    for stanza in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line.startswith("#") or not line.strip():
                continue
            if line[0] in " \t":
                fields[name] = f"{fields.get(name, '')}\n{line}"
            else:
                name, _, value = line.partition(":")
                name = _spelled(name)
                fields[name] = value.strip()
        if fields.get("URIs"):
            yield fields


def parse_list(text: str) -> Iterator[dict[str, str]]:
    """The entries of a one-line-style ``.list`` file, as deb822 fields."""
    for line in text.splitlines():
        if match := _LINE.match(line.split("#")[0].strip()):
            options, uri, suite, components = match.groups()
            fields = {"URIs": uri, "Suites": suite, "Components": components}
            for name, value in _OPTION.findall(options or ""):
                fields[_spelled(name)] = value.replace(",", " ")
            yield fields


def _spelled(name: str) -> str:
    known = {field.lower(): field for field in (*CARRIED, "Suites", "Components", "Enabled", "Types")}
    return known.get(name.strip().lower(), name.strip())


def is_archive(entry: Entry) -> bool:
    """Whether a distribution's own archive is behind the entry: a plain suite and ``main``.

    ``bookworm-security``, ``cloud-sdk-bookworm`` and ``/`` are not plain; one that is another
    distribution's has no such suite, and apt says so.
    """
    plain = [suite for suite in entry.get("Suites", "").split() if re.fullmatch(r"[a-z]+", suite)]
    on = entry.get("Enabled", "yes").lower() not in ("no", "false", "0")
    return on and bool(plain) and "main" in entry.get("Components", "").split()


def source_entries(entries: Iterable[Entry], suite: str) -> str:
    """A ``.sources`` file for ``suite``'s sources in every archive among ``entries``; "" for none."""
    stanzas: list[str] = []
    for entry in entries:
        if not is_archive(entry):
            continue
        lines = ["Types: deb-src", f"Suites: {suite}", "Components: main"]
        lines += [f"{name}: {entry[name]}" for name in CARRIED if entry.get(name)]
        stanza = "\n".join(lines) + "\n"
        if stanza not in stanzas:
            stanzas.append(stanza)
    return "\n".join(stanzas)
