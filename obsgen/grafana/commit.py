"""Which commit of the artifacts a run pushes."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

UNKNOWN = "an unknown commit"
CHANGED = " with changes that are not committed"
_CI = ("GITHUB_SHA", "CI_COMMIT_SHA", "BUILDKITE_COMMIT", "GIT_COMMIT")


def commit(folder: Path, shell: Mapping[str, str]) -> str:
    """Return the commit that a folder is at, and whether it has changes beyond it, as words for a history.

    Args:
        folder: the artifacts.
        shell: the shell's environment, where CI systems name their commit.
    """
    head = _git(folder, "rev-parse", "--short", "HEAD")
    if head is None:
        told = next((shell[name] for name in _CI if shell.get(name)), "")
        return told[:10] or UNKNOWN
    changed = _git(folder, "status", "--porcelain", "--", ".")
    return head.strip() + (CHANGED if changed else "")


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None
