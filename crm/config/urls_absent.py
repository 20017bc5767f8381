"""No URL at all: what a stranger to an organisation finds below its path."""

from crm.config.handlers import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns: list[object] = []
