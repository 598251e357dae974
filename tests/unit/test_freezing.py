"""Models as TensorFlow writes them, frozen: run with numpy, their answers are TensorFlow's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from graph_runner import Runner

from tfcross.graph.freezing.freeze import Request, freeze
from tfcross.graph.freezing.frozen import Frozen
from tfcross.graph.freezing.source import read_saved_model
from tfcross.graph.messages import GraphDef
from tfcross.graph.tensors import array_of

FIXTURES = Path(__file__).parents[1] / "fixtures" / "freezing"
SHARED = Path(__file__).parents[2].parent / "shared" / "models" / "savedmodels"
MODELS = [FIXTURES / "loops", FIXTURES / "tables"]
if SHARED.is_dir():
    MODELS += [SHARED / "look", SHARED / "ctl"]
VARIABLE_OPS = {"VarHandleOp", "VariableV2", "ReadVariableOp", "AssignVariableOp", "ResourceGather"}
CALLS = {"PartitionedCall", "StatefulPartitionedCall"}


def frozen_model(name: str, **request: Any) -> Frozen:
    return freeze(read_saved_model(FIXTURES / name), Request(**request))


def arrays(folder: Path, prefix: str) -> dict[str, Any]:
    with np.load(folder.with_suffix(".npz")) as held:
        found = {key.removeprefix(prefix): held[key] for key in held.files if key.startswith(prefix)}
    return {key: value.astype(object) if value.dtype.kind == "S" else value for key, value in found.items()}


def answers(frozen: Frozen, inputs: dict[str, Any], runs: int = 1) -> dict[str, Any]:
    runner = Runner(frozen.graph())
    if frozen.initializer:
        runner.run([frozen.initializer], {})
    feeds = {frozen.inputs[key].tensor: value for key, value in inputs.items()}
    for _ in range(runs):
        results = runner.run([end.tensor for end in frozen.outputs.values()], feeds)
    return dict(zip(frozen.outputs, results, strict=True))


def all_nodes(graph: Any) -> list[Any]:
    return [*graph.node, *(node for function in graph.library.function for node in function.node_def)]


@pytest.mark.parametrize("folder", MODELS, ids=lambda folder: folder.name)
def test_a_frozen_model_gives_tensorflows_answers(folder: Path) -> None:
    frozen = freeze(read_saved_model(folder), Request())
    results = answers(frozen, arrays(folder, "in_"))
    expected = arrays(folder, "out_")
    assert results.keys() == expected.keys()
    for key, value in expected.items():
        assert results[key].dtype == value.dtype
        if value.dtype == object:
            assert results[key].tolist() == value.tolist()
        else:
            np.testing.assert_allclose(results[key], value, rtol=1e-6, atol=1e-7, strict=True)


@pytest.mark.parametrize("name", ["loops", "tables", "v1"])
def test_nothing_of_training_and_no_call_is_left(name: str) -> None:
    graph = frozen_model(name).graph()
    ops = {node.op for node in all_nodes(graph)}
    kept = (
        {"VarHandleOp", "ReadVariableOp", "AssignVariableOp"} if name == "v1" else set()
    )  # its local variable
    assert ops & (VARIABLE_OPS | CALLS) == kept
    assert {op for op in ops if "Restore" in op or "Save" in op or "Apply" in op} == set()


def test_loops_and_branches_stay_with_variables_as_values() -> None:
    graph = frozen_model("loops").graph()
    nodes = {node.name: node for node in graph.node}
    loop = next(node for node in graph.node if node.op == "While")
    assert [nodes[name.partition(":")[0]].op for name in loop.input][-3:] == ["Const", "Const", "Const"]
    assert list(loop.attr["T"].list.type)[-3:] == [1, 1, 1]
    assert "_output_shapes" not in loop.attr and "output_shapes" not in loop.attr
    functions = {function.signature.name: function for function in graph.library.function}
    body = functions[loop.attr["body"].func.name]
    assert 20 not in [arg.type for arg in (*body.signature.input_arg, *body.signature.output_arg)]
    assert {node.op for node in graph.node} >= {"While", "Case"}
    assert "If" in {node.op for node in body.node_def}


def test_each_variable_is_one_constant() -> None:
    nodes = frozen_model("loops").graph().node
    large = [array_of(node.attr["value"].tensor).shape for node in nodes if node.op == "Const"]
    assert sorted(shape for shape in large if shape) == [(4,), (4, 4), (7, 4)]


def test_a_model_is_called_with_the_names_of_its_signature() -> None:
    frozen = frozen_model("loops")
    described = {key: end.as_json() for key, end in (frozen.inputs | frozen.outputs).items()}
    assert described == {
        "n": {"tensor": "n", "type": "int32", "shape": ()},
        "x": {"tensor": "x", "type": "float", "shape": (-1, 4)},
        "k": {"tensor": "k", "type": "float", "shape": (-1, 4)},
        "y": {"tensor": "y", "type": "float", "shape": (-1, 4)},
    }
    assert frozen.signature == "serving_default"
    assert frozen.initializer == ""


def test_vocabularies_are_in_the_graph_and_one_node_fills_all_tables() -> None:
    frozen = frozen_model("tables")
    nodes = {node.name: node for node in frozen.nodes}
    assert frozen.initializer == "initialize"
    fillers = [nodes[name.removeprefix("^")] for name in nodes["initialize"].input]
    assert sorted(node.op for node in fillers) == ["InitializeTableV2"] * 3 + ["LookupTableImportV2"]
    assert all(
        nodes[name].op in ("Const", "HashTableV2", "MutableHashTableV2") for f in fillers for name in f.input
    )
    assert b"vocabulary.txt" not in b"".join(
        node.SerializeToString() for node in frozen.nodes if node.op != "HashTableV2"
    )


def test_a_v1_graph_keeps_its_control_flow_with_types_of_values() -> None:
    frozen = frozen_model("v1")
    nodes = {node.name: node for node in frozen.nodes}
    entered = [node for node in frozen.nodes if node.op in ("Enter", "Switch") and "handle" in node.input[0]]
    assert {node.op for node in entered} == {"Enter", "Switch"}
    assert [node.attr["T"].type for node in entered] == [1, 1]
    assert nodes["handle"].op == "Const"
    assert not frozen.functions


def test_partitions_get_their_slices() -> None:
    source = read_saved_model(FIXTURES / "v1")
    graph = {node.name: node for node in freeze(source, Request()).graph().node}
    parts = [array_of(graph[f"parts/part_{number}"].attr["value"].tensor) for number in (0, 1)]
    stored = source.tensors["parts"]
    whole = np.frombuffer(b"".join(stored.read(stored.extents())), np.float32).reshape(5, 2)
    assert [part.shape for part in parts] == [(3, 2), (2, 2)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_what_the_main_op_computes_stays_a_variable_that_the_initializer_sets() -> None:
    nodes = {node.name: node for node in frozen_model("v1").nodes}
    setters = [nodes[name.removeprefix("^")] for name in nodes["initialize"].input]
    assigned = [node.input[0] for node in setters if node.op == "AssignVariableOp"]
    assert assigned == ["local"]


def test_state_is_kept_with_its_trained_value_if_asked_for() -> None:
    frozen = frozen_model("counter", keep_state=True)
    assert answers(frozen, {"x": np.float32(3)}, runs=2)["y"] == 6
    runner = Runner(frozen.graph())
    runner.run([frozen.initializer], {})
    assert {name: float(value) for name, value in runner.variables.items()} == {"Variable_1": 5.0}
    runner.run(["y"], {"x": np.float32(3)})
    runner.run(["y"], {"x": np.float32(3)})
    assert float(runner.variables["Variable_1"]) == 7.0


def test_state_is_kept_with_named_outputs_too() -> None:
    frozen = frozen_model("counter", outputs=["StatefulPartitionedCall"], keep_state=True)
    runner = Runner(frozen.graph())
    runner.run([frozen.initializer], {})
    assert runner.run(["StatefulPartitionedCall"], {"serving_default_x": np.float32(3)}) == [6]
    assert float(runner.variables["Variable_1"]) == 6.0


def test_variables_that_the_user_names_stay() -> None:
    frozen = frozen_model("v1", keep=frozenset({"handle"}))
    nodes = {node.name: node for node in frozen.nodes}
    assert nodes["handle"].op == "VarHandleOp"
    assert list(nodes["handle/initialize"].input) == ["handle", "handle/initial_value"]
    assert "^handle/initialize" in nodes["initialize"].input


def test_outputs_can_be_named_and_keep_their_names() -> None:
    frozen = frozen_model("loops", outputs=["StatefulPartitionedCall:1", "serving_default_n:0"])
    assert list(frozen.outputs) == ["StatefulPartitionedCall:1", "serving_default_n"]
    nodes = {node.name: node for node in frozen.nodes}
    assert nodes["StatefulPartitionedCall"].op == "IdentityN"
    assert list(frozen.inputs) == ["serving_default_n", "serving_default_x"]


def test_the_streamed_file_is_the_graph(tmp_path: Path) -> None:
    for name in ("loops", "tables", "v1"):
        frozen = frozen_model(name)
        frozen.write(tmp_path / "model.pb")
        assert GraphDef.FromString((tmp_path / "model.pb").read_bytes()) == frozen.graph()
    assert [path.name for path in tmp_path.iterdir()] == ["model.pb"]


def test_freezing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first.pb", "second.pb"):
        frozen_model("tables").write(tmp_path / name)
    assert (tmp_path / "first.pb").read_bytes() == (tmp_path / "second.pb").read_bytes()


def test_the_description_tells_names_types_shapes_and_the_initializer() -> None:
    described = frozen_model("tables").describe()
    assert described.startswith('{\n  "signature": "serving_default",\n  "inputs": {\n    "w": {')
    assert described.endswith('  "initializer": "initialize"\n}\n')
