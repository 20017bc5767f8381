"""Pages of activities."""

from django.urls import URLPattern, path

from activities.views import activity, timeline

urlpatterns: list[URLPattern] = [
    path("timeline/<slug:kind>/<uuid:pk>/", timeline.timeline, name="timeline"),
    path("activities/new/", activity.activity_new, name="activity_new"),
    path("activities/<uuid:pk>/edit/", activity.activity_edit, name="activity_edit"),
    path("activities/<uuid:pk>/deletion/", activity.activity_deletion, name="activity_deletion"),
    path("activities/<uuid:pk>/restoration/", activity.activity_restoration, name="activity_restoration"),
]
