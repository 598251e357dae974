"""The project's YAML data: read, checked against closed JSON schemas (``tfcross/schemas/``), merged."""

from __future__ import annotations

import functools
import re
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from tfcross.errors import TfcrossError, known, quoted

SCHEMAS = Path(__file__).parent / "schemas"
#: Most bytes, nested collections and aliases of a data file: a few lines of YAML can stand for gigabytes.
MOST_BYTES, MOST_DEPTH, MOST_ALIASES = 4_000_000, 50, 200


class _PlaceError(yaml.YAMLError):
    """A key that YAML allows and the data files do not, or a value that is none of its type."""


class _LimitError(yaml.YAMLError):
    """More than a data file may have."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML as the data files use it: keys are strings, and none is given twice."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError) as error:  # of 2001-99-99, `!!bool x`
            where = f"line {node.start_mark.line + 1}: {quoted(str(node.value))}"
            kind = node.tag.removeprefix("tag:yaml.org,2002:")
            raise _PlaceError(f"{where} is no {kind}; quote it if it is a text") from error

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        own = [key for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        for index, key in enumerate(own):
            where = f"line {key.start_mark.line + 1}: key {key.value}"
            if key.tag != "tag:yaml.org,2002:str":
                raise _PlaceError(f'{where} is no string; quote it, as in "9.0"')
            if key.value in (other.value for other in own[:index]):
                raise _PlaceError(f"{where} is given twice")
        return dict(super().construct_mapping(node, deep))


def _pattern(validator: Any, pattern: str, instance: object, schema: object) -> Iterator[Any]:
    """The keyword as JSON Schema means it: ``$`` is the end of the text, not a place before a line break."""
    end = f"{pattern[:-1]}\\Z" if pattern.endswith("$") else pattern
    if isinstance(instance, str) and not re.search(end, instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


_extend: Any = jsonschema.validators.extend
_Validator = _extend(jsonschema.Draft202012Validator, {"pattern": _pattern})


@functools.cache
def _validator(name: str) -> Any:
    path = next(SCHEMAS.glob(f"{name}.*"))  # .json where others than this project are to read it
    return _Validator(yaml.safe_load(path.read_text()))


def load_document(path: Path, schema: str, shown: str = "") -> dict[str, Any]:
    """The YAML mapping in ``path``, valid under ``schemas/<schema>.yaml``.

    ``shown`` is how errors name the file (default: its last two components). Raises TfcrossError
    for a file that cannot be read, is not YAML, or breaks a rule; the first broken rule is told.
    """
    shown = shown or "/".join(path.parts[-2:])
    try:
        document = _bounded(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TfcrossError(f"{shown}: cannot be read: {error.strerror}.") from error
    except _PlaceError as error:
        raise TfcrossError(f"{shown}: {error}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).replace('in "<unicode string>", ', "").split())
        raise TfcrossError(f"{shown}: not YAML: {reason}.") from error
    validate(document, schema, shown)
    return dict(document)


def _bounded(text: str) -> Any:
    """The document in ``text``; _LimitError for one that is too large, too deep or has many aliases."""
    if len(text) > MOST_BYTES:
        raise _LimitError(f"{len(text)} characters; at most {MOST_BYTES} are allowed")
    depth = aliases = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        aliases += isinstance(event, yaml.AliasEvent)
        if depth > MOST_DEPTH:
            raise _LimitError(f"nested more than {MOST_DEPTH} deep")
        if aliases > MOST_ALIASES:
            raise _LimitError(f"more than {MOST_ALIASES} aliases")
    return yaml.load(text, Loader=_Loader)


def validate(document: object, schema: str, shown: str) -> None:
    """Raise TfcrossError with the first rule of ``schema`` that ``document`` breaks."""
    errors = sorted(_validator(schema).iter_errors(document), key=lambda e: [str(p) for p in e.absolute_path])
    if errors:
        raise TfcrossError(f"{shown}: {_one_line(errors[0])}")


def _one_line(error: jsonschema.ValidationError) -> str:
    where = ".".join(str(part) for part in error.absolute_path)
    prefix = f"{where}: " if where else ""
    if error.validator == "additionalProperties" and isinstance(error.instance, Mapping):
        allowed = error.schema.get("properties", {}) if isinstance(error.schema, Mapping) else {}
        unknown = next(key for key in error.instance if key not in allowed)
        return f"{prefix}unknown key '{unknown}'. {known(allowed)}"
    if error.validator == "enum":
        return f"{prefix}'{error.instance}' is not allowed. {known(error.validator_value)}"
    if error.validator == "type":
        quote = '; quote versions, as in "9.0"' if isinstance(error.instance, int | float) else ""
        return f"{prefix}{error.instance!r} is not of type {error.validator_value}{quote}."
    return f"{prefix}{error.message}."


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` extended by ``over``: lists append, mappings merge by key, scalars are replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, list) and isinstance(value, list):
            merged[key] = [*below, *value]
        elif isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = merge(below, value)
        else:
            merged[key] = value
    return merged
