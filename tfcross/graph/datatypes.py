"""TensorFlow's DataType numbers under the names that op definitions, protos and C++ use for them."""

from __future__ import annotations

from collections.abc import Iterable

#: The name in op definitions ("float" in "T: {float}") to the number in graphs (types.proto).
NUMBERS = {
    "float": 1,
    "double": 2,
    "int32": 3,
    "uint8": 4,
    "int16": 5,
    "int8": 6,
    "string": 7,
    "complex64": 8,
    "int64": 9,
    "bool": 10,
    "qint8": 11,
    "quint8": 12,
    "qint32": 13,
    "bfloat16": 14,
    "qint16": 15,
    "quint16": 16,
    "uint16": 17,
    "complex128": 18,
    "half": 19,
    "resource": 20,
    "variant": 21,
    "uint32": 22,
    "uint64": 23,
    "float8_e5m2": 24,
    "float8_e4m3fn": 25,
}
#: Bytes of one element; types that are not here (string, resource, variant) have none of a fixed size.
SIZES = {
    **dict.fromkeys(("uint8", "int8", "bool", "qint8", "quint8", "float8_e5m2", "float8_e4m3fn"), 1),
    **dict.fromkeys(("int16", "uint16", "qint16", "quint16", "half", "bfloat16"), 2),
    **dict.fromkeys(("float", "int32", "uint32", "qint32"), 4),
    **dict.fromkeys(("double", "int64", "uint64", "complex64"), 8),
    "complex128": 16,
}
#: A reference to a value of type N has the number N + REF_OFFSET.
REF_OFFSET = 100

_NAMES = {number: name for name, number in NUMBERS.items()}
_SPEC_ALIASES = {"float16": "half", "float32": "float", "float64": "double"}
_CPP_ALIASES = {
    "tstring": "string",
    "std::string": "string",
    "ResourceHandle": "resource",
    "Variant": "variant",
    "Eigen::half": "half",
    "Eigen::bfloat16": "bfloat16",
    "std::complex<float>": "complex64",
    "std::complex<double>": "complex128",
    "complex<float>": "complex64",
    "complex<double>": "complex128",
    **{f"{sign}int{bits}_t": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
    **{f"std::{sign}int{bits}_t": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}


def spec_number(name: str) -> int | None:
    """The number of ``name`` as written in an op definition ("float32", "int32_ref"), or None."""
    base = name.removesuffix("_ref")
    number = NUMBERS.get(_SPEC_ALIASES.get(base, base))
    return number + REF_OFFSET if number and base != name else number


def enum_number(name: str) -> int | None:
    """The number of an enumerator ("DT_FLOAT", "tensorflow::DT_INT32_REF"), or None."""
    name = name.strip().rpartition("::")[2]
    return spec_number(name[3:].lower()) if name.startswith("DT_") else None


def cpp_number(name: str) -> int | None:
    """The number of a C++ type as a template argument spells it (" ::tensorflow::bfloat16"), or None."""
    plain = "".join(name.split()).removeprefix("::").removeprefix("tensorflow::").removeprefix("tsl::")
    return NUMBERS.get(_CPP_ALIASES.get(plain, plain))


def type_name(number: int) -> str:
    """The name for people: "float", "float_ref"; the number itself where no release names it."""
    if REF_OFFSET < number < 2 * REF_OFFSET:
        return f"{type_name(number - REF_OFFSET)}_ref"
    return _NAMES.get(number, str(number))


def type_names(numbers: Iterable[int]) -> str:
    """The names of ``numbers`` in their order, "float, int32"; "none" for none."""
    return ", ".join(type_name(number) for number in numbers) or "none"
