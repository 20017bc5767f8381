"""What every action is wrapped in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import transaction

from crm.tenancy import context

P = ParamSpec("P")
R = TypeVar("R")


def action(function: Callable[P, R]) -> Callable[P, R]:
    """Marks a write: atomic by itself, and only inside the organisation of its `acting` (an Actor).

    Raises NoOrganization outside of one and OtherOrganization in a different one.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        acting: Any = kwargs["acting"]
        if context.current_actor().org_id != acting.org_id:
            raise context.OtherOrganization(f"{function.__name__} acts for another organisation.")
        with transaction.atomic():
            return function(*args, **kwargs)

    return run
