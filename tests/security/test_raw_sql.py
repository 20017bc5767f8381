"""SQL by hand stands where it is looked for: in queries, migrations and the tenancy package.

Each statement there has an equivalence test or is exercised by one; anywhere else the ORM and its managers work.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.source import called, calls, files, name, parsed

ALLOWED = (
    re.compile(r"crm/tenancy/.*"),
    re.compile(r"[a-z_/]*(queries|_queries)(\.py|/.*\.py)"),
    re.compile(r"[a-z_]+/migrations/.*"),
    re.compile(r"crm/launch/.*"),  # speaks to servers before Django does
    re.compile(r"crm/views/health\.py"),  # SELECT 1
    re.compile(r"crm/management/commands/preflight\.py"),  # asks the server about itself
)
RAW_CALLS = {"cursor", "raw", "RawSQL", "extra", "execute", "executemany", "send_settings"}
# Methods of other things by the same names.
OTHERS = {
    ("execute", "executor"),
}
SETTINGS = re.compile(r"\bset_config\b|^\s*SET\s+(LOCAL|SESSION|ROLE|app\.)", re.IGNORECASE)


def is_allowed(path: Path) -> bool:
    return any(pattern.fullmatch(name(path)) for pattern in ALLOWED)


def raw_calls(path: Path) -> Iterator[str]:
    for _function, call in calls(path):
        if called(call) in RAW_CALLS and (called(call), _owner(call)) not in OTHERS:
            yield f"{name(path)}:{call.lineno} {ast.unparse(call.func)}"


def _owner(call: ast.Call) -> str:
    value = call.func.value if isinstance(call.func, ast.Attribute) else None
    return value.id if isinstance(value, ast.Name) else ""


def settings_in_strings(path: Path) -> Iterator[str]:
    documentation = {id(node.body[0].value) for node in ast.walk(parsed(path)) if _documented(node)}
    for node in ast.walk(parsed(path)):
        text = node.value if isinstance(node, ast.Constant) and id(node) not in documentation else ""
        if isinstance(text, str) and SETTINGS.search(text):
            yield f"{name(path)}:{node.lineno}"


def _documented(node: ast.AST) -> bool:
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return isinstance(node, kinds) and bool(node.body) and isinstance(node.body[0], ast.Expr)


def test_sql_by_hand_stands_in_queries_alone() -> None:
    assert [found for path in files() if not is_allowed(path) for found in raw_calls(path)] == []


def test_settings_of_the_transaction_are_set_by_the_tenancy_package_alone() -> None:
    assert [found for path in files() if not is_allowed(path) for found in settings_in_strings(path)] == []


@pytest.mark.parametrize(
    "line",
    [
        "connection.cursor()", "Deal.objects.raw('SELECT 1')", "RawSQL('1', [])", "rows.extra(where=['1'])",
        "connection.send_settings('SET LOCAL x=1')", "cursor.execute('SELECT 1')",
    ],
)  # fmt: skip
def test_lint_notices_sql_by_hand(tmp_path: Path, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.security.source.ROOT", tmp_path)
    module = tmp_path / "deals" / "views.py"
    module.parent.mkdir()
    module.write_text(f"def view():\n    {line}\n")
    assert not is_allowed(module)
    assert len(list(raw_calls(module))) == 1


@pytest.mark.parametrize(
    "text", ["SELECT set_config('app.org_id', 'x', true)", "SET LOCAL app.org_id = 'x'", "set role x"]
)
def test_lint_notices_settings(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.security.source.ROOT", tmp_path)
    module = tmp_path / "deals" / "views.py"
    module.parent.mkdir()
    module.write_text(f'"""set_config is only talked of here."""\nSTATEMENT = """{text}"""\n')
    assert len(list(settings_in_strings(module))) == 1
