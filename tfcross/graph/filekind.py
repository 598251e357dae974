"""What a file is when it is not a graph: the name that its first or last bytes give away."""

from __future__ import annotations

import re
from typing import NamedTuple

from tfcross.errors import TfcrossError

HEAD = 1024
TAIL = 8


class Kind(NamedTuple):
    """``hint`` is what the user can do about it."""

    name: str
    hint: str


_EXPORT = "export it as a SavedModel (model.export, or model.save of old versions) and pass that folder"
_WHOLE = "pass the checkpoint with all of its files, and GRAPH= where its graph is elsewhere"
_ORIGIN = "pass the TensorFlow graph that it was made from"
_UNPACK = "unpack it and pass the .pb or the SavedModel folder in it"
_DOWNLOAD = "the download went wrong; fetch the file itself"
_NO_MODEL = "pass the model's .pb, .pbtxt or SavedModel folder"

# offset, bytes, kind
_MAGIC = (
    (4, b"TFL3", Kind("a TFLite model", _ORIGIN)),
    (0, b"\x89HDF\r\n\x1a\n", Kind("an HDF5 file (Keras weights or model)", _EXPORT)),
    (0, b"PK\x03\x04", Kind("a ZIP archive (also the form of .keras and PyTorch files)", _UNPACK)),
    (0, b"\x1f\x8b", Kind("a gzip file", _UNPACK)),
    (0, b"BZh", Kind("a bzip2 file", _UNPACK)),
    (0, b"\xfd7zXZ\x00", Kind("an xz file", _UNPACK)),
    (0, b"\x28\xb5\x2f\xfd", Kind("a zstd file", _UNPACK)),
    (0, b"7z\xbc\xaf\x27\x1c", Kind("a 7z archive", _UNPACK)),
    (257, b"ustar", Kind("a tar archive", _UNPACK)),
    (0, b"\xff\xd8\xff", Kind("a JPEG image", _NO_MODEL)),
    (0, b"\x89PNG", Kind("a PNG image", _NO_MODEL)),
    (0, b"GIF8", Kind("a GIF image", _NO_MODEL)),
    (0, b"RIFF", Kind("a RIFF file (WAV, AVI or WebP)", _NO_MODEL)),
    (0, b"%PDF", Kind("a PDF document", _NO_MODEL)),
    (0, b"\x93NUMPY", Kind("a NumPy array", _NO_MODEL)),
    (0, b"\x7fELF", Kind("an ELF program or library", _NO_MODEL)),
    (0, b"!<arch>\n", Kind("a static library", _NO_MODEL)),
    (0, b"GGUF", Kind("a GGUF model", _ORIGIN)),
    (0, b"\x80\x02", Kind("a Python pickle", _ORIGIN)),
    (0, b"\x80\x04", Kind("a Python pickle", _ORIGIN)),
    (0, b"version https://git-lfs", Kind("a git-LFS pointer", "run `git lfs pull` and try again")),
    (0, b"model_checkpoint_path:", Kind("a checkpoint's index of names", _WHOLE)),
)
_TABLE_END = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"  # the last 8 bytes of a checkpoint's .index file
_MARKUP = re.compile(rb"\s*<(!doctype|html|head|body|\?xml)", re.IGNORECASE)
_JSON = re.compile(rb"\s*[{\[]\s*[\"\]}{\[\d]")
_SAVED_MODEL, _ONNX = re.compile(rb"\x08\x01\x12"), re.compile(rb"\x08[\x02-\x0f][\x12\x1a\x3a]")
_TEXT = re.compile(
    rb"(?:[ \t\r\n]|\#[^\n]*\n)*"
    rb"(?:node|library|versions?|saved_model_schema_version|meta_graphs)[ \t\r\n]*[:{<]"
)
_NODE = re.compile(rb"\n[\x00-\xff]{1,5}?\n[\x01-\x7f][A-Za-z0-9_.][\w./\\>-]*", re.DOTALL)
_SUFFIXES = {
    ".onnx": Kind("an ONNX model", _ORIGIN),
    ".tflite": Kind("a TFLite model", _ORIGIN),
    ".mlmodel": Kind("a Core ML model", _ORIGIN),
    ".caffemodel": Kind("a Caffe model", _ORIGIN),
    ".h5": Kind("a Keras file", _EXPORT),
    ".meta": Kind("a checkpoint's meta graph, without the weights", _WHOLE),
    ".ckpt": Kind("a checkpoint", _WHOLE),
    ".index": Kind("a checkpoint's index", _WHOLE),
}
_CHECKPOINT_DATA = re.compile(r"\.data-\d+-of-\d+$")


def foreign_kind(head: bytes, tail: bytes) -> Kind | None:
    """The other format that a file is in, by its first ``HEAD`` and last ``TAIL`` bytes."""
    for offset, magic, kind in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return kind
    if tail == _TABLE_END:
        return _SUFFIXES[".index"]
    if _MARKUP.match(head):
        return Kind("an HTML or XML page", _DOWNLOAD)
    if _JSON.match(head):
        return Kind("a JSON file", _EXPORT)
    return _SUFFIXES[".onnx"] if _ONNX.match(head) else None


def _kind_by_name(name: str) -> Kind | None:
    """For formats without a magic number, once no reader understood the bytes."""
    if _CHECKPOINT_DATA.search(name):
        return Kind("a checkpoint's data file", _WHOLE)
    return next((kind for suffix, kind in _SUFFIXES.items() if name.lower().endswith(suffix)), None)


def is_text_graph(name: str, head: bytes) -> bool:
    """Whether to read a file as protobuf's text format: by content, and by name where content allows it."""
    if _TEXT.match(head):
        return True
    return name.endswith((".pbtxt", ".prototxt")) and b"\0" not in head and not _NODE.match(head)


def is_saved_model(name: str, head: bytes) -> bool:
    return bool(_SAVED_MODEL.match(head)) or name == "saved_model.pb"


def starts_like_a_graph(head: bytes) -> bool:
    """Whether the first bytes are those of a node with a name, or of a SavedModel."""
    return bool(_NODE.match(head) or _SAVED_MODEL.match(head))


def not_a_graph(where: str, name: str, head: bytes, tail: bytes, detail: str) -> TfcrossError:
    """The error for a file that no reader understands; ``detail`` is what one of them stumbled over."""
    kind = (
        foreign_kind(head, tail) or _kind_by_name(name) or Kind(f"no TensorFlow graph ({detail})", _NO_MODEL)
    )
    allowed = "allowed are a frozen GraphDef, a SavedModel and a checkpoint"
    return TfcrossError(f"{where}: this is {kind.name}; {allowed}; {kind.hint}.")
