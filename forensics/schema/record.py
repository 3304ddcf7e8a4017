"""Summaries as typed records: frozen dataclasses to JSON values and back.

cattrs does the work. Keys that a record does not know are ignored, since a newer version may have written
them; keys that it needs and does not find are an error that names them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar, get_args, get_origin

from forensics.errors import ForensicsError

if TYPE_CHECKING:
    from cattrs import Converter

__all__ = ["JsonObject", "JsonValue", "RecordError", "from_json", "to_json"]

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]
JsonObject = dict[str, JsonValue]
R = TypeVar("R")


class RecordError(ForensicsError):
    """A JSON object is not the record it should be."""


def to_json(record: object) -> JsonObject:
    """Return a record (a dataclass) as a JSON object: words as text, tuples as lists, in field order."""
    value = _converter().unstructure(record)
    if not isinstance(value, dict):
        raise TypeError(f"{type(record).__name__} is no record")
    return value


def from_json(kind: type[R], data: Mapping[str, JsonValue]) -> R:
    """Return `data` as a record of `kind`; `from_json(type(r), to_json(r)) == r`.

    :raises RecordError: If a key is missing or a value has another type.
    """
    from cattrs import ClassValidationError, transform_error

    try:
        return _converter().structure(data, kind)
    except ClassValidationError as error:
        raise RecordError("; ".join(transform_error(error)[:3])) from error


def _converter() -> Converter:
    """Return the one converter, made when it is first needed."""
    global _CONVERTER
    if _CONVERTER is None:
        from cattrs.preconf.json import make_converter

        _CONVERTER = make_converter()
        # A value of JSON stays as it is: the recursive type itself is beyond cattrs.
        _CONVERTER.register_structure_hook_func(_is_any_json, lambda value, _: value)
    return _CONVERTER


def _is_any_json(kind: object) -> bool:
    """Whether `kind` is `JsonValue`, at whatever depth its references are resolved."""
    return {list, dict} <= {get_origin(member) for member in get_args(kind)}


_CONVERTER: Converter | None = None
