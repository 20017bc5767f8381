"""Stamps: what a step was last done with, so that a second start does only what changed."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def digest_of(paths: Iterable[Path], *extra: str) -> str:
    """Digest of the files' contents, in the order given, and of `extra`."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    for text in extra:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()


def digest_of_tree(directory: Path) -> str:
    """Digest of names, sizes and times below a directory; reads no contents, so it takes milliseconds."""
    digest = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            found = path.stat()
            digest.update(f"{path.relative_to(directory)}\0{found.st_size}\0{found.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def is_current(stamp: Path, digest: str) -> bool:
    """Whether the step was last done with `digest`."""
    return stamp.is_file() and stamp.read_text().strip() == digest


def set_stamp(stamp: Path, digest: str) -> None:
    """Remember that the step is done. Written last, so an interrupted step is done again."""
    stamp.write_text(f"{digest}\n")
