"""Secrets that this run knows, and how to keep them out of all that it prints and stores.

Whoever reads a token or a password tells it to `keep`. Whatever is printed goes through `redacted`, and whatever is
stored of a server's goes through `storable`: a server may repeat anywhere what it was sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from functools import cache
from html import escape
from typing import Any
from urllib.parse import quote, quote_plus, unquote

HIDDEN = "***"
WORD = 8
"""Characters below which a secret in a file may be a word by chance: without "admin" a backup restores nonsense."""
_SCHEME = re.compile(r"https?:/*", re.IGNORECASE)
_known: set[str] = set()


def keep(*secrets: str) -> None:
    """Remember secrets: from now on nobody sees them."""
    _known.update(secret for secret in secrets if secret)
    _pattern.cache_clear()


def keep_address(url: str) -> None:
    """Remember the user info of a URL: as a whole, and its password, encoded or not."""
    info = _user_info(url)[1]
    password = info.partition(":")[2] or info
    keep(info, password, unquote(password))


def forget() -> None:
    """Forget all secrets: another run begins."""
    _known.clear()
    _pattern.cache_clear()


def redacted(text: str) -> str:
    """Return a text without the secrets that are known, however they are quoted or encoded in it."""
    return _pattern(frozenset(_known)).sub(HIDDEN, text) if _known else text


def excerpt(said: object, longest: int) -> str:
    """Return the beginning of what a server said, quoted. What is cut or quoted first could hide half of a secret."""
    return repr(redacted(said if isinstance(said, str) else str(data_redacted(said)))[:longest])


def data_redacted(data: Any, *, keys: bool = True) -> Any:
    """Return JSON without secrets in its texts, and in its keys unless they are obsgen's own."""
    return _walked(data, redacted, keys=keys) if _known else data


def storable(data: Any, public: Callable[[], Iterable[str]] = tuple) -> Any:
    """Return a server's JSON as it may be stored.

    A backup has to restore what was there. So a secret stays that is shorter than `WORD`, or that everybody can read.

    Args:
        data: the JSON.
        public: returns texts that everybody can read.
    """
    longer = [secret for secret in _known if len(secret) >= WORD]
    if not longer:
        return data
    text = json.dumps(data)
    found = [secret for secret in longer if any(json.dumps(form)[1:-1] in text for form in _forms(secret))]
    if found:
        shown = list(public())
        found = [secret for secret in found if not any(secret in each for each in shown)]
    if not found:
        return data
    pattern = _pattern(frozenset(found))
    return _walked(data, lambda each: pattern.sub(HIDDEN, each), keys=True)


def address(url: str) -> str:
    """Return a URL, or what was meant to be one, without its user info, query and fragment.

    A password may have any character in it, and then the URL cannot be parsed: all before the last @ is hidden.
    """
    scheme, info, rest = _user_info(url)
    place = re.split(r"[?#]", rest, maxsplit=1)[0]
    more = f"?{HIDDEN}" if place != rest else ""
    return f"{scheme}{HIDDEN}@{place}{more}" if info else f"{scheme}{place}{more}"


def _user_info(url: str) -> tuple[str, str, str]:
    """Return a URL's scheme with its slashes, all before its last @, and the rest."""
    info, at, rest = url.rpartition("@")
    found = _SCHEME.match(url)
    scheme = found[0] if found else ""
    return (scheme, info[len(scheme) :], rest) if at else (scheme, "", url[len(scheme) :])


def _walked(data: Any, change: Callable[[str], str], *, keys: bool) -> Any:
    if isinstance(data, str):
        return change(data)
    if isinstance(data, dict):
        return {
            (change(k) if keys and isinstance(k, str) else k): _walked(v, change, keys=keys) for k, v in data.items()
        }
    if isinstance(data, list | tuple):
        return [_walked(each, change, keys=keys) for each in data]
    return data


@cache
def _forms(secret: str) -> frozenset[str]:
    """Return how a secret may stand in a text: as it is, in JSON, in Python's quotes, in HTML and XML, in a URL."""
    spelt = {secret}
    # A server quotes it, a message quotes that, and JSON or a traceback quotes the message.
    for _ in range(3):
        quoted = {text.replace("\\", "\\\\") for text in spelt}
        spelt |= quoted | {text.replace("'", "\\'") for text in quoted}
        spelt |= {json.dumps(text, ensure_ascii=plain)[1:-1] for text in spelt for plain in (True, False)}
    spelt |= {escape(secret, quote=False), escape(secret)}
    # What stands in an address may have been quoted before, and may be a part of an address in an address.
    for _ in range(2):
        spelt |= {form for text in spelt for form in (quote(text), quote(text, safe=""), quote_plus(text))}
    return frozenset(spelt)


@cache
def _pattern(secrets: frozenset[str]) -> re.Pattern[str]:
    forms = {form for secret in secrets for form in _forms(secret)}
    return re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)))
