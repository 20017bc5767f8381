"""Who reaches beyond what the actor may see. Each place stands in elevated_allowlist.txt, and was read by somebody."""

from tests.security.source import called, calls, files, name
from tests.support.cluster import ROOT

ALLOW_LIST = ROOT / "tests" / "security" / "elevated_allowlist.txt"


def call_sites() -> set[str]:
    return {
        f"{name(path)}:{function}" for path in files() for function, call in calls(path) if called(call) == "elevated"
    }


def test_elevated_is_called_where_the_allow_list_says_and_nowhere_else() -> None:
    lines = ALLOW_LIST.read_text(encoding="utf-8").splitlines()
    allowed = [line for line in lines if line and not line.startswith("#")]
    assert sorted(call_sites()) == allowed == sorted(set(allowed))


def test_elevated_always_says_why() -> None:
    without = [
        f"{name(path)}:{call.lineno}"
        for path in files()
        for _function, call in calls(path)
        if called(call) == "elevated" and not (call.args or call.keywords)
    ]
    assert without == []
