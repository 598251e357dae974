"""Checkpoints as they are found, read, and refused."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from checkpoint_files import FLOAT, HALF, INT32, STRING, Tensor, floats, write_bundle, write_slice_table

from tfcross.errors import TfcrossError
from tfcross.graph.checkpoints.checkpoint import find_checkpoint, open_checkpoint
from tfcross.graph.checkpoints.slicekeys import slice_key
from tfcross.graph.checkpoints.stored import BadSlice, StoredTensor, parse_slice

ROWS = [([(0, 2), (0, -1)], floats(1, 2, 3, 4)), ([(2, 1), (0, -1)], floats(5, 6))]
TENSORS = {
    "w": Tensor(FLOAT, (2,), floats(1.5, -2)),
    "scalar": Tensor(INT32, (), struct.pack("<i", -7)),
    "empty": Tensor(FLOAT, (0, 3)),
    "half": Tensor(HALF, (2,), b"\0\x3c\0\xc0"),
    "rows": Tensor(FLOAT, (3, 2), slices=ROWS),
}


def opened(prefix: Path) -> dict[str, StoredTensor]:
    place = find_checkpoint(prefix)
    assert place is not None
    return dict(open_checkpoint(place).tensors)


def content(tensor: StoredTensor) -> bytes:
    tensor.require(tensor.extents())
    return b"".join(tensor.read(tensor.extents()))


def whole_contents(tensors: dict[str, StoredTensor]) -> dict[str, bytes]:
    return {name: content(tensor) for name, tensor in sorted(tensors.items())}


EXPECTED = {
    "empty": b"",
    "half": b"\0\x3c\0\xc0",
    "rows": floats(1, 2, 3, 4, 5, 6),
    "scalar": b"\xf9\xff\xff\xff",
    "w": floats(1.5, -2),
}


@pytest.mark.parametrize("snappy", [False, True], ids=["raw", "snappy"])
def test_a_v2_checkpoint_gives_its_tensors(tmp_path: Path, snappy: bool) -> None:
    write_bundle(tmp_path / "model.ckpt-7", TENSORS, snappy=snappy)
    tensors = opened(tmp_path / "model.ckpt-7")
    assert whole_contents(tensors) == EXPECTED
    assert {name: tensor.shape for name, tensor in tensors.items()} == {
        "w": (2,),
        "scalar": (),
        "empty": (0, 3),
        "half": (2,),
        "rows": (3, 2),
    }


def test_a_v1_checkpoint_gives_its_tensors(tmp_path: Path) -> None:
    write_slice_table(tmp_path / "model.ckpt-7", TENSORS)
    assert whole_contents(opened(tmp_path / "model.ckpt-7")) == EXPECTED


def test_the_files_of_a_v1_checkpoint_add_up(tmp_path: Path) -> None:
    upper, lower = ROWS
    write_slice_table(tmp_path / "m-00000-of-00002", {"rows": Tensor(FLOAT, (3, 2), slices=[upper])})
    write_slice_table(tmp_path / "m-00001-of-00002", {"rows": Tensor(FLOAT, (3, 2), slices=[lower])})
    assert whole_contents(opened(tmp_path / "m")) == {"rows": floats(1, 2, 3, 4, 5, 6)}


def test_strings_are_read(tmp_path: Path) -> None:
    texts = [b"a", b"", b"long" * 100]
    write_bundle(tmp_path / "m", {"s": Tensor(STRING, (3,), texts)})
    strings = opened(tmp_path / "m")["s"].strings
    assert strings and strings() == texts


def test_data_in_several_files_is_found(tmp_path: Path) -> None:
    tensors = {"a": Tensor(FLOAT, (1,), floats(1)), "b": Tensor(FLOAT, (1,), floats(2), shard=1)}
    write_bundle(tmp_path / "m", tensors, shards=2)
    assert whole_contents(opened(tmp_path / "m")) == {"a": floats(1), "b": floats(2)}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param("", floats(1, 2, 3, 4, 5, 6), id="all"),
        pytest.param("3 2 0,2:-", floats(1, 2, 3, 4), id="a slice that is stored"),
        pytest.param("3 2 1,2:-", floats(3, 4, 5, 6), id="of two slices"),
        pytest.param("3 2 1,2:1,1", floats(4, 6), id="a column"),
    ],
)
@pytest.mark.parametrize("write", [write_bundle, write_slice_table], ids=["v2", "v1"])
def test_a_partition_is_read_from_the_slices_that_have_it(tmp_path, write, spec, expected) -> None:
    write(tmp_path / "m", {"rows": TENSORS["rows"]})
    tensor = opened(tmp_path / "m")["rows"]
    assert b"".join(tensor.read(parse_slice(spec, tensor.shape))) == expected


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        pytest.param(
            "4 2 0,2:-", "it has the shape [3, 2], and the graph wants a slice of [4, 2]", id="shape"
        ),
        pytest.param("3 2 2,2:-", "a slice [(2, 2), (0, 2)] beyond the shape [3, 2]", id="beyond"),
        pytest.param("3 2 0,2", "a slice of 1 dimensions in a tensor of 2", id="rank"),
        pytest.param("3 x 0,2:-", "no slice: '3 x 0,2:-'", id="no number"),
        pytest.param("3 2 0,2,1:-", "no slice: '3 2 0,2,1:-'", id="three numbers"),
    ],
)
def test_a_slice_that_does_not_fit_is_refused(spec: str, message: str) -> None:
    with pytest.raises(BadSlice) as error:
        parse_slice(spec, (3, 2))
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("extents", "key"),
    [
        pytest.param([], "00 77 0001 00", id="scalar"),
        pytest.param([(0, -1)], "00 77 0001 0101 80 7f", id="all of a dimension"),
        pytest.param([(63, 64)], "00 77 0001 0101 bf c040", id="one and two bytes"),
        pytest.param([(0, 8191), (8192, 300)], "00 77 0001 0102 80 dfff e02000 c12c", id="two and three"),
    ],
)
def test_keys_of_slices_are_in_ordered_code(extents, key: str) -> None:
    assert slice_key("w", extents) == bytes.fromhex(key)


@pytest.mark.parametrize(
    "name",
    [
        "model.ckpt-7",
        "model.ckpt-7.index",
        "model.ckpt-7.meta",
        "model.ckpt-7.data-00000-of-00001",
        "checkpoint",
        ".",
    ],
)
def test_a_checkpoint_is_found_by_each_of_its_names(tmp_path: Path, name: str) -> None:
    write_bundle(tmp_path / "model.ckpt-7", TENSORS)
    (tmp_path / "model.ckpt-7.meta").write_bytes(b"")
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-7"\n')
    place = find_checkpoint(tmp_path / name)
    assert place is not None
    assert place.prefix == tmp_path / "model.ckpt-7"
    assert place.graph == tmp_path / "model.ckpt-7.meta"


def test_a_folder_that_was_moved_still_names_its_checkpoint(tmp_path: Path) -> None:
    write_bundle(tmp_path / "m", TENSORS)
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "/home/ann/run/m"\n')
    place = find_checkpoint(tmp_path)
    assert place is not None and place.prefix == tmp_path / "m"


def test_the_graph_beside_a_checkpoint_without_meta_is_found(tmp_path: Path) -> None:
    write_bundle(tmp_path / "m", TENSORS)
    (tmp_path / "graph.pbtxt").write_text("")
    place = find_checkpoint(tmp_path / "m")
    assert place is not None and place.graph == tmp_path / "graph.pbtxt"


def test_other_files_are_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "model.pb").write_bytes(b"\n\3\n\1x")
    assert find_checkpoint(tmp_path / "model.pb") is None
    assert find_checkpoint(tmp_path) is None
    assert find_checkpoint(tmp_path / "none") is None


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def cut(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


def refused(folder: Path) -> str:
    """The message for the checkpoint "m", less its folder."""
    with pytest.raises(TfcrossError) as error:
        whole_contents(opened(folder / "m"))
    message = str(error.value)
    assert "\n" not in message
    return message.replace(f"{folder}/", "")


def test_a_truncated_index_is_told(tmp_path: Path) -> None:
    write_bundle(tmp_path / "m", TENSORS)
    cut(tmp_path / "m.index", 100)
    assert refused(tmp_path) == (
        "m.index: no checkpoint table, or a truncated one (the last 8 of its 100 bytes are not a "
        "table's); copy "
        "the checkpoint again."
    )


def test_an_empty_index_is_told(tmp_path: Path) -> None:
    write_bundle(tmp_path / "m", TENSORS)
    cut(tmp_path / "m.index", 0)
    assert "truncated one (the last 8 of its 0 bytes" in refused(tmp_path)


def test_a_changed_index_is_told(tmp_path: Path) -> None:
    write_bundle(tmp_path / "m", TENSORS)
    flip(tmp_path / "m.index", 5)
    assert refused(tmp_path) == (
        "m.index: the file is damaged (the block at byte 0: its checksum is wrong); copy the checkpoint "
        "again."
    )


def test_changed_weights_are_told(tmp_path: Path) -> None:
    write_bundle(tmp_path / "m", {"w": TENSORS["w"]})
    flip(tmp_path / "m.data-00000-of-00001", 2)
    assert refused(tmp_path) == (
        "m.data-00000-of-00001: the file is damaged (the checksum of 'w' is wrong); copy the checkpoint "
        "again."
    )


def test_changed_strings_are_told(tmp_path: Path) -> None:
    write_bundle(tmp_path / "m", {"s": Tensor(STRING, (2,), [b"ab", b"c"])})
    flip(tmp_path / "m.data-00000-of-00001", 7)
    strings = opened(tmp_path / "m")["s"].strings
    assert strings
    with pytest.raises(TfcrossError, match="the checksum of 's' is wrong"):
        strings()


def test_truncated_weights_are_told(tmp_path: Path) -> None:
    write_bundle(tmp_path / "m", {"w": TENSORS["w"]})
    cut(tmp_path / "m.data-00000-of-00001", 5)
    assert refused(tmp_path) == (
        "m.data-00000-of-00001: truncated: 'w' should end at byte 8 of 5; copy the checkpoint again."
    )


def test_a_missing_data_file_is_told(tmp_path: Path) -> None:
    write_bundle(tmp_path / "m", TENSORS, shards=2)
    (tmp_path / "m.data-00000-of-00002").unlink()
    assert refused(tmp_path) == (
        "m.data-00000-of-00002: there is no such file, and the checkpoint needs it; copy all of its files."
    )


def test_a_big_endian_checkpoint_is_refused(tmp_path: Path) -> None:
    write_bundle(tmp_path / "m", TENSORS, endianness=1)
    assert refused(tmp_path) == (
        "m.index: written on a big-endian machine; save the checkpoint on a little-endian one."
    )


def test_a_later_version_is_refused(tmp_path: Path) -> None:
    write_bundle(tmp_path / "m", TENSORS, min_consumer=2)
    assert refused(tmp_path) == ("m.index: format version 1 asks for readers of version 2; this one is of 1.")


def test_a_v1_checkpoint_without_all_of_its_files_is_refused(tmp_path: Path) -> None:
    write_slice_table(tmp_path / "m-00000-of-00002", TENSORS)
    assert refused(tmp_path) == "m-00000-of-00002: 1 of its 2 files are there; copy all of them."


def test_a_partition_that_is_not_there_is_told(tmp_path: Path) -> None:
    write_bundle(tmp_path / "m", {"rows": Tensor(FLOAT, (3, 2), slices=ROWS[:1])})
    tensor = opened(tmp_path / "m")["rows"]
    with pytest.raises(BadSlice, match="its slices hold 4 of 6 elements"):
        tensor.require(tensor.extents())


def test_a_list_of_checkpoints_that_names_none_is_told(tmp_path: Path) -> None:
    write_bundle(tmp_path / "other", TENSORS)
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "m"\n')
    with pytest.raises(TfcrossError) as error:
        find_checkpoint(tmp_path)
    assert str(error.value) == (
        f"{tmp_path}/checkpoint: it names the checkpoint 'm', which is not there. In that folder: 'other'."
    )


def test_a_file_of_the_name_checkpoint_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_bytes(b"\xff{")
    with pytest.raises(
        TfcrossError, match="checkpoint: no list of checkpoints; pass a checkpoint's own name"
    ):
        find_checkpoint(tmp_path / "checkpoint")
