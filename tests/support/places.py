"""Directories for servers that run as another user."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def reachable_directory() -> Iterator[Path]:
    """A new directory that another user can enter, gone afterwards.

    Not below pytest's own: every run of pytest that begins, also one elsewhere on this machine, makes their common
    parent `/tmp/pytest-of-<user>` private again, and a server at work there loses its files.
    """
    path = Path(tempfile.mkdtemp(prefix="keel-test-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
