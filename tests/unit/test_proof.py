"""Which program proves a model, and what is said when it fails."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fake_compilers import ROOT, pi, program

from tfcross.app.proof import Proof, loading, not_run, proof_of, run_here
from tfcross.errors import TfcrossError
from tfcross.targets.profile import Emulator, load_profile

NATIVE = replace(pi(), native=True)
PROOF_YAML = "source: classify.cc\narguments: [digits.pb, digits.csv, --expected, expected.csv]\n"


def folder(tmp_path: Path, text: str = PROOF_YAML, sources: tuple[str, ...] = ("classify.cc",)) -> Path:
    for name in ("digits.pb", "other.pb", "digits.csv", "expected.csv", *sources):
        (tmp_path / name).touch()
    (tmp_path / "proof.yaml").write_text(text)
    return tmp_path


def test_a_model_without_a_proof_of_its_own_is_run_by_the_generic_runner(tmp_path: Path) -> None:
    model = tmp_path / "m.pb"
    expected = Proof("run_graph", "templates/run_graph.cc", (str(model),), (str(model),))
    assert proof_of(model) == expected
    other = folder(tmp_path) / "other.pb"
    assert proof_of(other).source == "templates/run_graph.cc"


def test_the_generic_runner_gets_the_cut_graph_and_its_ends(tmp_path: Path) -> None:
    words = ("--inputs", "x=float[1]", "--outputs", "y")
    assert proof_of(tmp_path / "m.pb", Path("cut/m.pb"), words, "why") == Proof(
        "run_graph", "templates/run_graph.cc", ("cut/m.pb", *words), ("cut/m.pb",), "why"
    )


def test_a_proof_of_its_own_runs_the_cut_graph_and_knows_all(tmp_path: Path) -> None:
    beside = folder(tmp_path)
    proof = proof_of(beside / "digits.pb", Path("cut/digits.pb"), ("--outputs", "y"), "why")
    assert proof.arguments[0] == "cut/digits.pb"
    assert "--outputs" not in proof.arguments
    assert proof.inputs == ("cut/digits.pb", str(beside / "digits.csv"), str(beside / "expected.csv"))
    assert proof.unknown == ""


def test_a_proof_that_lacks_what_only_the_app_knows_says_so() -> None:
    proof = Proof("run_graph", "run_graph.cc", (), (), "input 'x' (float) has no shape.")
    assert not_run(pi(), proof) == "run_graph: linked, not run: input 'x' (float) has no shape.\n"


def test_the_generic_runner_is_there() -> None:
    root = Path(__file__).parents[2]
    assert (root / proof_of(Path("m.pb")).source).is_file()


def test_a_proof_beside_the_model_names_program_arguments_and_inputs(tmp_path: Path) -> None:
    beside = folder(tmp_path)
    files = tuple(str(beside / name) for name in ("digits.pb", "digits.csv", "expected.csv"))
    assert proof_of(beside / "digits.pb") == Proof(
        "classify",
        str(beside / "classify.cc"),
        (files[0], files[1], "--expected", files[2]),
        files,
    )


@pytest.mark.parametrize(
    ("text", "sources", "message"),
    [
        pytest.param(
            PROOF_YAML,
            (),
            "{0}/proof.yaml: there is no classify.cc beside it; correct `source`.",
            id="no source",
        ),
        pytest.param(
            "source: a.cc\narguments: []\nargs: []\n",
            (),
            "{0}/proof.yaml: unknown key 'args'. Known: answers, arguments, inputs, model, outputs, source, "
            "tolerance.",
            id="unknown key",
        ),
        pytest.param(
            "source: a.cc\n", (), "{0}/proof.yaml: 'arguments' is a required property.", id="missing key"
        ),
    ],
)
def test_a_wrong_proof_file_is_named(
    text: str, sources: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    with pytest.raises(TfcrossError) as caught:
        proof_of(folder(tmp_path, text, sources) / "digits.pb")
    assert str(caught.value) == message.format(tmp_path)


def test_what_the_program_prints_comes_back(tmp_path: Path) -> None:
    app = program(tmp_path, "app", 'echo "$1 $WORD"; echo to stderr >&2')
    assert run_here(NATIVE, str(app), ["one arg"], {"WORD": "two"}) == "one arg two\nto stderr\n"


def test_an_emulator_gets_its_own_arguments_then_the_program_and_its_arguments(tmp_path: Path) -> None:
    emulator = program(tmp_path, "emulator", 'echo "$@"')
    profile = replace(pi(), native=False, emulator=Emulator(str(emulator), ("-L", "/lib"), ()))
    assert run_here(profile, "/apps/app", ["m.pb"], {}) == "-L /lib /apps/app m.pb\n"


def test_a_machine_of_the_targets_kind_needs_no_emulator(tmp_path: Path) -> None:
    app = program(tmp_path, "app", "echo here")
    profile = replace(NATIVE, emulator=Emulator("no-such-emulator", (), ()))
    assert run_here(profile, str(app), [], {}) == "here\n"


def test_a_program_finds_the_toolchains_libraries_and_nothing_that_lies_beside_them(tmp_path: Path) -> None:
    program(tmp_path / "gcc/lib", "libstdc++.so.6.0.19")
    program(tmp_path / "gcc/lib", "libc.so.6")
    (tmp_path / "gcc/lib/libstdc++.so.6").symlink_to("libstdc++.so.6.0.19")
    libraries, links = (str(tmp_path / "gcc/lib/libstdc++.so.6"),), tmp_path / "app.libraries"
    for _ in range(2):  # a proof may be run again
        environment = loading(libraries, links, {"PATH": "/bin"})
    assert environment == {"PATH": "/bin", "LD_LIBRARY_PATH": str(links)}
    assert {path.name: path.resolve() for path in links.iterdir()} == {
        "libstdc++.so.6": tmp_path / "gcc/lib/libstdc++.so.6.0.19"
    }
    assert loading((), tmp_path / "none", {"PATH": "/bin"}) == {"PATH": "/bin"}


@pytest.mark.parametrize(
    ("script", "message"),
    [
        pytest.param(
            "echo first; echo; echo 'wrong answer'; echo; exit 3", "status 3: wrong answer", id="status"
        ),
        pytest.param("exit 1", "status 1: it printed nothing", id="silent"),
        pytest.param("echo before; kill -ILL $$", "signal 4: before", id="signal"),
    ],
)
def test_a_program_that_fails_is_told_with_its_last_line(script: str, message: str, tmp_path: Path) -> None:
    app = program(tmp_path, "my app", script)
    with pytest.raises(TfcrossError) as caught:
        run_here(NATIVE, str(app), ["a b"], {})
    assert str(caught.value) == f"proof: '{app}' 'a b' ended with {message}"


def test_an_emulator_that_is_not_there_is_named() -> None:
    profile = replace(pi(), native=False, emulator=Emulator("no-such-emulator", (), ()))
    with pytest.raises(TfcrossError) as caught:
        run_here(profile, "app", [], {})
    assert str(caught.value) == (
        "proof: no-such-emulator: No such file or directory. Install it, or build without it."
    )


def test_a_proof_that_nothing_runs_says_so() -> None:
    ios = load_profile(ROOT, "IOS", None, "2.14.1")
    assert not ios.runs_here
    assert not_run(ios, Proof("classify", "classify.cc", (), ())) == (
        "classify: linked, not run: nothing here runs programs for arm64-apple-ios12.0; pass EMULATOR= with "
        "a command that does, or run it on a device\n"
    )
