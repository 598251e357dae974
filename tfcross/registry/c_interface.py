"""Registrations through TensorFlow's C interface (``TF_NewKernelBuilder``): a few ops, Bitcast among them.

They are plain function calls, so a preprocessor leaves no marker; here they become the same builder
calls that the C++ macros lead to. A kernel of a function template is one kernel per instantiation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tfcross.registry.cpptext import Call, read_arguments

#: A source that names one of these registers through the C interface.
C_FUNCTIONS = ("TF_NewKernelBuilder", "TF_NewOpDefinitionBuilder")

_OP = "TF_OpDefinitionBuilder"
_KERNEL = "TF_KernelBuilder_"
_CALL = re.compile(
    rf"\b(TF_NewKernelBuilder|{_KERNEL}\w+|TF_RegisterKernelBuilder|"
    rf"TF_NewOpDefinitionBuilder|{_OP}(?:Add|Set)\w+|TF_RegisterOpDefinition)\s*\("
)
_TEMPLATE = re.compile(
    r"template\s*<\s*(?:typename|class)\s+(\w+)\s*>\s*(?:static\s+)?void\s+(\w+)\s*\(\s*\)"
)
_TYPE = re.compile(r"\bDataTypeToEnum<\s*(.*?)\s*>::(?:v\(\)|value)")
_TYPE_NUMBER = re.compile(r"\bTF_([A-Z]\w*)\b")


@dataclass(frozen=True)
class CRegistration:
    """``class_text`` is "" for an op definition; the first of ``calls`` is its Name."""

    class_text: str
    calls: tuple[Call, ...]


def read_c_registrations(text: str) -> Iterator[CRegistration]:
    """Every registration in the preprocessed ``text``, in order."""
    calls: list[Call] = []
    for match in _CALL.finditer(text):
        arguments, _ = read_arguments(text, match.end())
        name = match[1]
        if name in C_FUNCTIONS:
            calls = [Call("Name", "", arguments[:1])]
            calls += [Call("Device", "", arguments[1:2])] if name == "TF_NewKernelBuilder" else []
        elif name == "TF_RegisterKernelBuilder":
            yield from _instances(text, match.start(), CRegistration(arguments[0], tuple(calls)))
        elif name == "TF_RegisterOpDefinition":
            yield CRegistration("", tuple(calls))
        else:
            calls.append(_builder_call(name, arguments[1:]))


def _builder_call(name: str, arguments: tuple[str, ...]) -> Call:
    if name == f"{_KERNEL}TypeConstraint":
        of_type = _TYPE.search(arguments[1])
        if of_type:
            return Call("TypeConstraint", of_type[1], arguments[:1])
        number = _TYPE_NUMBER.fullmatch(arguments[1])
        return Call("TypeConstraint", "", (arguments[0], f"DT_{number[1]}" if number else arguments[1]))
    short = name.removeprefix(_KERNEL).removeprefix(f"{_OP}Add").removeprefix(_OP)
    if short.startswith("SetIs") and arguments == ("false",):
        return Call("Unset", "", ())
    return Call(short, "", arguments)


def _instances(text: str, position: int, registration: CRegistration) -> Iterator[CRegistration]:
    """``registration`` for each type that the function template around ``position`` is called with."""
    templates = list(_TEMPLATE.finditer(text, 0, position))
    parameter, name = templates[-1].groups() if templates else ("", "")
    if parameter not in {call.template for call in registration.calls} - {""}:
        yield registration
        return
    for type_name in re.findall(rf"\b{name}\s*<([^()]*?)>\s*\(\s*\)\s*;", text):
        calls = tuple(
            replace(c, template=type_name) if c.template == parameter else c for c in registration.calls
        )
        yield replace(registration, calls=calls)
