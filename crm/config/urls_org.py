"""URLs inside an organisation, below `/w/<slug>/`."""

from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from crm.config.handlers import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

_MODULES = ("crm.urls_org_pages", "contacts.urls", "deals.urls", "activities.urls")


def _by_first_part(patterns: Iterable[URLPattern]) -> list[URLPattern | URLResolver]:
    """The same routes, those that begin alike ("deals/") behind one: a request then tries a few instead of all."""
    grouped: dict[str, list[URLPattern]] = {}
    for pattern in patterns:
        first, slash, rest = str(pattern.pattern).partition("/")
        if not slash or "<" in first:
            grouped.setdefault("", []).append(pattern)
        else:
            route = path(rest, pattern.callback, pattern.default_args, pattern.name)
            grouped.setdefault(first + slash, []).append(route)
    return [path(first, include(routes)) for first, routes in grouped.items()]


urlpatterns = _by_first_part(p for m in _MODULES if find_spec(m) for p in import_module(m).urlpatterns)
