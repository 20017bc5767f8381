"""What tests that read the project's own source need."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.support.cluster import ROOT

APPS = ("crm", "contacts", "deals", "activities")


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def files(*parts: str) -> list[Path]:
    """Python files of the applications, or of the given directories, without migrations' generated parts."""
    return sorted(path for part in parts or APPS for path in (ROOT / part).rglob("*.py"))


def name(path: Path) -> str:
    """A file's path from the project's root."""
    return path.relative_to(ROOT).as_posix()


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call in a file, with the innermost function it stands in ("" at the module's level)."""
    yield from _calls(parsed(path), "")


def _calls(node: ast.AST, function: str) -> Iterator[tuple[str, ast.Call]]:
    for child in ast.iter_child_nodes(node):
        inside = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
        if isinstance(child, ast.Call):
            yield function, child
        yield from _calls(child, inside)


def called(call: ast.Call) -> str:
    """The last name of what is called: `cursor` for `connection.cursor()`."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""
