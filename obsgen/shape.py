"""Definitions have the shape that their annotations say, also for authors who do not run mypy."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Union, get_args, get_origin, get_type_hints

from obsgen.errors import DefinitionError

_SINGLE = (str, bytes, Mapping)
Fits = Callable[[Any], bool]


def conform(definition: Any) -> None:
    """Check every field of a frozen dataclass against its annotation, and turn its sequences into tuples.

    Raises:
        DefinitionError: a field holds something else.
    """
    for name, hint, fits in _fields(type(definition)):
        value = getattr(definition, name)
        if isinstance(value, list) or (get_origin(hint) is Sequence and not isinstance(value, tuple)):
            value = _as_tuple(definition, name, value)
        if not fits(value):
            _refuse(definition, name, hint, value)


def _refuse(definition: Any, name: str, hint: Any, value: Any) -> None:
    held = shown(_misfit(value, hint))
    of = type(definition).__name__ + (f"(name={definition.name!r})" if hasattr(definition, "name") else "")
    raise DefinitionError(f"{name} of {of} is {held}", f"it takes {_described(hint)}")


def shown(value: Any) -> str:
    """Return a value as a message shows it: on one line, cut where it is long, by its type where it fails to say."""
    try:
        held = ascii(value)
    except BaseException:  # what a definition's own __repr__ raises hides the mistake that is to be told
        held = f"a {type(value).__name__} whose __repr__ fails"
    held = " ".join(held.split())
    return held if len(held) < 80 else held[:77] + "..."


def _as_tuple(definition: Any, name: str, value: Any) -> Any:
    if isinstance(value, _SINGLE) or not hasattr(value, "__iter__"):
        return value
    value = tuple(value)
    object.__setattr__(definition, name, value)
    return value


_FIELDS: dict[type, list[tuple[str, Any, Fits]]] = {}


def _fields(kind: type) -> list[tuple[str, Any, Fits]]:
    if kind not in _FIELDS:
        hints = get_type_hints(kind)
        _FIELDS[kind] = [(field.name, hints[field.name], _fits(hints[field.name])) for field in fields(kind)]
    return _FIELDS[kind]


def _fits(hint: Any) -> Fits:
    """Return a function that tells whether a value fits an annotation."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        options = [_fits(option) for option in args]
        return lambda value: any(fits(value) for fits in options)
    if origin in (Sequence, tuple):
        fits = _fits(args[0])
        return lambda value: isinstance(value, tuple) and all(map(fits, value))
    if origin is not None and issubclass(origin, Mapping):
        keys, values = map(_fits, args)
        return lambda value: isinstance(value, Mapping) and all(map(keys, value)) and all(map(values, value.values()))
    if hint is str:
        return _is_text
    if hint is float:
        return lambda value: isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return lambda value: isinstance(value, int) and not isinstance(value, bool)
    kind = origin or hint
    return lambda value: isinstance(value, kind)


def _is_text(value: Any) -> bool:
    """Return whether a value is a plain string that can be written to a file: no subclass, no half of a character."""
    return type(value) is str and (value.isascii() or not any("\ud800" <= char <= "\udfff" for char in value))


def _misfit(value: Any, hint: Any) -> Any:
    """Return the part of a value that does not fit its annotation: of a list, the first wrong element."""
    if get_origin(hint) in (Sequence, tuple) and isinstance(value, tuple):
        fits = _fits(get_args(hint)[0])
        return next((each for each in value if not fits(each)), value)
    return value


def _described(hint: Any) -> str:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(_described(option) for option in args)
    if origin in (Sequence, tuple):
        return f"a list of {_described(args[0])}"
    if origin is not None:
        return f"a mapping from {_described(args[0])} to {_described(args[1])}"
    names = {str: "text", float: "a number", int: "a whole number", bool: "True or False", type(None): "None"}
    return names.get(hint, str(getattr(hint, "__name__", hint)))
