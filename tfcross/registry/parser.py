"""The registrations in a preprocessed source: our markers and the builder calls around them.

The stub headers leave ``tfcross_kernel(is_system, "class text", builder calls)``,
``tfcross_op(is_system, name).Attr("…")…`` and ``tfcross_gradient(name, creator)``. Registrations
through the C interface are read as they stand.
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from tfcross.graph.datatypes import cpp_number, enum_number
from tfcross.registry.c_interface import CRegistration, read_c_registrations
from tfcross.registry.constants import Constants
from tfcross.registry.cpptext import Call, find_marks, list_items, read_calls
from tfcross.registry.opdef import BadSpec, OpDef, TypeSets, parse_argument, parse_attr, with_least_lengths

#: The names for sets of types, which core/framework/types.h defines.
SETS = ("numbertype", "quantizedtype", "realnumbertype")

REMEDY = "Correct that source (SOURCE_tensorflow=…), or report it."
_RESOURCE = 20
_BUILDER = re.compile(r"[\w:\s]*\bName\s*\(")
_TYPE_SET = re.compile(r"\bk?(Number|RealNumber|Quantized)Types\b[^;{}]*[={]([^;]*);")
_ENUMERATOR = re.compile(r"\bDT_\w+")
_NAME = re.compile(r'\bName\s*\(\s*"(\w+)"')
_LITERAL = re.compile(r'\s*"(\w+)"\s*')


@dataclass(frozen=True)
class Problem:
    """A registration that is missing: of ``op`` in ``file``; "" is an op that could not be told.

    ``what`` says why. ``twice``: it was read, but the op has another definition already.
    """

    file: str
    op: str
    what: str
    twice: bool = False

    def __str__(self) -> str:
        return f"{self.file}: {self.what}"


@dataclass(frozen=True)
class Kernel:
    """One kernel registration.

    ``device`` is the string ("CPU", "DEFAULT"); ``constraints`` are the DataType numbers that a type
    attr may have, ``values`` the same for other attrs, both as (attr, allowed); ``class_text`` is what
    the registration macro makes of the class, to the space; ``label`` is the C++ expression where the
    source computes it. ``file`` is relative to the include root. A ``system`` kernel is registered
    whatever ops_to_register.h says.
    """

    op: str
    device: str
    label: str
    priority: int
    constraints: tuple[tuple[str, tuple[int, ...]], ...]
    host_memory: tuple[str, ...]
    class_text: str
    file: str
    system: bool
    values: tuple[tuple[str, tuple[int | bool | str, ...]], ...] = ()

    @property
    def on_cpu(self) -> bool:
        """Whether it can run on the CPU: it is for it, or for any device."""
        return self.device in ("CPU", "DEFAULT")


@dataclass
class Found:
    """What one or more sources register; ``problems`` are what could not be understood.

    ``sets`` are the types behind the names that op definitions give to sets of them.
    """

    ops: list[OpDef] = field(default_factory=list)
    kernels: list[Kernel] = field(default_factory=list)
    gradients: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    sets: TypeSets = field(default_factory=dict)


class _Unreadable(ValueError):
    """The expression that could not be understood."""


def type_sets(text: str) -> dict[str, tuple[int, ...]]:
    """The sets of types that op definitions name, from the preprocessed core/framework/types.h."""
    sets = {}
    for name, body in _TYPE_SET.findall(text):
        numbers = {enum_number(enumerator) for enumerator in _ENUMERATOR.findall(body)}
        if numbers:
            sets[f"{name.lower()}type"] = tuple(sorted(number for number in numbers if number is not None))
    return sets


@contextlib.contextmanager
def _problems_of(file: str, registrations: Found, op: str = "") -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        registrations.problems.append(Problem(file, op, " ".join(str(error).split())))


def _named(pattern: re.Pattern[str], text: str) -> str:
    """The op that ``pattern`` finds in ``text`` as a literal; "" if it is none."""
    match = pattern.search(text)
    return match[1] if match else ""


class RegistrationParser:
    """Reads the markers of many files; ``constants`` and ``sets`` are those of the whole tree."""

    def __init__(self, constants: Constants, sets: TypeSets) -> None:
        self._constants = constants
        self._sets = sets
        self._parse_attr = functools.cache(lambda spec: parse_attr(spec, sets))

    def parse(self, file: str, text: str, registrations: Found) -> None:
        """Add to ``registrations`` what the preprocessed ``text`` of ``file`` registers."""
        with _problems_of(file, registrations):
            for arguments, _ in find_marks(text, "tfcross_kernel"):
                with _problems_of(file, registrations, _named(_NAME, ", ".join(arguments[2:]))):
                    registrations.kernels.append(self._kernel(file, arguments))
            for arguments, end in find_marks(text, "tfcross_op"):
                with _problems_of(file, registrations, _named(_LITERAL, arguments[1])):
                    registrations.ops.append(self._op(file, arguments, read_calls(text, end)[0]))
            for arguments, _ in find_marks(text, "tfcross_gradient"):
                with _problems_of(file, registrations):
                    registrations.gradients.append(self._text(arguments[0], file))
            for registration in read_c_registrations(text):
                with _problems_of(
                    file, registrations, _named(_LITERAL, ", ".join(registration.calls[0].arguments[:1]))
                ):
                    self._add_c_registration(file, registration, registrations)

    def _add_c_registration(self, file: str, registration: CRegistration, registrations: Found) -> None:
        calls = registration.calls
        if registration.class_text:
            registrations.kernels.append(self._built(file, registration.class_text, "false", calls))
        else:
            registrations.ops.append(self._op(file, ("false", *calls[0].arguments), calls[1:]))

    def _text(self, expression: str, file: str) -> str:
        value = self._constants.value(expression, file)
        if value is None:
            raise _Unreadable(f"{expression} is no string that the sources tell")
        return value

    def _kernel(self, file: str, arguments: tuple[str, ...]) -> Kernel:
        system, quoted, builder = arguments[0], arguments[1], ", ".join(arguments[2:])
        start = _BUILDER.match(builder)
        if not start:
            raise _Unreadable(f"kernel builder {builder}")
        chain = f".Name({builder[start.end() :]}"
        calls, end = read_calls(chain, 0)
        if chain[end:].strip():
            raise _Unreadable(f"'{chain[end:].strip()}' behind the kernel builder {builder}")
        return self._built(file, quoted, system, calls)

    def _built(self, file: str, quoted_class: str, system: str, calls: Iterable[Call]) -> Kernel:
        class_text = self._text(quoted_class, file)
        kernel = Kernel("", "", "", 0, (), (), class_text, file, _truth(system))
        for call in calls:
            kernel = self._with_call(kernel, call)
        if not kernel.device:
            raise _Unreadable(f"kernel {kernel.op}: no device")
        return kernel

    def _with_call(self, kernel: Kernel, call: Call) -> Kernel:
        first = call.arguments[0] if call.arguments else ""
        match call.name:
            case "Name":
                return replace(kernel, op=self._text(first, kernel.file))
            case "Device":
                return replace(kernel, device=self._text(first, kernel.file))
            case "Label":
                return replace(kernel, label=self._constants.value(first, kernel.file) or first)
            case "Priority":
                return replace(kernel, priority=_integer(first))
            case "HostMemory":
                return replace(kernel, host_memory=(*kernel.host_memory, self._text(first, kernel.file)))
            case "TypeConstraint" | "AttrConstraint":
                return self._with_constraint(kernel, self._text(first, kernel.file), call)
        raise _Unreadable(f"kernel {kernel.op}: unknown builder call {call.name}")

    def _with_constraint(self, kernel: Kernel, attr: str, call: Call) -> Kernel:
        items = list_items(call.arguments[1]) if len(call.arguments) > 1 else ()
        if call.name == "TypeConstraint":
            numbers = [enum_number(i) for i in items] if items else [cpp_number(call.template)]
            if None in numbers:
                shown = call.template or ", ".join(items)
                raise _Unreadable(f"kernel {kernel.op}: unknown type {shown} of {attr}")
            allowed = tuple(number for number in numbers if number is not None)
            return replace(kernel, constraints=(*kernel.constraints, (attr, allowed)))
        types = tuple(number for item in items if (number := enum_number(item)) is not None)
        if types and len(types) == len(items):
            return replace(kernel, constraints=(*kernel.constraints, (attr, types)))
        values = tuple(self._plain(item, kernel.file) for item in items)
        return replace(kernel, values=(*kernel.values, (attr, values)))

    def _plain(self, expression: str, file: str) -> int | bool | str:
        if expression in ("true", "false"):
            return expression == "true"
        return int(expression) if re.fullmatch(r"-?\d+", expression) else self._text(expression, file)

    def _op(self, file: str, arguments: tuple[str, ...], calls: Sequence[Call]) -> OpDef:
        op = OpDef(self._text(arguments[1], file), file, system=_truth(arguments[0]))
        try:
            return self._with_specs(op, calls)
        except (_Unreadable, BadSpec) as error:
            raise BadSpec(f"op {op.name}: {error}") from error

    def _with_specs(self, op: OpDef, calls: Sequence[Call]) -> OpDef:
        attrs = [self._parse_attr(spec) for spec in self._specs(op.file, calls, "Attr")]
        inputs = tuple(parse_argument(spec, attrs) for spec in self._specs(op.file, calls, "Input"))
        outputs = tuple(parse_argument(spec, attrs) for spec in self._specs(op.file, calls, "Output"))
        names = [call.name.removeprefix("Set") for call in calls]
        # The runtime takes an op with a resource argument for stateful, whatever its definition says.
        resource = any(argument.type == _RESOURCE for argument in inputs + outputs)
        removed = next((call.arguments for call in calls if call.name == "Deprecated"), None)
        return replace(
            op,
            attrs=with_least_lengths(attrs, inputs + outputs),
            inputs=inputs,
            outputs=outputs,
            stateful=resource or not {"IsStateful", "DoNotOptimize"}.isdisjoint(names),
            flags=tuple(sorted({"IsCommutative", "IsAggregate", "AllowsUninitializedInput"} & set(names))),
            removed=_integer(removed[0]) if removed else 0,
            removed_why=self._text(", ".join(removed[1:]), op.file) if removed else "",
        )

    def _specs(self, file: str, calls: Sequence[Call], name: str) -> Iterator[str]:
        for call in calls:
            if call.name == name:
                yield self._text(", ".join(call.arguments), file)


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise _Unreadable(f"'{text}' is neither true nor false")
    return text == "true"


def _integer(text: str) -> int:
    if not re.fullmatch(r"-?\d+", text):
        raise _Unreadable(f"priority {text}")
    return int(text)
