"""Pages of activities and tasks."""

from django.urls import URLPattern, path

from activities.views import activity, task, task_panel, timeline
from crm.views import records

urlpatterns: list[URLPattern] = [
    path("timeline/<slug:kind>/<uuid:pk>/", timeline.timeline, name="timeline"),
    path("activities/", records.record_list, {"type_key": "activity"}, name="activity_list"),
    path("activities/new/", activity.activity_new, name="activity_new"),
    path("activities/<uuid:pk>/", activity.activity_detail, name="activity_detail"),
    path("activities/<uuid:pk>/edit/", activity.activity_edit, name="activity_edit"),
    path("activities/<uuid:pk>/deletion/", activity.activity_deletion, name="activity_deletion"),
    path("activities/<uuid:pk>/restoration/", activity.activity_restoration, name="activity_restoration"),
    path("tasks/", records.record_list, {"type_key": "task"}, name="task_list"),
    path("tasks/new/", task.task_new, name="task_new"),
    path("tasks/of/<slug:kind>/<uuid:pk>/", task_panel.task_panel, name="task_panel"),
    path("tasks/<uuid:pk>/", records.record_detail, {"type_key": "task"}, name="task_detail"),
    path("tasks/<uuid:pk>/edit/", task.task_edit, name="task_edit"),
    path("tasks/<uuid:pk>/completion/", task.task_completion, name="task_completion"),
]
