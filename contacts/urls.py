"""Pages of contacts and accounts."""

from django.urls import URLPattern, path

from contacts.views import account, contact, imports, links
from crm.views import records

urlpatterns: list[URLPattern] = [
    path("imports/", imports.import_list, name="import_list"),
    path("imports/<uuid:pk>/", imports.import_detail, name="import_detail"),
    path("imports/<uuid:pk>/columns/", imports.import_columns, name="import_columns"),
    path("imports/<uuid:pk>/check/", imports.import_check, name="import_check"),
    path("imports/<uuid:pk>/start/", imports.import_start, name="import_start"),
    path("imports/<uuid:pk>/rows/<slug:outcome>.csv", imports.import_rows, name="import_rows"),
    path("contacts/", records.record_list, {"type_key": "contact"}, name="contact_list"),
    path("contacts/new/", contact.new, name="contact_new"),
    path("contacts/<uuid:pk>/", contact.detail, name="contact_detail"),
    path("contacts/<uuid:pk>/edit/", contact.edit, name="contact_edit"),
    path("contacts/<uuid:pk>/deletion/", contact.deletion, name="contact_deletion"),
    path("contacts/<uuid:pk>/restoration/", contact.restoration, name="contact_restoration"),
    path("contacts/<uuid:pk>/accounts/", links.links, name="contact_links"),
    path("contacts/<uuid:pk>/accounts/<uuid:account_pk>/", links.link, name="contact_link"),
    path("accounts/", records.record_list, {"type_key": "account"}, name="account_list"),
    path("accounts/new/", account.new, name="account_new"),
    path("accounts/<uuid:pk>/", account.detail, name="account_detail"),
    path("accounts/<uuid:pk>/edit/", account.edit, name="account_edit"),
    path("accounts/<uuid:pk>/deletion/", account.deletion, name="account_deletion"),
    path("accounts/<uuid:pk>/restoration/", account.restoration, name="account_restoration"),
    path("accounts/<uuid:pk>/people/", links.people, name="account_people"),
]
