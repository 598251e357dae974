"""What pip is asked, and what is read from its answers."""

from __future__ import annotations

import pytest

from tfcross.sources.origins.pypi import parse_settings, wheel_tags


@pytest.mark.parametrize(
    ("file", "options"),
    [
        pytest.param(
            "tensorflow_cpu-2.14.1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            "--implementation cp --python-version 3.11 --abi cp311"
            " --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64",
            id="compiled",
        ),
        pytest.param(
            "x-1-2build-cp39-abi3-macosx_11_0_arm64.whl",
            "--implementation cp --python-version 3.9 --abi abi3 --platform macosx_11_0_arm64",
            id="with a build number",
        ),
        pytest.param(
            "x-1-py3-none-macosx_11_0_arm64.whl",
            "--implementation py --abi none --platform macosx_11_0_arm64",
            id="for every Python 3",
        ),
    ],
)
def test_a_wheels_name_says_which_machine_it_is_for(file: str, options: str) -> None:
    assert " ".join(wheel_tags(file)) == options


def test_pips_settings_are_read_and_the_environment_wins() -> None:
    listing = (
        ":env:.cert='/env/ca.pem'\n"
        ":env:.default-timeout='180'\n"
        "global.cert='/file/ca.pem'\n"
        "global.proxy='http://proxy.example.org:3128'\n"
    )
    settings = parse_settings(listing)
    assert (settings["cert"], settings["proxy"]) == ("/env/ca.pem", "http://proxy.example.org:3128")
