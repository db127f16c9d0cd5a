"""Where a Grafana is, who asks, and what goes where: an environment of `pyproject.toml` and of the shell.

Secrets come from the shell's environment or from a file that it names, and are shown nowhere.
"""

from __future__ import annotations

import base64
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from obsgen.errors import ObsgenError
from obsgen.secrets import HIDDEN, address, keep, keep_address

TABLE = "tool.obsgen.grafana"
CONNECTIONS = 8
_PLACE = ("url", "org_id", "token_env", "prefix")
"""Settings of which at least one differs between any two environments."""
_PREFIX = re.compile(r"[A-Za-z0-9_-]{1,20}")


class Secret:
    """A text that shows itself to nobody who does not ask for it by name."""

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text."""
        return self._text

    def __repr__(self) -> str:
        return HIDDEN


@dataclass(frozen=True, slots=True)
class Environment:
    """A Grafana, and what of the catalog goes where in it.

    Attributes:
        name: what people call it: the table in pyproject.toml.
        url: its address, with a sub-path if it has one, without a slash at the end.
        token: of a service account.
        user: for basic authentication, where there is no token.
        password: of that user.
        org_id: the organisation, for a user of several; a token belongs to one.
        folder: title of the folder of the dashboards; the project's title when empty.
        folder_uid: its uid; made of the catalog's name when empty.
        docs: whether the docs are pushed, too.
        datasource: uid or name of the Prometheus that the dashboards read; the only one there when empty.
        prefix: stands before the uids: several environments beside each other in one organisation.
        ca_cert: file with the certificate of the authority that signed the server's.
        extra_headers: further headers, for a proxy in front of it.
        connections: how many requests are made at once.
        preview: name of a preview, which stands behind uids and titles.
    """

    name: str
    url: str
    token: Secret | None = None
    user: str = ""
    password: Secret | None = None
    org_id: int | None = None
    folder: str = ""
    folder_uid: str = ""
    docs: bool = True
    datasource: str = ""
    prefix: str = ""
    ca_cert: str = ""
    extra_headers: Mapping[str, Secret] = field(default_factory=dict)
    connections: int = CONNECTIONS
    preview: str = ""

    def headers(self) -> dict[str, str]:
        """Return the headers that say who asks."""
        said = {name: secret.reveal() for name, secret in self.extra_headers.items()}
        if self.org_id is not None:
            said["X-Grafana-Org-Id"] = str(self.org_id)
        if self.token is not None:
            said["Authorization"] = f"Bearer {self.token.reveal()}"
        elif self.password is not None:
            pair = f"{self.user}:{self.password.reveal()}".encode()
            said["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        return said

    def keep_secrets(self) -> None:
        """Remember what nobody may see: a server may repeat what it was sent."""
        known = [s.reveal() for s in (self.token, self.password, *self.extra_headers.values()) if s is not None]
        # The user and the password are sent as one text.
        keep(*known, self.headers().get("Authorization", "").partition(" ")[2])


class SettingsError(ObsgenError):
    """The settings do not say where Grafana is, or who asks, or contradict each other."""


def environment(
    name: str | None, shell: Mapping[str, str], default_url: str, pyproject: Path = Path("pyproject.toml")
) -> Environment:
    """Return an environment by its name; the only one when that is left out.

    Args:
        name: a table under `tool.obsgen.grafana`.
        shell: the shell's environment: `GRAFANA_URL`, `GRAFANA_TOKEN` and others.
        default_url: the address where nothing else says it: that of the catalog.
        pyproject: the file with the tables; it need not exist.

    Raises:
        SettingsError: there is no such environment, or its settings cannot be used.
    """
    known = _tables(pyproject)
    if name is None and len(known) > 1:
        raise SettingsError(f"{pyproject} has the environments {', '.join(known)}\n    name one with --env")
    chosen = name if name is not None else next(iter(known), "default")
    if name is not None and name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"add a table [{TABLE}.{name}] to {pyproject}"
        raise SettingsError(f"there is no environment {name!r}\n    {hint}")
    _check_apart(chosen, known, pyproject)
    table = _Table(f"{pyproject}: [{TABLE}.{chosen}]", dict(known.get(chosen, {})), shell)
    made = Environment(name=chosen, **_settings(table, default_url))
    made.keep_secrets()
    table.finish()
    if not made.headers().get("Authorization"):
        hint = f"set {table.token_variable}, or GRAFANA_USER and GRAFANA_PASSWORD; it needs the role Editor"
        raise SettingsError(f"there is no token for Grafana ({chosen}: {made.url})\n    {hint}")
    return made


def _check_apart(name: str, known: Mapping[str, Mapping[str, Any]], pyproject: Path) -> None:
    """Raise an error for an environment that would overwrite what another one has made."""
    place = [known.get(name, {}).get(key) for key in _PLACE]
    for other, table in known.items():
        if other != name and [table.get(key) for key in _PLACE] == place:
            hint = "give one of them a prefix for its uids, or an address, organisation or token of its own"
            raise SettingsError(f"{pyproject}: the environments {name} and {other} are the same Grafana\n    {hint}")


def _settings(table: _Table, default_url: str) -> dict[str, Any]:
    """Return the fields of an environment but for its name."""
    table.token_variable = table.text("token_env") or "GRAFANA_TOKEN"
    token = table.secret(table.token_variable)
    password = table.secret(table.text("password_env") or "GRAFANA_PASSWORD")
    return {
        "url": _checked_url(table, table.either("url", "GRAFANA_URL") or default_url),
        "token": token,
        "user": table.either("user", "GRAFANA_USER") or "admin",
        "password": password,
        "org_id": table.number("org_id", "GRAFANA_ORG_ID"),
        "folder": table.text("folder").strip(),
        "folder_uid": table.matching("folder_uid", re.compile(r"[A-Za-z0-9_-]{1,40}")),
        "docs": table.flag("docs", default=True),
        "datasource": table.either("datasource", "GRAFANA_DATASOURCE"),
        "prefix": table.matching("prefix", _PREFIX),
        "ca_cert": table.file("ca_cert", "GRAFANA_CA_CERT"),
        "extra_headers": table.headers(),
        "connections": table.number("connections", "") or CONNECTIONS,
    }


def _checked_url(table: _Table, url: str) -> str:
    if "@" in url:
        raise SettingsError(
            f"{table.place}: the address {address(url)!r} has a password in it\n    "
            "use GRAFANA_USER and GRAFANA_PASSWORD"
        )
    try:
        parts = urlsplit(url)
        wrong = parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0
    except ValueError:
        wrong = True
    if wrong or re.search(r"[?#\s]", url) or not url.isprintable():
        hint = "set GRAFANA_URL, or url in the table, to something like https://grafana.example.org"
        raise SettingsError(f"{table.place}: {address(url)!r} is not the address of a Grafana\n    {hint}")
    return url.rstrip("/")


def _tables(pyproject: Path) -> dict[str, dict[str, Any]]:
    try:
        read = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"cannot read {pyproject}: {error}") from error
    found: Any = read
    for part in TABLE.split("."):
        found = found.get(part, {}) if isinstance(found, dict) else {}
    if not isinstance(found, dict):
        raise SettingsError(f"{pyproject}: {TABLE} is no table\n    write [{TABLE}.production]")
    odd = next((name for name, table in found.items() if not isinstance(table, dict)), None)
    if odd is not None:
        raise SettingsError(f"{pyproject}: {odd!r} stands in [{TABLE}]\n    put it into a table [{TABLE}.production]")
    return found


class _Table:
    """The settings of an environment, each taken once and checked.

    Args:
        place: where they stand.
        given: the table.
        shell: the shell's environment.
    """

    def __init__(self, place: str, given: dict[str, Any], shell: Mapping[str, str]) -> None:
        self.place = place
        self.given = given
        self.shell = shell
        self.taken: set[str] = set()
        self.token_variable = ""

    def finish(self) -> None:
        """Raise an error for a setting that is none."""
        odd = next((key for key in self.given if key not in self.taken), None)
        if odd is None:
            return
        near = get_close_matches(odd, self.taken, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"the settings are {', '.join(sorted(self.taken))}"
        if odd in ("token", "password"):
            hint = "secrets come from the shell: name their variables with token_env and password_env"
        raise SettingsError(f"{self.place}: there is no setting {odd!r}\n    {hint}")

    def text(self, key: str) -> str:
        """Return a text; empty where it is not set."""
        return str(self._take(key, str, "a text", ""))

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        return bool(self._take(key, bool, "true or false", default))

    def either(self, key: str, variable: str) -> str:
        """Return a text of the table or of the shell; they must not contradict each other."""
        here, there = self.text(key), self.shell.get(variable, "")
        if key == "url":
            keep_address(here)
            keep_address(there)
        if here and there and here.rstrip("/") != there.rstrip("/"):
            one, other = map(address, (here, there)) if key == "url" else (here, there)
            raise SettingsError(
                f"{self.place} says {key} = {one!r}, and {variable} says {other!r}\n    "
                f"unset {variable}, or take the setting out of the table"
            )
        return here or there

    def number(self, key: str, variable: str) -> int | None:
        """Return a whole number above 0; None where it is not set."""
        given = self._take(key, int, "a whole number", None)
        text = self.shell.get(variable, "") if given is None else str(given)
        if not text:
            return None
        if not re.fullmatch(r"[1-9]\d{0,9}", text):
            raise SettingsError(f"{self.place}: {key} is {text!r}\n    write a whole number above 0")
        return int(text)

    def matching(self, key: str, pattern: re.Pattern[str]) -> str:
        """Return a text of letters that a uid may have."""
        text = self.text(key)
        if text and not pattern.fullmatch(text):
            raise SettingsError(
                f"{self.place}: {key} is {text!r}\n    it may have letters, digits, - and _: {pattern.pattern}"
            )
        return text

    def file(self, key: str, variable: str) -> str:
        """Return the path of a file that is there; empty where it is not set."""
        path = self.either(key, variable)
        if path and not Path(path).is_file():
            raise SettingsError(f"{self.place}: {key} is {path!r}, and there is no such file")
        return path

    def secret(self, variable: str) -> Secret | None:
        """Return a secret of the shell, or of the file that VARIABLE_FILE names; None where there is none."""
        text, path = self.shell.get(variable, ""), self.shell.get(f"{variable}_FILE", "")
        if path and not text:
            try:
                text = Path(path).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError(f"cannot read {variable}_FILE: {error}") from None
        text = text.strip()
        if not text.isascii() or not text.isprintable():
            raise SettingsError(
                f"{variable} has characters that no token has\n    was it copied whole, and nothing else?"
            )
        keep(text)
        return Secret(text) if text else None

    def headers(self) -> dict[str, Secret]:
        """Return further headers: the table `headers_env` names a variable of the shell for each."""
        named = self._take("headers_env", dict, "a table of header = variable", {})
        found = {}
        for header, variable in named.items():
            secret = self.secret(str(variable))
            if secret is None:
                raise SettingsError(f"{self.place}: the header {header} is in ${variable}, and that is not set")
            found[str(header)] = secret
        return found

    def _take(self, key: str, kind: type, words: str, default: Any) -> Any:
        self.taken.add(key)
        value = self.given.get(key, default)
        if value is not default and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            raise SettingsError(f"{self.place}: {key} is {value!r}\n    write {words}")
        return value
