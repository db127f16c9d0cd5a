"""What obsgen writes into the history of a dashboard, and how it finds that again."""

from __future__ import annotations

import re

from obsgen.grafana.state import OWNER_TAG, Version

TOOL = "obsgen"
UNDO = f"{TOOL} undo of "


def pushing(owner: str, commit: str) -> str:
    """Return the message of a version that is pushed: whose it is, and of which commit."""
    return f"{TOOL} {owner.removeprefix(OWNER_TAG)} at {commit}"


def undoing(owner: str, run: str) -> str:
    """Return the message of a version that an undoing restores: of which run, and whose that was."""
    return f"{UNDO}{run} for {owner.removeprefix(OWNER_TAG)}"


def is_pushed(owner: str, version: Version) -> bool:
    """Return whether a version was pushed for an owner."""
    return version.message.startswith(pushing(owner, ""))


def is_restored(owner: str, version: Version) -> bool:
    """Return whether a version was restored by an undoing for an owner. It may be an edit of a person's."""
    name = re.escape(owner.removeprefix(OWNER_TAG))
    return re.fullmatch(rf"{UNDO}\S+ for {name}", version.message) is not None
