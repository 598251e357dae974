"""Every command line that the README and docs print is run as printed, without the virtual environment.

Those that would take minutes, or need what a machine does not have, stand in NOT_RUN with the reason.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from printed_commands import PAGES, printed
from project_build import DIGITS, OUT, ROOT

NDK = "an Android NDK; test_ndk_layouts.py and bench/mobile.py build with a stand-in"
XCODE = "a Mac with Xcode; test_xcode_sdk.py and bench/mobile.py build with a stand-in"
CLASSIC = "TensorFlow 1.8.0, which is on GitHub only; test_classic_release.py builds a tree like it"
MINUTES = "minutes of compiles"
USERS_OWN = "files of the user's own"
OWN_MODEL = "a model of the user's own"
#: What a command needs that is not here, by the command.
NOT_RUN = {
    "./bootstrap pytest": "it is what runs this",
    "./bootstrap pytest tests/unit": "it is a part of what runs this",
    "./bootstrap bench/main_job.py": f"{MINUTES}: a bench",
    "./bootstrap scons TARGET=ANDROID NDK_ROOT=$HOME/android-ndk-r25c MODEL=graph.pb": NDK,
    "./bootstrap scons TARGET=ANDROID ARCH=arm64-v8a API=24 MODEL=graph.pb": NDK,
    "./bootstrap scons TARGET=ANDROID ARCH=arm64-v8a RELEASE=1.8.0 MODEL=graph.pb": NDK,
    "./bootstrap scons TARGET=ANDROID RELEASE=1.8.0 MODEL=graph.pb libtensorflow_inference.so": NDK,
    "./bootstrap scons TARGET=ANDROID RELEASE=1.8.0 MODEL=graph.pb ARCH=all libtensorflow_inference.so": NDK,
    "./bootstrap scons TARGET=IOS MODEL=graph.pb": XCODE,
    "./bootstrap scons TARGET=IOS ARCH=simulator-arm64 MODEL=graph.pb": XCODE,
    "./bootstrap scons TARGET=IOS MIN_SDK_VERSION=14.0 RELEASE=1.8.0 MODEL=graph.pb": XCODE,
    "./bootstrap scons TARGET=IOS ARCH=all MODEL=graph.pb": XCODE,
    "bench/mobile.py ANDROID": f"{MINUTES}: a bench",
    "bench/mobile.py IOS": f"{MINUTES}: a bench",
    "./bootstrap scons TARGET=PI RELEASE=1.8.0": CLASSIC,
    "./bootstrap scons TARGET=PI RELEASE=1.8.0 MODEL=graph.pb": CLASSIC,
    "./bootstrap scons TARGET=PI RELEASE=1.8.0 TOOLCHAIN=gcc-12": CLASSIC,
    "./bootstrap scons TARGET=PI RELEASE=1.8.0 benchmark": CLASSIC,
    "./bootstrap scons TARGET=PI HOST_OS=PI RELEASE=1.8.0": f"a Raspberry Pi; {CLASSIC}",
    "./bootstrap scons fetch RELEASE=1.8.0": CLASSIC,
    "scripts/download_dependencies.py RELEASE=1.8.0": CLASSIC,
    "tar -cf ~/downloads/tensorflow-1.8.0.tar tensorflow-1.8.0": CLASSIC,
    "git archive --format=tar --prefix=nsync-1.29.2/ 1.29.2 | gzip -n > nsync-1.29.2.tar.gz": USERS_OWN,
    "TZ=America/Los_Angeles git archive --format=zip --prefix=gemmlowp-$COMMIT/ $COMMIT > "
    "gemmlowp-$COMMIT.zip": USERS_OWN,
    "./bootstrap scons TARGET=PI MODEL=model.pb EXTRA_OPS=Tanh,Sigmoid": f"{MINUTES}; see test_two_models.py",
    "./bootstrap scons TARGET=PI MODEL=before.pb,after.pb": f"{OWN_MODEL}; see test_two_models.py",
    "./bootstrap scons TARGET=PI MODEL=digits.pb PROOF=answers.npz": "answers; see test_answers_build.py",
    "./bootstrap scons TARGET=PI MODEL=retrained.pbtxt INPUTS='Mul=float[1,32,32,3]' OUTPUTS=final_result": (
        f"{OWN_MODEL}; see test_cut_builds.py"
    ),
    "./bootstrap scons TARGET=PI MODEL=model.pb compile_commands": f"{OWN_MODEL}; see test_editors.py",
    "./bootstrap scons TARGET=PI MODEL=model.pb package": f"{OWN_MODEL}; see test_end_to_end_package.py",
    "./bootstrap scons TARGET=PI MODEL=model.pb sizes": f"{OWN_MODEL}; see test_end_to_end_sizes.py",
    "./bootstrap scons TARGET=PI MODEL=saved_model": f"{MINUTES}; see test_frozen_builds.py",
    "./bootstrap scons TARGET=PI MODEL=examples/digits/digits.pb TRANSFORMS='fold_constants "
    "quantize_weights(minimum_size=1000)'": f"{MINUTES}; see test_frozen_builds.py",
    "scripts/freeze_graph.py --input_checkpoint=model.ckpt-7 --output_graph=frozen.pb "
    "--output_node_names=softmax": f"{OWN_MODEL}; see test_freeze_script.py",
    "qemu-arm-static -L /usr/arm-linux-gnueabihf run_graph model.pb --inputs x=float[1,8,8,1] "
    "--write tensors/": "the runner of a model without a proof of its own; see test_two_models.py",
    "./bootstrap scripts/nightly.py": f"{MINUTES}; see test_nightly.py",
    "scripts/nightly.py PI-armv7-2.14.1-digits": f"{MINUTES}; see test_nightly.py",
    "scripts/nightly.py --verify out/nightly": "a published folder; see test_nightly.py",
    'eval "g++ app.o $(pkg-config --libs tensorflow-core) -o app"': "an x86 library; see test_snippets.py",
    "classify digits.pb digits.csv --expected expected.csv": "the target; every build's proof runs it",
    "pip install scikit-learn": "a package that only training takes",
    "python3 examples/digits/train.py": "scikit-learn",
}
COMMANDS = {page.relative_to(ROOT).as_posix(): list(printed(page)) for page in PAGES}
RUN = {page: [c for c in commands if c not in NOT_RUN] for page, commands in COMMANDS.items()}
#: A status that is no failure of the command's: something on this machine may be red.
OTHER_STATUS = {"scripts/doctor.py TARGET=PI": {0, 1}}
VARIABLE = re.compile(r"(export )?[A-Z]\w*=\S+")
APP = "#include <tensorflow/core/public/session.h>\nint main() {}\n"
FAILING_APP = "#!/bin/sh\necho 'No session factory registered for the given session options' >&2\n"
MODELS = ("model.pb", "graph.pb", "a.pb", "b.pb")
SAVED_MODELS = ("saved_model", "path/to/saved_model")
TABLES = ROOT / "tests/fixtures/freezing/tables"


@pytest.fixture
def folder(built: object, tmp_path: Path) -> Path:
    """The checkout by links, and what the pages' examples name."""
    for path in ROOT.iterdir():
        if path.name not in (".git", ".github", "build", "bootstrap"):
            (tmp_path / path.name).symlink_to(path)
    (tmp_path / "bootstrap").write_text(f'#!/bin/sh\nexec "{ROOT}/bootstrap" "$@"\n')
    (tmp_path / "bootstrap").chmod(0o755)
    for name in (*MODELS, "old/manifest.json", "new/manifest.json", ".github/workflows/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    for name in MODELS:
        shutil.copy(DIGITS / "digits.pb", tmp_path / name)
    for name in SAVED_MODELS:
        shutil.copytree(TABLES, tmp_path / name)
    for name in ("old", "new"):
        shutil.copy(OUT / "manifest.json", tmp_path / name)
    (tmp_path / "build.log").write_text("ld: undefined reference to `__atomic_load_8'\n")
    (tmp_path / "app.cc").write_text(APP)
    return tmp_path


@pytest.mark.parametrize("page", [page for page, commands in RUN.items() if commands])
def test_a_command_does_what_the_page_says(folder: Path, page: str) -> None:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(Path.home())}
    settings: list[str] = []
    for command in RUN[page]:
        if VARIABLE.fullmatch(command):
            settings.append(command)
            continue
        write_app(folder, command)
        text = "\n".join([*settings, command])
        run = subprocess.run(
            ["bash", "-c", text], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert run.returncode in OTHER_STATUS.get(command, {0}), f"{command}\n{run.stdout}{run.stderr}"
        assert "Traceback" not in run.stderr


def write_app(folder: Path, command: str) -> None:
    """The app that ``command`` is about: one that fails, or the proof's."""
    app = folder / "app"
    if command.startswith("./app"):
        app.unlink(missing_ok=True)
        app.write_text(FAILING_APP)
        app.chmod(0o755)
    elif "verify_app.py app" in command:
        app.unlink(missing_ok=True)
        programs = (ROOT / "build/PI-armv7/2.14.1-clang-14/models").glob("*/proof0/classify")
        shutil.copy(max(programs, key=lambda path: path.stat().st_mtime), app)


def test_what_is_not_run_is_printed_somewhere() -> None:
    every = {command for commands in COMMANDS.values() for command in commands}
    assert sorted(NOT_RUN.keys() - every) == []


def test_every_block_of_a_page_says_what_it_is() -> None:
    """A command cannot hide in a block without a language."""
    for page in PAGES:
        fences = re.findall(r"^```(\w*)$", page.read_text(), re.M)
        assert all(fences[::2]), page
        assert not any(fences[1::2]), page
        others = re.findall(r"^```(?!sh$)\w+$(.*?)^```$", page.read_text(), re.M | re.S)
        assert re.findall(r"^(?:(?:\./bootstrap|scons)\s|scripts/|bench/)\w.*", "\n".join(others), re.M) == []
