"""What an app's bytes are made of: by archive, source file, kernel, op and type."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tfcross.binary.symbols import Symbol

#: How demangled names spell what class texts abbreviate.
_SPELLED = {"CPUDevice": "Eigen::ThreadPoolDevice", "GPUDevice": "Eigen::GpuDevice"}
_TYPE = re.compile(
    r"\b(?:float|double|bool|half|bfloat16|q?u?int(?:8|16|32|64)|complex(?:64|128)|t?string)\b"
)
#: The groups of a measurement, most general first.
GROUPS = ("archives", "files", "ops", "kernels", "types")


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
        group: {name: round(size) for name, size in sorted(by_name.items())}
        for group, by_name in sizes.items()
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


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    """(group, name, bytes more) for all that differs between two measurements; the largest growth first."""
    differences = [
        (group, name, after.get(group, {}).get(name, 0) - before.get(group, {}).get(name, 0))
        for group in GROUPS
        for name in sorted({*before.get(group, {}), *after.get(group, {})})
    ]
    return sorted(
        (change for change in differences if change[2]), key=lambda change: (-change[2], change[:2])
    )


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
