"""URLs inside an organisation, below `/w/<slug>/`."""

from crm.config.handlers import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns: list[object] = []
