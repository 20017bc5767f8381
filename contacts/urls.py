"""Pages of contacts and accounts."""

from django.urls import URLPattern, path

from contacts.views import imports
from crm.views import records

urlpatterns: list[URLPattern] = [
    path("imports/", imports.import_list, name="import_list"),
    path("imports/<uuid:pk>/", imports.import_detail, name="import_detail"),
    path("imports/<uuid:pk>/columns/", imports.import_columns, name="import_columns"),
    path("imports/<uuid:pk>/check/", imports.import_check, name="import_check"),
    path("imports/<uuid:pk>/start/", imports.import_start, name="import_start"),
    path("imports/<uuid:pk>/rows/<slug:outcome>.csv", imports.import_rows, name="import_rows"),
    path("contacts/", records.record_list, {"type_key": "contact"}, name="contact_list"),
    path("accounts/", records.record_list, {"type_key": "account"}, name="account_list"),
]
