"""The kernel's pages inside an organisation."""

from django.urls import URLPattern, path

from crm import urls_settings
from crm.views import bin as recycle_bin
from crm.views import (
    bulk,
    changes,
    fields,
    filters,
    history,
    home,
    live,
    lookup,
    notifications,
    records,
    search,
    shares,
)

urlpatterns: list[URLPattern] = [
    *urls_settings.urlpatterns,
    path("", home.home, name="home"),
    path("search/", search.results, name="search"),
    path("palette/", search.palette, name="palette"),
    path("notifications/", notifications.notifications, name="notifications"),
    path("notifications/read/", notifications.notifications_read, name="notifications_read"),
    path("notifications/<uuid:pk>/", notifications.notification, name="notification"),
    path("recycle-bin/", recycle_bin.recycle_bin, name="recycle_bin"),
    path("recycle-bin/restoration/", recycle_bin.restoration, name="recycle_bin_restoration"),
    path("recycle-bin/purge/", recycle_bin.purge, name="recycle_bin_purge"),
    path("recycle-bin/receipts/", recycle_bin.receipts, name="recycle_bin_receipts"),
    path("bulk/<uuid:pk>/", bulk.bulk_run, name="bulk_run"),
    path("bulk/<uuid:pk>/cancellation/", bulk.bulk_run_cancellation, name="bulk_run_cancellation"),
    path("changes/<uuid:pk>/", changes.change_set, name="change_set"),
    path("changes/<uuid:pk>/undo/", changes.change_set_undo, name="change_set_undo"),
    path("live/poll/", live.poll, name="live_poll"),
    path("records/<slug:type_key>/", records.record_list, name="record_list"),
    path("records/<slug:type_key>/filter/", filters.record_filter, name="record_filter"),
    path("records/<slug:type_key>/new/", records.record_new, name="record_new"),
    path("records/<slug:type_key>/export/", records.record_export, name="record_export"),
    path("records/<slug:type_key>/bulk/count/", bulk.record_bulk_count, name="record_bulk_count"),
    path("records/<slug:type_key>/bulk/export/", bulk.record_bulk_export, name="record_bulk_export"),
    path("records/<slug:type_key>/bulk/<slug:what>/", bulk.record_bulk, name="record_bulk"),
    path("records/<slug:type_key>/options/", lookup.record_options, name="record_options"),
    path("records/<slug:type_key>/<uuid:pk>/", records.record_detail, name="record_detail"),
    path("records/<slug:type_key>/<uuid:pk>/edit/", records.record_edit, name="record_edit"),
    path("records/<slug:type_key>/<uuid:pk>/history/", history.record_history, name="record_history"),
    path(
        "records/<slug:type_key>/<uuid:pk>/history/<int:entry>/<slug:key>/", history.record_value, name="record_value"
    ),
    path("records/<slug:type_key>/<uuid:pk>/delete/", records.record_delete, name="record_delete"),
    path("records/<slug:type_key>/<uuid:pk>/restoration/", records.record_restoration, name="record_restoration"),
    path("records/<slug:type_key>/<uuid:pk>/fields/<slug:key>/", fields.record_field, name="record_field"),
    path("records/<slug:type_key>/<uuid:pk>/shares/", shares.record_shares, name="record_shares"),
    path("records/<slug:type_key>/<uuid:pk>/shares/<uuid:share_id>/", shares.record_share, name="record_share"),
]
