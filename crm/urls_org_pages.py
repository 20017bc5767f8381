"""The kernel's pages inside an organisation."""

from django.urls import URLPattern, path

from crm.views import records

urlpatterns: list[URLPattern] = [
    path("records/<slug:type_key>/", records.record_list, name="record_list"),
    path("records/<slug:type_key>/new/", records.record_new, name="record_new"),
    path("records/<slug:type_key>/export/", records.record_export, name="record_export"),
    path("records/<slug:type_key>/<uuid:pk>/", records.record_detail, name="record_detail"),
    path("records/<slug:type_key>/<uuid:pk>/edit/", records.record_edit, name="record_edit"),
    path("records/<slug:type_key>/<uuid:pk>/delete/", records.record_delete, name="record_delete"),
]
