"""Pages of contacts and accounts."""

from django.urls import URLPattern, path

from crm.views import records

urlpatterns: list[URLPattern] = [
    path("contacts/", records.record_list, {"type_key": "contact"}, name="contact_list"),
    path("accounts/", records.record_list, {"type_key": "account"}, name="account_list"),
]
