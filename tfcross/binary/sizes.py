"""What an app's bytes are made of: by archive, source file, kernel, op and type."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tfcross.errors import TfcrossError, known

UNITS = {"": 1, "B": 1, "kB": 1000, "KB": 1000, "MB": 1000**2, "KiB": 1024, "MiB": 1024**2}
#: How demangled names spell what class texts abbreviate.
_SPELLED = {"CPUDevice": "Eigen::ThreadPoolDevice", "GPUDevice": "Eigen::GpuDevice"}
_TYPE = re.compile(
    r"\b(?:float|double|bool|half|bfloat16|q?u?int(?:8|16|32|64)|complex(?:64|128)|t?string)\b"
)
#: The groups of a measurement, most general first.
GROUPS = ("archives", "files", "ops", "kernels", "types")


@dataclass(frozen=True)
class Symbol:
    """A symbol of ``size`` bytes; ``member`` is the archive's member that defines it, "" in an app."""

    name: str
    size: int
    member: str = ""


def read_symbols(text: str, sized: bool = True) -> list[Symbol]:
    """What ``nm -S -p --defined-only`` prints; symbols without a size are left out.

    Without ``-S`` (``sized`` is false), as for Mach-O, which keeps none, all sizes are 0.
    """
    found, member = [], ""
    for line in text.splitlines():
        words = line.split(maxsplit=3)
        if line.endswith(":") and len(words) == 1:
            member = line[:-1]
        elif len(words) == 4 and len(words[2]) == 1:
            found.append(Symbol(words[3], int(words[1], 16), member))
        elif len(words) == 3 and len(words[1]) == 1 and not sized:
            found.append(Symbol(words[2], 0, member))
    return found


def measure(
    app: Sequence[Symbol],
    shown: Sequence[Symbol],
    archives: Mapping[str, Iterable[Symbol]],
    sources: Mapping[str, str],
    registering: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Bytes of ``app`` by group and name, and ``other``: what is of no archive.

    ``shown`` are the same symbols with demangled names; ``archives`` are in link order; ``sources`` maps the
    core's members to their sources. A name that several members define is the first one's, as for a linker;
    a kernel has what names its class, and its share of the rest of its file.
    """
    definers: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for archive, symbols in archives.items():
        for symbol in symbols:
            definers[symbol.name].append((archive, symbol.member))
    sizes: dict[str, dict[str, float]] = {group: defaultdict(float) for group in GROUPS}
    by_file: dict[str, list[Symbol]] = defaultdict(list)
    other = 0
    for symbol, readable in zip(app, shown, strict=True):
        known = definers.get(symbol.name)
        if not known:
            other += symbol.size
            continue
        archive, member = known.pop(0) if len(known) > 1 else known[0]
        sizes["archives"][archive] += symbol.size
        if member in sources:
            sizes["files"][sources[member]] += symbol.size
            by_file[sources[member]].append(readable)
    for file, part in registering.items():
        _add_kernels(sizes, by_file[file], part["kernels"])
    rounded = {
        group: {name: round(size) for name, size in sorted(found.items())} for group, found in sizes.items()
    }
    return {**rounded, "other": other}


def _add_kernels(
    sizes: Mapping[str, dict[str, float]], symbols: Sequence[Symbol], kernels: Sequence[Sequence[str]]
) -> None:
    texts = sorted({text for _, text in kernels})
    own: dict[str, float] = dict.fromkeys(texts, 0)
    shared = 0
    for symbol in symbols:
        naming = [text for text in texts if _spelled(text) in symbol.name]
        if naming:
            own[max(naming, key=len)] += symbol.size
        else:
            shared += symbol.size
    for text in texts:
        size = own[text] + shared / len(texts)
        ops = sorted({op for op, of in kernels if of == text})
        types = sorted(set(_TYPE.findall(text)))
        sizes["kernels"][text] += size
        for op in ops:
            sizes["ops"][op] += size / len(ops)
        for name in types:
            sizes["types"][name] += size / len(types)


def _spelled(text: str) -> str:
    for short, full in _SPELLED.items():
        text = text.replace(short, full)
    return text


def parse_size(text: str, name: str) -> int:
    """Bytes for ``"4.5MB"``, which the variable ``name`` has; 0 for ""."""
    if not text:
        return 0
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", text)
    if not match or match[2] not in UNITS:
        raise TfcrossError(
            f"{name}={text}: not a size; give bytes, or as in 4.5MB. {known(filter(None, UNITS))}"
        )
    return int(float(match[1]) * UNITS[match[2]])


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    """(group, name, bytes more) for all that differs between two measurements; the largest growth first."""
    found = [
        (group, name, after.get(group, {}).get(name, 0) - before.get(group, {}).get(name, 0))
        for group in GROUPS
        for name in sorted({*before.get(group, {}), *after.get(group, {})})
    ]
    return sorted((change for change in found if change[2]), key=lambda change: (-change[2], change[:2]))


def over_budget(budget: int, sizes: Mapping[str, Any], before: Mapping[str, Any] | None) -> str:
    """What to say of an app whose stripped size is over ``budget``; "" if it is not, or there is none.

    ``before`` is the last build's measurement (None: there is none, and the largest files are named).
    """
    if not budget or sizes["stripped"] <= budget:
        return ""
    text = f"SIZE_BUDGET={budget}: the stripped app has {sizes['stripped']} bytes"
    if before is None:
        largest = sorted(sizes["files"].items(), key=lambda item: (-item[1], item[0]))[:3]
        return f"{text}; largest: {_listed(largest)}. Raise the budget, or take ops out of the model."
    grown = [(name, more) for group, name, more in changes(before, sizes) if group == "files" and more > 0]
    more = sizes["stripped"] - before["stripped"]
    return (
        f"{text}, {more:+} since the last build; grown: {_listed(grown[:3])}. Raise the budget, or undo that."
    )


def _listed(files: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{name} ({size})" for name, size in files) or "nothing of the core"


def table(sizes: Mapping[str, Any], rows: int = 12) -> str:
    """The largest of each group, for people."""
    lines = [f"app {sizes['app']}, stripped {sizes['stripped']}, of no archive {sizes['other']}"]
    for group in GROUPS:
        largest = sorted(sizes[group].items(), key=lambda item: (-item[1], item[0]))
        lines += ["", f"{'bytes':>10}  {group}"]
        lines += [f"{size:>10}  {name}" for name, size in largest[:rows]]
        rest = sum(size for _, size in largest[rows:])
        lines += [f"{rest:>10}  {len(largest) - rows} more"] if len(largest) > rows else []
    return "\n".join(lines) + "\n"
