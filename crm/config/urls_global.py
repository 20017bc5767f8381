"""URLs outside of any organisation: signing in, choosing an organisation, health."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from crm.config.handlers import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

_MODULES = ("crm.urls_people", "crm.urls_system")
urlpatterns: list[URLPattern | URLResolver] = [path("", include(m)) for m in _MODULES if find_spec(m)]
