"""URLs of the machinery: health."""

from django.urls import path

from crm.views import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
