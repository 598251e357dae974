"""The snippets of mobile projects, read as their tools read them, by the linker and the make at hand."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from apple_tools import TRIPLE, archived, compiled, linked, make_sdk
from macholib.MachO import MachO
from small_library import FLAGS, run

from tfcross.output.snippets import Library, snippet_files

IOS = Library(
    "IOS-arm64",
    "arm64",
    TRIPLE,
    "2.14.1",
    replace(FLAGS, libraries=("c++",), link_flags=("-Wl,-dead_strip",), whole_archive="force_load"),
)
ANDROID = Library("ANDROID-arm64-v8a", "arm64-v8a", "aarch64-linux-android21", "2.14.1", FLAGS)
#: A constructor in each unit of the core; none is called by name. No header of an SDK is needed.
CORE = {
    "session.cc": "extern int count; const char* Name(); struct S { S() { ++count; } } session;\n",
    "kernel.cc": "extern int count; const char* Name(); struct K { K() { count += *Name(); } } kernel;\n",
    "count.cc": "int count = 0;\n",
}
DEPENDENCIES = {
    "libdependency.a": "char Letter(); const char* Name() { static char n = Letter(); return &n; }\n"
}
DEPENDENCIES["libname.a"] = "char Letter() { return 1; }\n"


@pytest.fixture(scope="module")
def ios(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a space that holds an output folder for iOS, an SDK's libraries and an app's object."""
    folder = tmp_path_factory.mktemp("ios") / "my app"
    out = folder / "IOS-arm64"
    for name, text in snippet_files(IOS).items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text)
    make_sdk(folder)
    archived(out / "lib" / FLAGS.core, folder, CORE)
    for archive, text in DEPENDENCIES.items():
        archived(out / "lib" / archive, folder, {f"{archive}.cc": text})
    compiled(folder, "app.cc", "extern int count; int main() { return count; }\n")
    return folder


def settings(folder: Path) -> dict[str, str]:
    """The build settings of the xcconfig, with a project's own folder in them."""
    text = (folder / "IOS-arm64/link/tensorflow-core.xcconfig").read_text()
    found = dict(re.findall(r"^(\w+) = (.*)$", text, re.M))
    known = {"inherited": "", "SRCROOT": str(folder), "TFCROSS": found["TFCROSS"]}
    for _ in range(2):
        found = {key: re.sub(r"\$\((\w+)\)", lambda m: known[m[1]], value) for key, value in found.items()}
    return found


def link(folder: Path, flags: str) -> list[str]:
    """The sections of an app that Apple's linker, in LLVM's version, makes with these OTHER_LDFLAGS."""
    header = MachO(str(linked(folder, "app.cc.o", flags))).headers[0]
    sections = [part for _, _, parts in header.commands if isinstance(parts, list) for part in parts]
    return [f"{part.sectname.rstrip(bytes(1)).decode()} {part.size}" for part in sections]


def test_an_app_with_the_settings_of_the_xcconfig_has_every_constructor_of_the_core(ios: Path) -> None:
    assert "__mod_init_func 16" in link(ios, settings(ios)["OTHER_LDFLAGS"])


def test_without_force_load_it_has_none(ios: Path) -> None:
    flags = settings(ios)["OTHER_LDFLAGS"].replace("-Wl,-force_load,", "")
    assert [section for section in link(ios, flags) if "init" in section] == []


#: Reads a podspec as CocoaPods does, whose specification keeps what the block gives it.
POD = """
require 'json'
module Pod
  class Spec
    def self.new
      given = {}
      given.define_singleton_method(:method_missing) do |name, *words|
        self[name.to_s.chomp('=')] = words.first
      end
      yield given
      puts JSON.dump(given)
    end
  end
end
load ARGV[0]
"""


def test_the_pod_gives_the_settings_of_the_xcconfig(ios: Path) -> None:
    folder = ios / "IOS-arm64"
    given = json.loads(run("ruby", "-e", POD, folder / "tensorflow-core.podspec"))
    assert (given["name"], given["version"], given["platform"]) == ("tensorflow-core", "2.14.1", "ios")
    shown = {
        key: value.replace("$(inherited) ", "").strip()
        for key, value in given["user_target_xcconfig"].items()
    }
    own = settings(ios)
    assert shown == {key: own[key].strip() for key in shown}
    assert set(own) - set(shown) == {"TFCROSS"}
    assert given["source"] == {"http": f"file://{folder}"}


#: What ndk-build defines for a module's file, as far as a prebuilt library needs it.
NDK = """
my-dir = $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
CLEAR_VARS := clear.mk
PREBUILT_STATIC_LIBRARY := prebuilt.mk
TARGET_ARCH_ABI := arm64-v8a
LOCAL_PATH := outer
include out/link/Android.mk
$(info left in $(LOCAL_PATH))
all: ;
"""
CLEAR = """
locals := $(filter-out LOCAL_PATH,$(filter LOCAL_%,$(.VARIABLES)))
$(foreach name,$(locals),$(eval undefine $(name)))
"""
PREBUILT = """
$(info $(LOCAL_MODULE) = $(LOCAL_PATH)/$(LOCAL_SRC_FILES) < $(LOCAL_STATIC_LIBRARIES))
flags := $(LOCAL_EXPORT_CFLAGS) $(LOCAL_EXPORT_CPPFLAGS) | $(LOCAL_EXPORT_LDLIBS)
$(if $(LOCAL_EXPORT_CPPFLAGS),$(info $(flags)))
"""


@pytest.fixture
def android(tmp_path: Path) -> Path:
    files = {"Makefile": NDK, "clear.mk": CLEAR, "prebuilt.mk": PREBUILT}
    files |= {f"out/{name}": text for name, text in snippet_files(ANDROID).items()}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_ndk_build_is_told_of_a_module_for_each_archive(android: Path) -> None:
    assert run("make", "-s", cwd=android).splitlines() == [
        "tensorflow-dependency = out/link/../lib/libdependency.a < ",
        "tensorflow-name = out/link/../lib/libname.a < ",
        "tensorflow-core = out/link/../lib/libtensorflow-core.a < tensorflow-dependency tensorflow-name",
        "-fno-common -DNDEBUG -DSIZE=3 -std=c++17 | -Wl,--gc-sections -lpthread -lm",
        "left in outer",
    ]


def test_ndk_build_stops_for_another_abi(android: Path) -> None:
    words = ["make", "-s", "TARGET_ARCH_ABI=x86_64"]
    done = subprocess.run(words, cwd=android, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "ANDROID-arm64-v8a is for arm64-v8a, not x86_64; include the folder of that ABI" in done.stderr
