"""The text of --transforms, and what is refused of it."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from importlib import import_module

import pytest

from tfcross.errors import TfcrossError
from tfcross.graph.transforms.arguments import Arguments, parse_transforms
from tfcross.graph.transforms.table import TRANSFORMS, check_calls


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param("  \n ", [], id="blanks"),
        pytest.param("foo", [("foo", {})], id="one"),
        pytest.param("foo bar", [("foo", {}), ("bar", {})], id="two"),
        pytest.param(
            'foo bar(a="1", b="1,2,3", a=3)',
            [("foo", {}), ("bar", {"a": ["1", "3"], "b": ["1,2,3"]})],
            id="a key twice",
        ),
        pytest.param(
            "foo(a=1)\n bar \\\n baz(\n b=x/y:0 \n c=-2 )\n",
            [("foo", {"a": ["1"]}), ("bar", {}), ("baz", {"b": ["x/y:0"], "c": ["-2"]})],
            id="lines",
        ),
        pytest.param(r'foo(a="say \"hi\" \\")', [("foo", {"a": ['say "hi" \\']})], id="escapes"),
        pytest.param("foo()", [("foo", {})], id="no argument"),
    ],
)
def test_transforms_are_read_as_tensorflows_tool_reads_them(text, calls):
    assert [(call.transform, call.values) for call in parse_transforms(text)] == calls


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "(a=1)", "character 1: the name of a transform is expected, and there is '(a=1)'.", id="name"
        ),
        pytest.param(
            "foo(", "character 5: the name of an argument or ) is expected, and there is the end.", id="open"
        ),
        pytest.param(
            "foo(a=1,2)",
            "character 10: = is expected behind 2; quote a value with commas or blanks, and there is ')'.",
            id="commas",
        ),
        pytest.param("foo(a=)", "character 7: the value of a is expected, and there is ')'.", id="value"),
        pytest.param(
            'foo(a="1)', "character 7: the value of a is expected, and there is '\"1)'.", id="quote"
        ),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text, message):
    with pytest.raises(TfcrossError) as error:
        parse_transforms(text)
    assert str(error.value) == f"transforms: {message}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "fold_constant",
            "transforms: unknown transform 'fold_constant'; nearest: 'fold_constants'. Known: add_default_a",
            id="transform",
        ),
        pytest.param(
            "round_weights(bogus=3)",
            "transforms: round_weights: unknown argument 'bogus'. Known: ignore_errors, num_steps.",
            id="argument",
        ),
        pytest.param(
            "quantize_weights(minimum_sise=3)",
            "transforms: quantize_weights: unknown argument 'minimum_sise'; nearest: 'minimum_size'. "
            "Known: ignore_errors, minimum_size, per_channel.",
            id="near argument",
        ),
        pytest.param(" ", "transforms: there is none; give at least one", id="none"),
    ],
)
def test_unknown_transforms_and_arguments_are_refused(text, message):
    with pytest.raises(TfcrossError) as error:
        check_calls(parse_transforms(text))
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("read", "message"),
    [
        pytest.param(lambda a: a.integer("n", 1), "n=x is no whole number from -2147483648 on", id="integer"),
        pytest.param(lambda a: a.decimal("n", 1), "n=x is no number", id="decimal"),
        pytest.param(lambda a: a.flag("n", True), "n=x is neither true nor false", id="flag"),
        pytest.param(lambda a: a.text("m"), "takes one m=, and there are 0", id="missing"),
        pytest.param(lambda a: a.text("two"), "takes one two=, and there are 2", id="twice"),
    ],
)
def test_a_value_of_another_kind_is_refused(read, message):
    with pytest.raises(TfcrossError) as error:
        read(Arguments("foo", {"n": ["x"], "two": ["a", "b"]}))
    assert str(error.value) == f"transforms: foo: {message}."


def test_damaged_texts_give_calls_or_one_line():
    chance = random.Random(13)
    seed = (
        'fold_constants(exclude_op=Identity, exclude_node=x) strip_unused_nodes(type="int32", shape="1,-1")'
    )
    refused = 0
    for _ in range(10_000):
        text = list(seed)
        for _ in range(chance.randrange(1, 6)):
            place = chance.randrange(len(text))
            text[place : place + chance.randrange(3)] = chance.choice(
                ['"', "(", ")", "=", ",", "\\", "\n", "é", "\0", "x", ""]
            )
        begun = time.monotonic()
        try:
            check_calls(parse_transforms("".join(text)))
        except TfcrossError as error:
            refused += 1
            assert len(str(error)) < 1200
            assert "\n" not in str(error)
        assert time.monotonic() - begun < 0.5
    assert refused > 5000


def test_reading_transforms_needs_no_numpy():
    """A build looks at TRANSFORMS= before it knows whether there is anything to do."""
    package = "tfcross.graph.transforms"
    code = f"import sys, {package}.table, {package}.chain; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_every_transform_of_the_table_has_its_function():
    for name, transform in TRANSFORMS.items():
        module = import_module(f"tfcross.graph.transforms.{transform.module}")
        assert callable(getattr(module, name)), name


def test_the_table_has_all_of_both_releases():
    assert sorted(TRANSFORMS) == [
        "add_default_attributes",
        "backport_concatv2",
        "backport_tensor_array_v3",
        "flatten_atrous_conv",
        "fold_batch_norms",
        "fold_constants",
        "fold_old_batch_norms",
        "freeze_requantization_ranges",
        "fuse_pad_and_conv",
        "fuse_resize_and_conv",
        "fuse_resize_pad_and_conv",
        "inline_partitionedcall",
        "insert_logging",
        "merge_duplicate_nodes",
        "obfuscate_names",
        "quantize_nodes",
        "quantize_weights",
        "remove_attribute",
        "remove_control_dependencies",
        "remove_device",
        "remove_nodes",
        "rename_attribute",
        "rename_node",
        "rename_op",
        "round_weights",
        "set_device",
        "sort_by_execution_order",
        "sparsify_gather",
        "strip_unused_nodes",
    ]
