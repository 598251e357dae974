"""Read the project's YAML data, checked against closed JSON schemas (``tfcross/schemas/``)."""

from __future__ import annotations

import functools
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from .errors import TfcrossError, known

SCHEMAS = Path(__file__).parent / "schemas"


class _KeyError(yaml.YAMLError):
    """A key that YAML allows and the data files do not."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML as the data files use it: keys are strings, and none is given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        own = [key for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        for index, key in enumerate(own):
            where = f"line {key.start_mark.line + 1}: key {key.value}"
            if key.tag != "tag:yaml.org,2002:str":
                raise _KeyError(f'{where} is no string; quote it, as in "9.0"')
            if key.value in (other.value for other in own[:index]):
                raise _KeyError(f"{where} is given twice")
        return dict(super().construct_mapping(node, deep))


@functools.cache
def _validator(name: str) -> jsonschema.Draft202012Validator:
    path = next(SCHEMAS.glob(f"{name}.*"))  # .json where others than this project are to read it
    return jsonschema.Draft202012Validator(yaml.safe_load(path.read_text()))


def load_document(path: Path, schema: str, shown: str = "") -> dict[str, Any]:
    """The YAML mapping in ``path``, valid under ``schemas/<schema>.yaml``.

    ``shown`` is how errors name the file (default: its last two components). Raises TfcrossError
    for a file that cannot be read, is not YAML, or breaks a rule; the first broken rule is told.
    """
    shown = shown or "/".join(path.parts[-2:])
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except OSError as error:
        raise TfcrossError(f"{shown}: cannot be read: {error.strerror}.") from error
    except _KeyError as error:
        raise TfcrossError(f"{shown}: {error}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).replace('in "<unicode string>", ', "").split())
        raise TfcrossError(f"{shown}: not YAML: {reason}.") from error
    validate(document, schema, shown)
    return dict(document)


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
