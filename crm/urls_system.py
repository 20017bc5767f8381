"""Pages about the application itself."""

from django.urls import URLPattern, path

from crm.views.styleguide import styleguide

urlpatterns: list[URLPattern] = [
    path("styleguide/", styleguide, name="styleguide"),
]
