"""URLs inside an organisation, below `/w/<slug>/`."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from crm.config.handlers import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

_MODULES = ("crm.urls_org_pages", "contacts.urls", "deals.urls", "activities.urls")
urlpatterns: list[URLPattern | URLResolver] = [path("", include(m)) for m in _MODULES if find_spec(m)]
