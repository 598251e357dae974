from __future__ import annotations

from pathlib import Path

import pytest

from tfcross import environment
from tfcross.errors import TfcrossError


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        pytest.param(
            {"TFCROSS_CACHE": "/a", "XDG_CACHE_HOME": "/b"}, Path("/a"), id="its own variable first"
        ),
        pytest.param({"XDG_CACHE_HOME": "/b"}, Path("/b/tfcross"), id="then the XDG cache"),
        pytest.param({}, Path.home() / ".cache/tfcross", id="then the home folder"),
        pytest.param({"XDG_CACHE_HOME": ""}, Path.home() / ".cache/tfcross", id="an empty variable is none"),
        pytest.param(
            {"XDG_CACHE_HOME": "b"}, Path.home() / ".cache/tfcross", id="a relative XDG cache is none"
        ),
        pytest.param({"TFCROSS_CACHE": "~/c"}, Path.home() / "c", id="a tilde is the home folder"),
    ],
)
def test_the_cache_is_where_the_environment_says(environ: dict[str, str], folder: Path) -> None:
    assert environment.cache_folder(environ) == folder


@pytest.mark.parametrize(
    ("environ", "shown"),
    [
        pytest.param({"TFCROSS_CACHE": "~nobody-here/c"}, "~nobody-here/c", id="no such user"),
        pytest.param({}, "~", id="a user without a home, as in a container"),
    ],
)
def test_a_home_folder_that_nobody_tells_is_one_line(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], shown: str
) -> None:
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("os.getuid", lambda: 2**31 - 2)
    with pytest.raises(TfcrossError) as caught:
        environment.cache_folder(environ)
    assert str(caught.value) == (
        f"{shown}: the system does not tell where that home folder is; give the whole path, or set HOME."
    )


def test_a_compiler_sees_nothing_that_would_change_its_output() -> None:
    environ = {
        "PATH": "/bin",
        "HOME": "/home/a",
        "CPATH": "/evil",
        "CPLUS_INCLUDE_PATH": "/evil",
        "GCC_EXEC_PREFIX": "/evil",
        "LANG": "de_DE.UTF-8",
        "PWD": "/link/to/a/checkout",
        "CCACHE_DIR": "/ccache",
        "DISTCC_HOSTS": "localhost",
    }
    assert environment.compiler_environment(environ) == {
        "PATH": "/bin",
        "HOME": "/home/a",
        "CCACHE_DIR": "/ccache",
        "DISTCC_HOSTS": "localhost",
        "PWD": "/proc/self/cwd",
        "LANG": "C",
        "LC_ALL": "C",
        "ZERO_AR_DATE": "1",
    }


def test_where_no_name_stands_for_every_folder_compilers_are_told_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(".")
    monkeypatch.chdir(tmp_path / "link")
    assert environment.working_folder("/no/proc/self/cwd") == str(tmp_path.resolve())
    assert environment.working_folder() == "/proc/self/cwd"


def test_without_a_path_the_system_folders_are_searched() -> None:
    assert environment.path({}) == "/usr/local/bin:/usr/bin:/bin"


def test_apt_and_pip_keep_the_users_configuration() -> None:
    environ = {"PATH": "/bin", "https_proxy": "proxy:1", "PIP_INDEX_URL": "index"}
    assert environment.system_environment(environ) == {**environ, "LC_ALL": "C.UTF-8"}


def test_a_library_depends_on_where_sdks_are() -> None:
    found = environment.build_inputs({"PATH": "/bin", "DEVELOPER_DIR": "/xcode", "EDITOR": "vi"})
    assert (found["PATH"], found["DEVELOPER_DIR"]) == ("/bin", "/xcode")
    assert "EDITOR" not in found
