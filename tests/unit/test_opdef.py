"""The mini language of op definitions."""

from __future__ import annotations

import pytest

from tfcross.registry.opdef import ArgDef, AttrDef, BadSpec, parse_argument, parse_attr, with_least_lengths

SETS = {"numbertype": (1, 2, 3), "realnumbertype": (1, 3), "quantizedtype": (11, 12)}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param("T: type", AttrDef("T", "type"), id="any type"),
        pytest.param("T:{float,int32}", AttrDef("T", "type", None, (1, 3)), id="no spaces"),
        pytest.param(
            "T: {half, float, float64} = DT_HALF",
            AttrDef("T", "type", 19, (19, 1, 2)),
            id="types with a default",
        ),
        pytest.param("T: {int32, }", AttrDef("T", "type", None, (3,)), id="trailing comma"),
        pytest.param("T: numbertype", AttrDef("T", "type", None, (1, 2, 3)), id="a set of types"),
        pytest.param("T: realnumberictype", AttrDef("T", "type", None, (1, 3)), id="a set's other name"),
        pytest.param(
            "T: {bool, quantizedtype} = DT_BOOL",
            AttrDef("T", "type", 10, (10, 11, 12)),
            id="a set among types",
        ),
        pytest.param("Targs: list(type) >= 1", AttrDef("Targs", "list(type)", minimum=1), id="list of types"),
        pytest.param(
            "Tidx: list({int32, int64}) >= 0 = []",
            AttrDef("Tidx", "list(type)", (), (3, 9), minimum=0),
            id="list of chosen types with an empty default",
        ),
        pytest.param("N: int >= 2 = 3", AttrDef("N", "int", 3, minimum=2), id="least and default"),
        pytest.param("limit: int = -1", AttrDef("limit", "int", -1), id="negative default"),
        pytest.param("k: int >= -1 = -1", AttrDef("k", "int", -1, minimum=-1), id="negative least"),
        pytest.param(
            "strides: list(int) >= 4 = [1, 1, 1, 1]",
            AttrDef("strides", "list(int)", (1, 1, 1, 1), minimum=4),
            id="list of ints",
        ),
        pytest.param("keep: bool = True", AttrDef("keep", "bool", True), id="capital True"),
        pytest.param("eps: float = 1e-3", AttrDef("eps", "float", 0.001), id="float"),
        pytest.param("low: float = -inf", AttrDef("low", "float", float("-inf")), id="infinite float"),
        pytest.param("r: list(float) = [0.75, 1.33]", AttrDef("r", "list(float)", (0.75, 1.33)), id="floats"),
        pytest.param("name: string = ''", AttrDef("name", "string", ""), id="empty string"),
        pytest.param('sep: string = "\\t"', AttrDef("sep", "string", "\t"), id="escape in a string"),
        pytest.param(
            "padding: {'SAME', \"VALID\"} = 'SAME' ",
            AttrDef("padding", "string", "SAME", (), ("SAME", "VALID")),
            id="strings of both quotes",
        ),
        pytest.param("shape: shape = {}", AttrDef("shape", "shape", "{}"), id="shape as text"),
        pytest.param(
            "shape: shape = { unknown_rank: true }",
            AttrDef("shape", "shape", "{ unknown_rank: true }"),
            id="unknown shape as text",
        ),
        pytest.param("shapes: list(shape) = []", AttrDef("shapes", "list(shape)", ()), id="no shapes"),
        pytest.param("f: func", AttrDef("f", "func"), id="function"),
    ],
)
def test_attr_spec_is_read(spec: str, expected: AttrDef) -> None:
    assert parse_attr(spec, SETS) == expected


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        pytest.param("T {float}", "'T {float}' does not begin with a name and a colon", id="no colon"),
        pytest.param("T: typo", "'T: typo' has an unknown type", id="unknown type"),
        pytest.param(
            "T: {float, flot}", "'T: {float, flot}' has the unknown type 'flot'", id="unknown in set"
        ),
        pytest.param("N: int 3", "'N: int 3' has '3' behind its type", id="something behind"),
        pytest.param(
            "N: int = three", "'N: int = three' has the default 'three', which is no int", id="default"
        ),
        pytest.param("N: list(int = []", "'N: list(int = []' does not close 'list('", id="list not closed"),
        pytest.param("N: list(int) = 3", "'N: list(int) = 3' has a default that is no list", id="no list"),
        pytest.param(
            "s: string = x", "'s: string = x' has the default 'x', which is no string", id="bare string"
        ),
        pytest.param(
            "b: bool = maybe", "'b: bool = maybe' has the default 'maybe', which is no bool", id="bad bool"
        ),
        pytest.param(
            "T: type = float", "'T: type = float' has the default 'float', which is no type", id="bad type"
        ),
    ],
)
def test_bad_attr_spec_is_quoted(spec: str, message: str) -> None:
    with pytest.raises(BadSpec) as caught:
        parse_attr(spec, SETS)
    assert str(caught.value) == message


ATTRS = [
    AttrDef("T", "type"),
    AttrDef("Ts", "list(type)"),
    AttrDef("N", "int"),
    AttrDef("M", "int", minimum=0),
]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param("x: float", ArgDef("x", 1), id="fixed type"),
        pytest.param("x: int32_ref", ArgDef("x", 103), id="fixed reference type"),
        pytest.param("x: T", ArgDef("x", type_attr="T"), id="type attr"),
        pytest.param("ref: Ref(T)", ArgDef("ref", type_attr="T", is_ref=True), id="reference"),
        pytest.param("inputs: N * T", ArgDef("inputs", type_attr="T", number_attr="N"), id="counted"),
        pytest.param("sizes: N*int32", ArgDef("sizes", 3, number_attr="N"), id="counted fixed type"),
        pytest.param(
            "refs: Ref(N * T)",
            ArgDef("refs", type_attr="T", number_attr="N", is_ref=True),
            id="counted references",
        ),
        pytest.param("args: Ts", ArgDef("args", type_list_attr="Ts"), id="list of types"),
    ],
)
def test_argument_spec_is_read(spec: str, expected: ArgDef) -> None:
    assert parse_argument(spec, ATTRS) == expected


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        pytest.param("x: U", "'x: U' names 'U', which is neither a type nor an attr of types", id="unknown"),
        pytest.param("x: N", "'x: N' names 'N', which is neither a type nor an attr of types", id="a number"),
        pytest.param("x: Ref(T", "'x: Ref(T' is no type or attr", id="reference not closed"),
        pytest.param("x", "'x' does not begin with a name and a colon", id="name only"),
    ],
)
def test_bad_argument_spec_is_quoted(spec: str, message: str) -> None:
    with pytest.raises(BadSpec) as caught:
        parse_argument(spec, ATTRS)
    assert str(caught.value) == message


def test_attrs_that_count_arguments_are_at_least_one_unless_the_op_says_so() -> None:
    arguments = [
        ArgDef("a", 1, number_attr="N"),
        ArgDef("b", type_list_attr="Ts"),
        ArgDef("c", 1, number_attr="M"),
    ]
    assert with_least_lengths(ATTRS, arguments) == (
        AttrDef("T", "type"),
        AttrDef("Ts", "list(type)", minimum=1),
        AttrDef("N", "int", minimum=1),
        AttrDef("M", "int", minimum=0),
    )
