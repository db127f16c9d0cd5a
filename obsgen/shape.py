"""Definitions have the shape that their annotations say, also for authors who do not run mypy."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Union, get_args, get_origin, get_type_hints

from obsgen.errors import DefinitionError

_SINGLE = (str, bytes, Mapping)


def conform(definition: Any) -> None:
    """Check every field of a frozen dataclass against its annotation, and turn its sequences into tuples.

    Raises:
        DefinitionError: a field holds something else.
    """
    for name, hint in _hints(type(definition)).items():
        value = getattr(definition, name)
        if get_origin(hint) is Sequence and not isinstance(value, tuple):
            value = _as_tuple(definition, name, value)
        wrong = _misfit(value, hint)
        if wrong is not None:
            held = repr(wrong[0])
            what = f"{type(definition).__name__}(name={definition.name!r})" if hasattr(definition, "name") else ""
            raise DefinitionError(
                f"{name} of {what or type(definition).__name__} is {held if len(held) < 80 else held[:77] + '...'}",
                f"it takes {_described(hint)}",
            )


def _as_tuple(definition: Any, name: str, value: Any) -> Any:
    if isinstance(value, _SINGLE) or not hasattr(value, "__iter__"):
        return value
    value = tuple(value)
    object.__setattr__(definition, name, value)
    return value


_HINTS: dict[type, dict[str, Any]] = {}


def _hints(kind: type) -> dict[str, Any]:
    if kind not in _HINTS:
        hints = get_type_hints(kind)
        _HINTS[kind] = {field.name: hints[field.name] for field in fields(kind)}
    return _HINTS[kind]


def _misfit(value: Any, hint: Any) -> tuple[Any] | None:
    """Return the part of a value that does not fit an annotation, in a tuple, or None if all of it does."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        misfits = [_misfit(value, option) for option in get_args(hint)]
        return None if None in misfits else misfits[-1]
    if origin in (Sequence, tuple):
        if not isinstance(value, tuple | list):
            return (value,)
        return next((wrong for each in value if (wrong := _misfit(each, get_args(hint)[0]))), None)
    if origin is not None and issubclass(origin, Mapping):
        return None if isinstance(value, Mapping) else (value,)
    if hint is float:
        return None if isinstance(value, int | float) and not isinstance(value, bool) else (value,)
    if hint is int and isinstance(value, bool):
        return (value,)
    return None if hint is Any or origin is not None or isinstance(value, hint) else (value,)


def _described(hint: Any) -> str:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(_described(option) for option in args)
    if origin in (Sequence, tuple):
        return f"a list of {_described(args[0])}"
    if origin is not None:
        return "a mapping"
    names = {str: "text", float: "a number", int: "a whole number", bool: "True or False", type(None): "None"}
    return names.get(hint, str(getattr(hint, "__name__", hint)))
