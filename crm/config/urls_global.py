"""URLs outside of any organisation: signing in, choosing an organisation, health."""

from crm.config.handlers import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns: list[object] = []
