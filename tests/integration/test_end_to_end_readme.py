"""What the README and the pages under docs/ say about the project holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from project_build import ROOT, run_scons

from tfcross.cli.variables import VARIABLES
from tfcross.targets.target import known_archs, known_targets

README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "examples/digits/README.md"]
LINK = re.compile(r"\]\(([^)\s]+)\)")
URL = re.compile(r"https?://[^\s`\"')>\]]+")
#: A host of package archives has no place in a page: which mirror is used is the machine's own configuration.
REGISTRY = re.compile(r"\w+\.(?:debian|pythonhosted|pypi)\.org")
#: An address in a page is one that the data pins, or has an ellipsis where a reader's own would stand.
PINNED = "".join(
    path.read_text() for folder in ("releases", "toolchains") for path in (ROOT / folder).rglob("*.yaml")
)


def test_the_readme_names_every_variable_and_its_default():
    rows = dict(re.findall(r"^\| `([A-Z_<>a-z]+)` \| *(?:`([^`]*)`)?", README, re.M))
    wanted = {variable.name: variable.default for variable in VARIABLES}
    assert {name: rows.get(name, "missing") for name in wanted} == wanted


def test_scons_h_shows_every_variable_of_the_readme():
    run = run_scons("-h")
    assert run.status == 0, run.err
    assert [variable.name for variable in VARIABLES if f"\n{variable.name}: " not in run.out] == []


@pytest.mark.parametrize("target", known_targets(ROOT))
def test_the_readme_and_the_page_about_targets_name_every_target(target):
    for text in (README, (ROOT / "docs/targets.md").read_text()):
        assert f"| `{target}` |" in text
    if target not in ("DARWIN", "LINUX"):
        assert [arch for arch in known_archs(ROOT, target) if f"`{arch}`" not in README] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_leads_nowhere_that_is_not_there(page: Path) -> None:
    text = page.read_text()
    assert [link for link in LINK.findall(text) if not leads_somewhere(page, link)] == []
    assert [url for url in URL.findall(text) if url not in PINNED and "…" not in url] == []
    assert REGISTRY.findall(text) == []


def leads_somewhere(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    return target.exists() and (not anchor or anchor in anchors(target))


def anchors(page: Path) -> set[str]:
    """The names that headings can be linked by."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_files_that_the_page_about_the_inside_names_are_there():
    text = (ROOT / "docs/how-it-works.md").read_text()
    table = text[text.index("| # |") : text.index("Files of a release")]
    names = re.findall(r"`([a-z_/]+\.py)`", table)
    assert len(names) > 20
    assert [name for name in names if not (ROOT / "tfcross" / name).is_file()] == []
