"""Pytest plugin that gives a run its servers before Django's settings are read.

Loaded by `-p tests.support.plugin` (pyproject.toml), because conftest files come too late for that.
"""

import gc
import os
from collections.abc import Generator

import pytest

from crm.launch.checkout import Checkout
from crm.launch.testcluster import ENV, TestCluster

_cluster: TestCluster | None = None


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """Start the run's cluster unless a parent process did: the controller of xdist, or `make test`."""
    global _cluster
    wanted = not {"--help", "-h", "--version", "--fixtures", "--collect-only", "--co"} & set(
        early_config.invocation_params.args
    )
    if wanted and ENV not in os.environ:
        _cluster = TestCluster(Checkout.here(), shared=os.environ.get("KEEL_TEST_REUSE") == "1")
        _cluster.start()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.config.settings.test")
    os.environ.setdefault("KEEL_TEST_RUN", str(os.getpid()))
    return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts Keel from nothing takes the longest: it begins, so that no core waits for it at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith("tests/launch/test_up.py"))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What is there before the first test is there after the last: the collector need not look at it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly, at the end, that browser tests did not run."""
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if "No Chromium" in str(report.longrepr)]
    if skipped:
        terminalreporter.write_sep("!", f"{len(skipped)} BROWSER TESTS WERE SKIPPED: no Chromium", red=True, bold=True)
        terminalreporter.write_line("Set CHROMIUM_PATH, or install it: apt install chromium-headless-shell")


def pytest_unconfigure() -> None:
    """Stop what this process started."""
    global _cluster
    if _cluster is not None:
        _cluster.close()
        _cluster = None
        os.environ.pop(ENV, None)
