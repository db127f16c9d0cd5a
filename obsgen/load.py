"""Definition files in, a catalog out. The only user of importlib.

Every file of the folder is imported, also after one has failed, so that one run shows all that is wrong. Files
import each other with a leading dot (`from .sources import BOT`), whatever the folder is called.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import FileFinder, ModuleSpec, SourceFileLoader
from pathlib import Path
from types import FrameType, ModuleType
from typing import TypeVar, cast

from obsgen.errors import DefinitionError, Location, Problem
from obsgen.model.catalog import Catalog, Domain, Project
from obsgen.shape import shown

PACKAGE = "obsgen_definitions"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a folder of definitions says.

    Attributes:
        catalog: the domains of all files that could be imported, in their order; None without a project or a domain.
        problems: what is wrong with the files.
    """

    catalog: Catalog | None
    problems: tuple[Problem, ...]


def load(folder: Path) -> Loaded:
    """Import the definition files of a folder.

    Args:
        folder: holds the files. Those with a `DOMAIN` make the catalog, one with a `PROJECT` names it; others help.
    """
    files = sorted(filter(_is_definition, folder.glob("*.py"))) if folder.is_dir() else []
    if not [path for path in files if path.name != "__init__.py"]:
        what = "has no definition files" if folder.is_dir() else "is not a folder"
        hint = "run obsgen where your definitions/ folder is, or name it with --definitions DIR"
        return Loaded(None, (Problem("no-definitions", f"{folder} {what}", hint=hint),))
    problems: dict[Problem, None] = {}
    modules: list[ModuleType] = []
    # What definitions print is none of the run's own output.
    with _importable(folder.resolve()), _interrupts() as pressed, redirect_stdout(sys.stderr):
        for path in files:
            try:
                modules.append(import_module(f"{PACKAGE}.{path.stem}".removesuffix(".__init__")))
            except BaseException as error:  # whatever a definition file raises is its author's to mend
                if pressed:
                    raise
                # A file that imports a broken one fails with the same problem at the same line: it is kept once.
                problems.setdefault(_problem(error, folder.resolve(), path))
    domains, wrong = _collect(modules, "DOMAIN", Domain)
    projects, wrong_projects = _collect(modules, "PROJECT", Project)
    broken = bool(problems)
    problems.update(dict.fromkeys((*wrong, *wrong_projects, *_project_problems(folder, projects, broken))))
    domains.sort(key=lambda domain: (domain.order, domain.name))
    if not domains and not problems:
        hint = "end each file of a subject with DOMAIN = Domain(name=..., metrics=(...), ...)"
        problems.setdefault(Problem("no-domain", f"no file in {folder} has a DOMAIN", hint=hint))
    catalog = Catalog(project=projects[0], domains=tuple(domains)) if projects and domains else None
    return Loaded(catalog, tuple(problems))


def _is_definition(path: Path) -> bool:
    """Return whether a path is a file with a module's name: editors leave others beside them."""
    return path.is_file() and not path.name.startswith(".")


def _collect(modules: Sequence[ModuleType], name: str, kind: type[T]) -> tuple[list[T], list[Problem]]:
    found: dict[int, T] = {}  # by identity: a file may import another's
    problems = []
    for module in modules:
        value = vars(module).get(name)
        # By its real type: isinstance() asks the value, too, which may raise anything.
        if issubclass(type(value), kind):
            found.setdefault(id(value), cast(T, value))
        elif value is not None:
            at = Location(str(module.__file__), 1)
            problems.append(Problem("wrong-type", f"{name} is {shown(value)}, not a {kind.__name__}", at))
    return list(found.values()), problems


def _project_problems(folder: Path, projects: list[Project], broken: bool) -> Iterator[Problem]:
    if not projects and not broken:
        hint = "give one file a PROJECT = Project(name=..., title=..., owner=...)"
        yield Problem("no-project", f"no file in {folder} has a PROJECT", hint=hint)
    for extra in projects[1:]:
        message = f"there are two projects, {projects[0].name!r} and {extra.name!r}"
        yield Problem("two-projects", message, extra.at, f"the other is at {projects[0].at}; keep one")


def _problem(error: BaseException, folder: Path, path: Path) -> Problem:
    """Return what an exception from a definition file means for its author."""
    if isinstance(error, DefinitionError):
        return Problem("definition", error.message, error.at, error.hint)
    if isinstance(error, SyntaxError) and error.filename:
        return Problem("syntax", f"not Python: {error.msg}", Location(error.filename, error.lineno or 1))
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).is_relative_to(folder)]
    at = Location(frames[-1].filename, frames[-1].lineno or 1) if frames else Location(str(folder / path.name), 1)
    message = " ".join("".join(traceback.format_exception_only(error)).split()).replace(f"{PACKAGE}.", "")
    return Problem("import", message, at, _meant(error))


def blamed(error: BaseException, folder: Path) -> Problem | None:
    """Return what an exception means for the author of a folder of definitions, None where none of its lines ran."""
    folder = folder.resolve()
    at = error.at.file if isinstance(error, DefinitionError) else ""
    files = [at, *(frame.filename for frame in traceback.extract_tb(error.__traceback__))]
    guilty = [Path(file) for file in files if file and Path(file).is_relative_to(folder)]
    return _problem(error, folder, guilty[-1]) if guilty else None


def _meant(error: BaseException) -> str:
    """Return a hint with the known name nearest to an unknown one."""
    if isinstance(error, RecursionError):
        return (
            "a function calls itself without end, or an expression is nested too deep: make a Recording of a part of it"
        )
    if isinstance(error, KeyboardInterrupt | SystemExit):
        return "a definition may not end the run: take the line out"
    if isinstance(error, AttributeError) and error.name:
        near = get_close_matches(error.name, dir(error.obj), n=1, cutoff=0.5)
        return f"did you mean {near[0]!r}?" if near else ""
    if not isinstance(error, NameError) or error.__traceback__ is None:
        return ""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    near = get_close_matches(str(error.name), [*frame.f_locals, *frame.f_globals], n=1)
    return f"did you mean {near[0]!r}?" if near else ""


class _Loader(SourceFileLoader):
    """Always reads the source: a byte-code cache goes by whole seconds, and would miss a quick change."""

    def path_stats(self, path: str) -> dict[str, float]:
        raise OSError(path)


class _Finder(MetaPathFinder):
    """Finds the modules of one folder under the name of `PACKAGE`, and the folder itself as a package."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inside = FileFinder(str(folder), (_Loader, [".py"]))

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == PACKAGE:
            init = self.folder / "__init__.py"
            loader = _Loader(PACKAGE, str(init)) if init.exists() else None
            spec = ModuleSpec(PACKAGE, loader, origin=str(init), is_package=True)
            spec.submodule_search_locations = [str(self.folder)]
            return spec
        if not fullname.startswith(f"{PACKAGE}.") or not path:
            return None
        if list(path) == [str(self.folder)]:
            return self.inside.find_spec(fullname)
        return FileFinder(path[0], (_Loader, [".py"])).find_spec(fullname)


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Yield a list that has an item once somebody presses Ctrl-C: a definition can raise the same exception."""
    pressed: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    if not callable(before) or threading.current_thread() is not threading.main_thread():
        yield pressed
        return

    def press(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        before(number, frame)

    signal.signal(signal.SIGINT, press)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Make the folder importable as a package, and forget its modules afterwards."""
    finder, working = _Finder(folder), Path.cwd()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        os.chdir(working)  # a definition that went elsewhere must not take the output along
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name == PACKAGE or name.startswith(f"{PACKAGE}.")]:
            del sys.modules[name]
