"""Graphs that freezing has to get right, or to refuse in one line."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from checkpoint_files import FLOAT, HALF, Tensor, floats
from graph_runner import Runner
from training_graphs import CALL, MULTIPLIED, READ, VARIABLE, function, meta_graph, source, stored

from tfcross.errors import TfcrossError
from tfcross.graph.freezing import inlining
from tfcross.graph.freezing.freeze import Request, freeze
from tfcross.graph.freezing.source import Source

SAVER = """
node { name: "save/Const" op: "Const" attr { key: "value" value { tensor { dtype: DT_STRING tensor_shape {}
       string_val: "model" } } } attr { key: "dtype" value { type: DT_STRING } } }
node { name: "save/names" op: "Const" attr { key: "value" value { tensor { dtype: DT_STRING
       tensor_shape { dim { size: 2 } } string_val: "other" string_val: "key" } } } }
node { name: "save/slices" op: "Const" attr { key: "value" value { tensor { dtype: DT_STRING
       tensor_shape { dim { size: 2 } } string_val: "" string_val: "3 0,2" } } } }
node { name: "save/restore" op: "RestoreV2" input: "save/Const" input: "save/names" input: "save/slices" }
node { name: "save/id" op: "Identity" input: "save/restore:1" }
node { name: "save/assign" op: "AssignVariableOp" input: "w" input: "save/id" }
node { name: "save/all" op: "NoOp" input: "^save/assign" }
"""
SAVER_DEF = 'saver_def { restore_op_name: "save/all" }'


def answer(model: Source, x: list[float] = [10.0, 100.0], **request: object) -> list[float]:  # noqa: B006
    frozen = freeze(model, Request(**request))  # type: ignore[arg-type]
    runner = Runner(frozen.graph())
    if frozen.initializer:
        runner.run([frozen.initializer], {})
    output = next(iter(frozen.outputs.values())).tensor
    return [float(value) for value in runner.run([output], {"x": np.array(x, np.float32)})[0]]


def refused(model: Source, **request: object) -> str:
    with pytest.raises(TfcrossError) as error:
        freeze(model, Request(**request))  # type: ignore[arg-type]
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_variable_is_found_by_its_name_where_there_is_no_saver(tmp_path: Path) -> None:
    assert answer(source(tmp_path, VARIABLE + READ)) == [20, 300]


def test_a_variable_is_found_by_its_shared_name(tmp_path: Path) -> None:
    graph = (VARIABLE + READ).replace('name: "w"', 'name: "handle"').replace('input: "w"', 'input: "handle"')
    graph = graph.replace(
        'op: "VarHandleOp"', 'op: "VarHandleOp" attr { key: "shared_name" value { s: "w" } }'
    )
    assert answer(source(tmp_path, graph)) == [20, 300]


@pytest.mark.parametrize("rest", [SAVER_DEF, ""], ids=["saver named", "saver's nodes only"])
def test_the_savers_nodes_tell_the_key_and_the_slice(tmp_path: Path, rest: str) -> None:
    tensors = {"w": Tensor(FLOAT, (2,), floats(0, 0)), "key": Tensor(FLOAT, (3,), floats(4, 5, 6))}
    assert answer(source(tmp_path, VARIABLE + READ + SAVER, tensors, rest)) == [40, 500]


def test_a_warm_start_from_another_checkpoint_is_no_saver(tmp_path: Path) -> None:
    warm = SAVER.replace("save/", "warm/").replace('"key"', '"old_name"')
    tensors = {"key": Tensor(FLOAT, (3,), floats(4, 5, 6))}
    assert answer(source(tmp_path, VARIABLE + READ + SAVER + warm, tensors)) == [40, 500]
    assert answer(source(tmp_path, VARIABLE + READ + warm + SAVER, tensors)) == [40, 500]


def test_a_call_is_replaced_by_its_body(tmp_path: Path) -> None:
    graph = VARIABLE + CALL + function("f", MULTIPLIED)
    assert answer(source(tmp_path, graph)) == [20, 300]
    assert [node.op for node in freeze(source(tmp_path, graph), Request()).nodes] == [
        "Placeholder",
        "Const",
        "Identity",
        "Mul",
        "Identity",
    ]


def test_an_output_argument_of_several_is_counted(tmp_path: Path) -> None:
    body = """
    node_def { name: "top" op: "TopKV2" input: "x" input: "k:output:0"
               attr { key: "T" value { type: DT_FLOAT } } }
    node_def { name: "k" op: "Const" attr { key: "dtype" value { type: DT_INT32 } }
               attr { key: "value" value { tensor { dtype: DT_INT32 tensor_shape {} int_val: 1 } } } }
    node_def { name: "z" op: "Cast" input: "top:indices:0" attr { key: "SrcT" value { type: DT_INT32 } } }
    """
    frozen = freeze(source(tmp_path, VARIABLE + CALL + function("f", body, "z:y:0")), Request())
    assert [list(node.input) for node in frozen.nodes if node.op == "Cast"] == [["call/top:1"]]


def test_an_attribute_of_the_function_is_bound_by_the_call(tmp_path: Path) -> None:
    body = MULTIPLIED.replace('key: "T" value { type: DT_FLOAT }', 'key: "T" value { placeholder: "T" }')
    call = CALL.replace('name: "f" }', 'name: "f" attr { key: "T" value { type: DT_HALF } } }')
    frozen = freeze(source(tmp_path, VARIABLE + call + function("f", body)), Request())
    assert [node.attr["T"].type for node in frozen.nodes if node.op == "Mul"] == [HALF]


def test_an_input_of_the_signature_that_is_no_placeholder_cuts_the_graph(tmp_path: Path) -> None:
    graph = VARIABLE.replace('name: "x"', 'name: "encoded"') + READ
    graph += 'node { name: "x" op: "DecodeRaw" input: "encoded" }'
    frozen = freeze(source(tmp_path, graph), Request())
    assert {node.op for node in frozen.nodes} == {"Placeholder", "Const", "Identity", "Mul"}
    assert frozen.inputs["x"].tensor in {node.name for node in frozen.nodes if node.op == "Placeholder"}


def test_names_of_the_signature_do_not_clash_with_nodes(tmp_path: Path) -> None:
    meta = meta_graph(VARIABLE + READ, {"w": "x:0", ">read": "y:0"})
    from tfcross.graph.freezing.savedmodel import pick_signature

    model = Source("model", meta, stored(tmp_path), pick_signature("model", meta, ""), [])
    frozen = freeze(model, Request())
    result = Runner(frozen.graph()).run(["read"], {"w": np.array([10, 100], np.float32)})[0]
    assert result.tolist() == [20, 300]


def test_initializers_of_the_user_win_over_the_checkpoint(tmp_path: Path) -> None:
    init = """
    node { name: "seven" op: "Const" attr { key: "dtype" value { type: DT_FLOAT } }
           attr { key: "value" value {
           tensor { dtype: DT_FLOAT tensor_shape { dim { size: 2 } } float_val: 7 } } } }
    node { name: "set" op: "AssignVariableOp" input: "w" input: "seven" }
    """
    graph = VARIABLE + READ + init
    assert answer(source(tmp_path, graph)) == [20, 300]
    assert answer(source(tmp_path, graph), initializers=["set"]) == [70, 700]


def test_a_variable_without_a_value_is_named_with_the_nearest_key(tmp_path: Path) -> None:
    graph = VARIABLE.replace('name: "w"', 'name: "dense/kernel"') + READ.replace('"w"', '"dense/kernel"')
    tensors = {"dense_1/kernel": Tensor(FLOAT, (2,), floats(0, 0)), "step": Tensor(FLOAT, (), floats(1))}
    assert refused(source(tmp_path, graph, tensors)) == (
        "model: the variable 'dense/kernel' has no value in the checkpoint; the nearest is "
        "'dense_1/kernel'; pass "
        "the checkpoint of this graph, or initialize the variable."
    )


def test_a_key_that_the_saver_wants_and_the_checkpoint_lacks_is_told(tmp_path: Path) -> None:
    tensors = {"kez": Tensor(FLOAT, (3,), floats(4, 5, 6))}
    assert refused(source(tmp_path, VARIABLE + READ + SAVER, tensors, SAVER_DEF)) == (
        "model: the variable 'w' has no value: the checkpoint has no key 'key'; the nearest is 'kez'; "
        "pass the "
        "checkpoint of this graph."
    )


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        pytest.param(
            Tensor(FLOAT, (3,), floats(1, 2, 3)),
            "the variable 'w' has the shape [2] in the graph and [3] in the checkpoint",
            id="shape",
        ),
        pytest.param(
            Tensor(HALF, (2,), b"\0\0\0\0"),
            "the variable 'w' is float in the graph and half in the checkpoint",
            id="type",
        ),
    ],
)
def test_a_value_that_does_not_fit_its_variable_is_told(tmp_path: Path, tensor: Tensor, message: str) -> None:
    told = refused(source(tmp_path, VARIABLE + READ, {"w": tensor}))
    assert told == f"model: {message}; pass the checkpoint of this graph."


def test_writing_state_is_refused_by_name(tmp_path: Path) -> None:
    body = MULTIPLIED + 'node_def { name: "set" op: "AssignVariableOp" input: "v" input: "x" }'
    assert refused(source(tmp_path, VARIABLE + CALL + function("f", body, effects="set"))) == (
        "model: the outputs change the variable 'w' (node 'call/set', op 'AssignVariableOp'), and "
        "constants do not "
        "change; export the model for inference, or keep its state."
    )


def test_an_output_that_would_not_run_what_changes_state_is_told(tmp_path: Path) -> None:
    body = MULTIPLIED + 'node_def { name: "set" op: "AssignVariableOp" input: "v" input: "x" }'
    model = source(tmp_path, VARIABLE + CALL + function("f", body, effects="set"))
    assert refused(model, outputs=["y"], keep_state=True) == (
        "model: running 'y' also runs 'call/set', which changes variables; leave the names of outputs "
        "out, so that "
        "the signature tells them."
    )


def test_a_variable_that_no_constant_can_stand_for_is_told(tmp_path: Path) -> None:
    graph = VARIABLE + 'node { name: "y" op: "Odd" input: "w" }'
    assert "the outputs change the variable 'w' (node 'y', op 'Odd')" in refused(source(tmp_path, graph))


def test_a_function_that_calls_itself_is_told(tmp_path: Path) -> None:
    body = 'node_def { name: "again" op: "f" input: "x" input: "v" }'
    assert refused(source(tmp_path, VARIABLE + CALL + function("f", body, "again:r:0"))) == (
        "the function 'f' calls itself ('f', 'f'); no frozen graph can do that."
    )


def test_functions_that_multiply_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inlining, "MOST_NODES", 1000)
    graph = VARIABLE + CALL.replace('name: "f"', 'name: "f0"')
    for number in range(24):
        calls = "".join(
            f'node_def {{ name: "{name}" op: "f{number + 1}" input: "x" input: "v" }}' for name in ("a", "b")
        )
        graph += function(f"f{number}", calls, "a:r:0")
    graph += function("f24", MULTIPLIED)
    assert refused(source(tmp_path, graph)) == (
        "without its functions the graph has over 1000 nodes; export a smaller one."
    )


def test_a_function_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert refused(source(tmp_path, VARIABLE + CALL)) == (
        "node 'call' calls the function 'f', which is not there; export it again."
    )


def test_outputs_of_an_op_that_is_not_known_are_told(tmp_path: Path) -> None:
    body = """
    node_def { name: "odd" op: "Odd" input: "x" }
    node_def { name: "z" op: "Mul" input: "odd:first:0" input: "odd:second:0" }
    """
    assert refused(source(tmp_path, VARIABLE + CALL + function("f", body))) == (
        "node 'odd': the order of the outputs of the op 'Odd' is not known; export the model as a "
        "SavedModel, which "
        "tells it."
    )


def test_an_output_that_is_not_there_is_told_with_the_nearest(tmp_path: Path) -> None:
    message = refused(source(tmp_path, VARIABLE + READ), outputs=["reed"])
    assert message == "model: there is no node 'reed'; the nearest is 'read'; give another name."


def test_a_graph_without_signature_tells_what_it_ends_in(tmp_path: Path) -> None:
    model = Source("model", meta_graph(VARIABLE + READ), stored(tmp_path), None, [])
    assert refused(model) == (
        "model: it has no signature that tells its outputs; likely ones: 'y'; name the OUTPUTS=."
    )


def test_an_input_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert refused(source(tmp_path, VARIABLE + READ.replace('input: "read"', 'input: "gone"'))) == (
        "the graph is damaged: 'y' takes from 'gone', which is not there; export it again."
    )


def test_a_table_that_nothing_fills_is_told(tmp_path: Path) -> None:
    graph = (
        VARIABLE
        + """
    node { name: "table" op: "HashTableV2" }
    node { name: "y" op: "LookupTableFindV2" input: "table" input: "x" input: "x" }
    """
    )
    assert refused(source(tmp_path, graph)) == (
        "nothing fills the table 'table'; export the model with its initializer (a main_op), or name the "
        "node that "
        "fills it as an initializer."
    )


def test_a_graph_that_no_runtime_reads_is_refused_before_it_is_written(tmp_path: Path) -> None:
    frozen = freeze(source(tmp_path, VARIABLE + READ), Request())
    value = frozen.values["w"]
    object.__setattr__(value, "shape", (1 << 29, 2))
    with pytest.raises(
        TfcrossError, match=re.escape("would have 4.3 GB, and TensorFlow reads none above 2.1 GB")
    ):
        frozen.write(tmp_path / "model.pb")
    assert not (tmp_path / "model.pb").exists()


def test_a_failure_while_writing_leaves_nothing(tmp_path: Path) -> None:
    frozen = freeze(source(tmp_path, VARIABLE + READ), Request())
    (tmp_path / "m.data-00000-of-00001").write_bytes(b"\0" * 8)
    with pytest.raises(TfcrossError, match="the checksum of 'w' is wrong"):
        frozen.write(tmp_path / "model.pb")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.data-00000-of-00001", "m.index"]
