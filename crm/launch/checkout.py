"""The places of one checkout."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Checkout:
    """A working copy of the project and the directory of its data."""

    root: Path
    var: Path

    @classmethod
    def here(cls) -> "Checkout":
        """The checkout this file belongs to; KEEL_VAR moves its data."""
        root = Path(__file__).resolve().parents[2]
        return cls(root=root, var=Path(os.environ.get("KEEL_VAR") or root / "var").resolve())

    @property
    def venv(self) -> Path:
        """The virtual environment."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """The virtual environment's interpreter."""
        return self.venv / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        """Where the virtual environment keeps its libraries."""
        found = sorted((self.venv / "lib").glob("python3.*/site-packages"))
        return found[-1] if found else self.venv / "lib"
