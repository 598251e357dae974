"""What is read from the machine's apt entries and from apt's answers."""

from __future__ import annotations

import pytest

from tfcross.sources.origins.aptsources import parse_deb822, parse_list, source_entries
from tfcross.sources.origins.debian import matching_packages, printed_uris, upstream_part

DEB822 = """\
Types: deb
# a snapshot: http://snapshot.example.org
URIs: http://mirror.example.org/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example.org/debian-security
Suites: bookworm-security
Components: main

types: deb
uris: https://other.example.org/node
suites: nodistro
components: main
enabled: no
"""
ONE_LINE = """\
# deb http://off.example.org/debian bookworm main
deb [arch=amd64 signed-by=/a.gpg,/b.gpg check-valid-until=no] http://mirror.example.org/debian bookworm main
deb http://mirror.example.org/debian bookworm-security main
deb https://cloud.example.org/apt cloud-sdk-bookworm main
deb https://docker.example.org/debian bookworm stable
deb http://flat.example.org/ ./
"""


def test_a_suites_sources_come_from_the_machines_archive() -> None:
    assert source_entries(parse_deb822(DEB822), "sid") == (
        "Types: deb-src\n"
        "Suites: sid\n"
        "Components: main\n"
        "URIs: http://mirror.example.org/debian\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    )


def test_one_line_entries_mean_the_same() -> None:
    assert source_entries(parse_list(ONE_LINE), "sid") == (
        "Types: deb-src\n"
        "Suites: sid\n"
        "Components: main\n"
        "URIs: http://mirror.example.org/debian\n"
        "Signed-By: /a.gpg /b.gpg\n"
        "Check-Valid-Until: no\n"
    )


def test_an_entry_in_both_files_counts_once() -> None:
    line = "deb http://mirror.example.org/debian bookworm main\n"
    assert source_entries(parse_list(line + line.replace("bookworm", "trixie")), "sid").count("URIs:") == 1


def test_keys_inside_of_an_entry_are_carried_along() -> None:
    key = (
        "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQIN\n -----END PGP PUBLIC KEY BLOCK-----\n"
    )
    text = f"Types: deb\nURIs: http://m.example.org/debian\nSuites: sid\nComponents: main\n{key}"
    assert key.replace("Signed-By:\n", "Signed-By: \n") in source_entries(parse_deb822(text), "bookworm")


def test_no_archive_gives_nothing() -> None:
    assert source_entries(parse_list("deb https://docker.example.org/debian bookworm stable\n"), "sid") == ""


@pytest.mark.parametrize(
    ("version", "upstream"),
    [
        pytest.param("1.29.2-3", "1.29.2", id="a revision"),
        pytest.param("3.21.12-3+deb12u1", "3.21.12", id="a stable update"),
        pytest.param("1:2.0-1", "2.0", id="an epoch"),
        pytest.param("2.14.1+dfsg-2", "2.14.1+dfsg", id="packed anew"),
        pytest.param("0~git20200803.9490b14-4", "0~git20200803.9490b14", id="a commit"),
        pytest.param("1.0-rc1-2", "1.0-rc1", id="a dash of its own"),
        pytest.param("1.0", "1.0", id="a native package"),
    ],
)
def test_the_debian_revision_does_not_count(version: str, upstream: str) -> None:
    assert upstream_part(version) == upstream


SHOWSRC = """\
Package: nsync
Format: 3.0 (quilt)
Binary: libnsync-dev
Version: 1.29.2-4

Package: nsync
Binary: libnsync-dev
Version: 1.25.0-1

Package: re2
Version: 20220601+dfsg-1

Package: re2
Version: 20220601+dfsg-1
"""


def test_any_revision_of_the_wanted_upstream_version_is_chosen() -> None:
    wanted = {("nsync", "1.29.2"), ("re2", "20220601+dfsg")}
    assert matching_packages(SHOWSRC, wanted) == ["nsync=1.29.2-4", "re2=20220601+dfsg-1"]


def test_another_upstream_version_is_not_chosen() -> None:
    assert matching_packages(SHOWSRC, {("nsync", "1.29")}) == []


def test_apts_uris_are_read_by_file_name() -> None:
    printed = (
        "Reading package lists...\n"
        "NOTICE: 'nsync' packaging is maintained in the 'Git' version control system at:\n"
        f"'http://m.example.org/n/nsync_1.29.2-4.dsc' nsync_1.29.2-4.dsc 2010 SHA256:{'a' * 64}\n"
        f"'http://m.example.org/n/nsync_1.29.2.orig.tar.gz' nsync_1.29.2.orig.tar.gz 15 SHA256:{'b' * 64}\n"
        "'http://m.example.org/n/old.tar.gz' old.tar.gz 1 MD5Sum:cccc\n"
    )
    assert printed_uris(printed) == {
        "nsync_1.29.2-4.dsc": ("http://m.example.org/n/nsync_1.29.2-4.dsc", "a" * 64),
        "nsync_1.29.2.orig.tar.gz": ("http://m.example.org/n/nsync_1.29.2.orig.tar.gz", "b" * 64),
        "old.tar.gz": ("http://m.example.org/n/old.tar.gz", ""),
    }
