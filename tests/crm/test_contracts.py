"""The import contracts cover what there is."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path
from pkgutil import iter_modules

from django.conf import settings

import crm


def test_every_part_of_the_kernel_stands_below_the_apps():
    """A package that no layer names could import an app, and no contract would say so."""
    contracts = ConfigParser()
    contracts.read(Path(settings.BASE_DIR) / ".importlinter")
    layers = contracts["importlinter:contract:apps"]["layers"].split()
    named = {layer for layer in layers if layer.startswith("crm.")}
    assert named == {f"crm.{part.name}" for part in iter_modules(crm.__path__)}
    # The layers inside the kernel are complete by themselves.
    assert contracts["importlinter:contract:kernel"].getboolean("exhaustive")
