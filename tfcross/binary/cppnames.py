"""Demangled C++ names: the scope and name that a symbol stands for."""

from __future__ import annotations

import re

#: ``scope`` is the innermost class or "", ``name`` the function, operator or variable.
Key = tuple[str, str]
_OF_OTHER = re.compile(r"^(?:(?:non-virtual|virtual) thunk to|TLS (?:init|wrapper) function for) ")
_OPERATOR = re.compile(
    r"\boperator(?:\s*(\(\)|\[\]|<<=?|>>=?|<=>|->\*?|&&|\|\||\+\+|--|[-+*/%^&|~!=<>]=?|,)"
    r"|\s+([A-Za-z_][\w:]*(?: \w+)*(?:\s*[*&]+)?))"
)


def symbol_key(symbol: str) -> Key:
    """``tensorflow::functor::Fill<Device, int>::operator()(int) const`` → ``("Fill", "operator ()")``.

    The scope of a function outside of a class is its namespace: the index does not know which is which.
    """
    symbol = _OF_OTHER.sub("", symbol).replace("[abi:cxx11]", "")
    symbol = symbol.replace("(anonymous namespace)", "__anon")
    operator = _outer_operator(symbol)
    if operator:
        scope = without_brackets(symbol[: operator.start()]).removesuffix("::")
        return _last(scope), operator_name(operator[1] or operator[2])
    scope, _, name = without_brackets(symbol).split(" ")[-1].rpartition("::")
    return _last(scope), name


def operator_name(what: str) -> str:
    """As the index has it: ``operator ==``, and ``operator Name`` of a conversion to ``scope::Name<T>``."""
    what = what.strip()
    return f"operator {_last(without_brackets(what)) if what[0].isalpha() and '::' in what else what}"


def _outer_operator(symbol: str) -> re.Match[str] | None:
    """The operator that the symbol is; one among template arguments or parameters is none."""
    for match in _OPERATOR.finditer(symbol):
        before = symbol[: match.start()]
        if before.count("<") == before.count(">") and before.count("(") == before.count(")"):
            return match
    return None


def _last(scope: str) -> str:
    return scope.split(" ")[-1].rpartition("::")[2]


def without_brackets(text: str) -> str:
    """``text`` up to its parameter list, without template arguments."""
    out, depth = [], 0
    for char in text:
        if char == "<":
            depth += 1
        elif char == ">":
            depth -= 1
        elif depth == 0:
            if char == "(":
                break
            out.append(char)
    return "".join(out).strip()
