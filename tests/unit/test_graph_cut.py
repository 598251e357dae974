"""A graph that is cut: what is kept of it, what is refused, and the file that it becomes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format

from tfcross.errors import TfcrossError
from tfcross.graph.construction import graph_bytes, make_const, make_node, make_placeholder
from tfcross.graph.cutting.cutfile import write_cut
from tfcross.graph.cutting.ends import parse_ends
from tfcross.graph.messages import AttrValue, GraphDef, SavedModel
from tfcross.graph.model import Model, Placeholder, load_model

WEIGHTS = b"\1\2\3\4" * 40_000  # large enough that reading leaves them out


def function_attr(name: str) -> AttrValue:
    attr = AttrValue()
    attr.func.name = name
    return attr


def classes(*names: str) -> AttrValue:
    attr = AttrValue()
    attr.list.s.extend(f"loc:@{name}".encode() for name in names)
    return attr


def training_graph() -> GraphDef:
    """jpeg -> decode -> cast -> mul -> product(w) -> probabilities; a second branch, a saver, functions."""
    graph = GraphDef(
        node=[
            make_placeholder("jpeg", "DT_STRING", []),
            make_node("decode", "DecodeJpeg", ["jpeg"], channels=3),
            make_node("cast", "Cast", ["decode"], SrcT="DT_UINT8", DstT="DT_FLOAT"),
            make_node("guard", "NoOp", ["^cast"]),
            make_node("mul", "Mul", ["cast", "cast"], T="DT_FLOAT"),
            make_const("w", "DT_FLOAT", [200, 200], WEIGHTS),
            make_node("product", "MatMul", ["mul", "w", "^guard"], T="DT_FLOAT", _class=classes("mul")),
            make_node("probabilities", "Softmax", ["product"], T="DT_FLOAT", _class=classes("product")),
            make_node("called", "PartitionedCall", ["product"], f=function_attr("outer")),
            make_node("split", "Split", ["axis", "product"], T="DT_FLOAT", num_split=2),
            make_const("axis", "DT_INT32", [], b"\0\0\0\0"),
            make_node("second", "Relu", ["split:1"], T="DT_FLOAT"),
            make_placeholder("labels", "DT_INT64", [-1]),
            make_node("loss", "SparseSoftmaxCrossEntropyWithLogits", ["product", "labels"], T="DT_FLOAT"),
            make_node("variable", "VarHandleOp", dtype="DT_FLOAT"),
            make_node("read", "ReadVariableOp", ["variable"], dtype="DT_FLOAT"),
        ]
    )
    graph.versions.producer = 1482
    for name, inner in (("outer", "inner"), ("inner", "Relu"), ("other", "Erf")):
        function = graph.library.function.add()
        function.signature.name = name
        function.signature.input_arg.add(name="a", type=1)
        function.node_def.append(make_node("n", inner, ["a"]))
    graph.library.gradient.add(function_name="inner", gradient_func="other")
    graph.library.gradient.add(function_name="none", gradient_func="other")
    return graph


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "training.pb"
    path.write_bytes(training_graph().SerializeToString())
    return path


def cut(path: Path, inputs: str = "", outputs: str = "", signature: str = "") -> Model:
    return load_model(path, ends=parse_ends(inputs, outputs, signature))


def names(model: Model) -> list[str]:
    return [node.name for node in model.nodes]


def written(model: Model, folder: Path) -> Any:
    write_cut(model, folder / "cut" / "m.pb")
    return GraphDef.FromString((folder / "cut" / "m.pb").read_bytes())


def test_outputs_keep_what_they_need_by_data_and_control(path: Path) -> None:
    model = cut(path, outputs="probabilities:0")
    expected = ["jpeg", "decode", "cast", "guard", "mul", "w", "product", "probabilities"]
    assert names(model) == expected
    assert model.outputs == ("probabilities",)
    assert model.placeholders == (Placeholder("jpeg", "DT_STRING", ()),)
    assert model.notes == ()


def test_inputs_become_placeholders_and_what_only_they_needed_goes(path: Path) -> None:
    model = cut(path, "cast:0=float[?,200]", "probabilities,second")
    assert names(model) == [
        "cast",
        "guard",
        "mul",
        "w",
        "product",
        "probabilities",
        "split",
        "axis",
        "second",
    ]
    assert model.placeholders == (Placeholder("cast", "DT_FLOAT", (-1, 200)),)
    assert model.replaced == {"cast"}
    assert model.ops().keys() == {
        *("Const", "MatMul", "Mul", "NoOp", "Placeholder", "Relu", "Softmax", "Split"),
    }


def test_the_graph_tells_what_the_user_does_not(path: Path) -> None:
    assert cut(path, "mul,cast", "probabilities").placeholders == (
        Placeholder("mul", "DT_FLOAT", None),
        Placeholder("cast", "DT_FLOAT", None),
    )
    assert cut(path, "jpeg", "probabilities").placeholders == (Placeholder("jpeg", "DT_STRING", ()),)
    assert cut(path, "jpeg", "probabilities").replaced == frozenset()
    assert cut(path, "product", "second").placeholders == (Placeholder("product", "DT_FLOAT", None),)


def test_without_outputs_they_are_those_of_the_whole_graph_that_are_not_fed(path: Path) -> None:
    model = cut(path, "product=float[1,200],labels")
    assert model.outputs == ("probabilities", "called", "second", "loss", "read")


@pytest.mark.parametrize(
    ("inputs", "outputs", "message"),
    [
        pytest.param(
            "",
            "probabilites",
            "OUTPUTS: there is no node 'probabilites'; the nearest: 'probabilities'",
            id="output",
        ),
        pytest.param(
            "casts=float[1]", "", "INPUTS: there is no node 'casts'; the nearest: 'cast'", id="input"
        ),
        pytest.param(
            "",
            "zzz:1",
            "OUTPUTS: there is no node 'zzz'; summarize_graph.py lists its ends",
            id="like nothing there",
        ),
        pytest.param(
            "product=float[1,2]",
            "",
            "INPUTS: the outputs ('probabilities', 'called', 'second' and 2 more) also need the placeholder "
            "'labels'; add it, cut behind it, or name OUTPUTS that do without it",
            id="a placeholder left behind",
        ),
        pytest.param(
            "labels,cast",
            "probabilities",
            "INPUTS: the outputs ('probabilities') do not need 'labels'; leave it out",
            id="one too many",
        ),
        pytest.param(
            "split=float[1]",
            "second",
            "INPUTS: the outputs need 'split:1', and of 'split' only the first output can be fed; "
            "cut behind it",
            id="another output is taken",
        ),
        pytest.param(
            "split=float[1]",
            "split:1",
            "INPUTS: the outputs need 'split:1', and of 'split' only the first output can be fed; "
            "cut behind it",
            id="another output is fetched",
        ),
        pytest.param(
            "mul=int32[1]",
            "probabilities",
            "INPUTS: 'mul' is float in the graph, not int32; write mul=float[…]",
            id="another type",
        ),
        pytest.param(
            "called",
            "called",
            "INPUTS: the graph does not tell the type of 'called' (op 'PartitionedCall'); "
            "write called=TYPE[SIZES]",
            id="no type",
        ),
        pytest.param(
            "variable=float[1]",
            "read",
            "INPUTS: 'variable' is a handle (VarHandleOp), which no app can feed; "
            "name the node that reads it",
            id="a handle",
        ),
        pytest.param(
            "product,labels,second",
            "",
            "INPUTS: the outputs ('probabilities', 'called', 'loss' and 1 more) do not need 'second'; "
            "leave it out",
            id="an end of the whole graph is fed",
        ),
        pytest.param(
            "cast,product",
            "second,product:0",
            "'product' is an input and an output; no session gives back what it is fed",
            id="fed and fetched",
        ),
    ],
)
def test_ends_that_do_not_fit_are_one_line(path: Path, inputs: str, outputs: str, message: str) -> None:
    with pytest.raises(TfcrossError) as caught:
        cut(path, inputs, outputs)
    assert str(caught.value) == f"{path}: {message}."


def test_the_file_of_a_cut_graph_has_the_weights_and_the_placeholders(path: Path, tmp_path: Path) -> None:
    graph = written(cut(path, "cast=float[?,200]", "probabilities"), tmp_path)
    nodes = {node.name: node for node in graph.node}
    assert list(nodes) == ["cast", "guard", "mul", "w", "product", "probabilities"]
    assert nodes["cast"] == make_placeholder("cast", "DT_FLOAT", [-1, 200])
    assert nodes["w"].attr["value"].tensor.tensor_content == WEIGHTS
    assert nodes["product"].input == ["mul", "w", "^guard"]
    assert graph.versions.producer == 1482
    assert not graph.library.function


def test_a_node_whose_neighbour_is_gone_may_stand_anywhere(path: Path, tmp_path: Path) -> None:
    graph = written(cut(path, "product=float[1,200]", "probabilities,called"), tmp_path)
    assert "_class" not in graph.node[0].attr
    assert graph.node[1].attr["_class"].list.s == [b"loc:@product"]  # still there, as a placeholder
    behind = written(cut(path, "product=float[1]", "probabilities"), tmp_path)
    assert [node.op for node in behind.node] == ["Placeholder", "Softmax"]
    graph = training_graph()
    graph.node[7].attr["_class"].list.s[:] = [b"loc:@labels"]
    path.write_bytes(graph.SerializeToString())
    assert "_class" not in written(cut(path, outputs="probabilities"), tmp_path).node[7].attr


def test_the_functions_that_can_be_called_go_along(path: Path, tmp_path: Path) -> None:
    graph = written(cut(path, outputs="called"), tmp_path)
    assert [function.signature.name for function in graph.library.function] == ["outer", "inner", "other"]
    assert [gradient.function_name for gradient in graph.library.gradient] == ["inner"]


def test_an_input_of_unknown_shape_stays_one(path: Path, tmp_path: Path) -> None:
    nodes = {node.name: node for node in written(cut(path, "mul,cast", "probabilities"), tmp_path).node}
    assert set(nodes["mul"].attr) == {"dtype"}


@pytest.mark.parametrize("name", ["training.pbtxt", "saved_model.pb", "saved_model.pbtxt"])
def test_every_form_of_graph_gives_the_same_file(path: Path, tmp_path: Path, name: str) -> None:
    expected = written(cut(path, "cast", "probabilities"), tmp_path)
    saved = SavedModel(saved_model_schema_version=1)
    saved.meta_graphs.add(graph_def=training_graph()).meta_info_def.tags.append("serve")
    message = saved if name.startswith("saved") else training_graph()
    other = tmp_path / name
    text = name.endswith("txt")
    content = text_format.MessageToString(message).encode() if text else message.SerializeToString()
    other.write_bytes(content)
    assert written(cut(other, "cast", "probabilities"), tmp_path) == expected


def test_the_hash_is_that_of_the_file(path: Path, tmp_path: Path) -> None:
    import hashlib

    digest = write_cut(cut(path, outputs="second"), tmp_path / "m.pb")
    assert digest == hashlib.sha256((tmp_path / "m.pb").read_bytes()).hexdigest()
    assert not (tmp_path / "m.pb.part").exists()


def saved(tmp_path: Path, *signatures: str) -> Path:
    """A SavedModel whose signatures each give ``y<number>`` of ``x``, beside a saver with RestoreV2."""
    whole = SavedModel(saved_model_schema_version=1)
    meta = whole.meta_graphs.add()
    meta.meta_info_def.tags.append("serve")
    nodes = [
        make_placeholder("x", "DT_FLOAT", [-1, 2]),
        make_node("variable", "VarHandleOp", dtype="DT_FLOAT"),
        make_node("y0", "Relu", ["x"], T="DT_FLOAT"),
        make_node("y1", "AddOne", ["x", "variable"]),
        make_placeholder("saver_filename", "DT_STRING", []),
        make_node("restore", "RestoreV2", ["saver_filename"]),
    ]
    meta.graph_def.node.extend(nodes)
    for number, name in enumerate(signatures):
        signature = meta.signature_def[name]
        signature.inputs["x"].name = "x:0"
        signature.inputs["x"].dtype = 1
        signature.outputs["y"].name = f"y{number}:0"
    if not signatures:
        del meta.graph_def.node[1], meta.graph_def.node[2]
    meta.signature_def["__saved_model_init_op"].outputs["init"].name = "restore"
    path = tmp_path / "saved_model.pb"
    path.write_bytes(whole.SerializeToString())
    return path


def test_a_saved_model_is_what_its_signature_needs(tmp_path: Path) -> None:
    path = saved(tmp_path, "serving_default", "train")
    model = cut(path)
    assert (names(model), model.signature, model.unfrozen()) == (["x", "y0"], "serving_default", "")
    assert model.placeholders == (Placeholder("x", "DT_FLOAT", (-1, 2)),)
    assert model.title == tmp_path.name
    assert [node.name for node in written(model, tmp_path).node] == ["x", "y0"]


def test_a_saved_model_whose_signature_needs_variables_has_to_be_frozen(tmp_path: Path) -> None:
    model = cut(saved(tmp_path, "serving_default", "train"), signature="train")
    assert names(model) == ["x", "variable", "y1"]
    assert model.unfrozen() == (
        "its signature 'train' needs 1 variable ('variable'), whose values are in files beside the "
        "graph. Pass the folder that has them all (docs/models.md#freezing)."
    )


@pytest.mark.parametrize(
    ("signatures", "wanted", "message"),
    [
        pytest.param(
            ("a", "b"), "", "it has several signatures; pass SIGNATURE=. Known: a, b.", id="several"
        ),
        pytest.param(
            ("a", "b"), "c", "SIGNATURE=c: there is no such signature. Known: a, b.", id="not there"
        ),
    ],
)
def test_a_signature_that_is_unclear_is_told(
    tmp_path: Path, signatures: tuple[str, ...], wanted: str, message: str
) -> None:
    path = saved(tmp_path, *signatures)
    with pytest.raises(TfcrossError) as caught:
        cut(path, signature=wanted)
    assert str(caught.value) == f"{path}: {message}"


def test_a_saved_model_without_a_signature_is_what_its_last_nodes_need(tmp_path: Path) -> None:
    model = cut(saved(tmp_path))
    assert (names(model), model.outputs, model.signature, model.saved) == (["x", "y0"], ("y0",), "", True)
    assert [node.name for node in written(model, tmp_path).node] == ["x", "y0"]


def test_a_graph_without_outputs_is_cut_to_those_that_are_named(tmp_path: Path) -> None:
    path = tmp_path / "m.pb"
    path.write_bytes(graph_bytes([make_placeholder("x", "DT_FLOAT", [1]), make_node("n", "NoOp", ["^x"])], 1))
    with pytest.raises(TfcrossError) as caught:
        cut(path, "x")
    assert str(caught.value) == f"{path}: no node looks like an output; name the OUTPUTS=."


def test_the_only_signature_needs_no_name(tmp_path: Path) -> None:
    assert cut(saved(tmp_path, "mine")).signature == "mine"


def test_a_plain_graph_has_no_signature(path: Path) -> None:
    with pytest.raises(TfcrossError) as caught:
        cut(path, signature="serving_default")
    assert str(caught.value) == (
        f"{path}: SIGNATURE=serving_default: a plain graph has no signatures; name its OUTPUTS=."
    )
