"""Pages of deals."""

from django.urls import URLPattern, path

from crm.views import records
from deals.views import board, closure, deal, page, pipelines, stage

urlpatterns: list[URLPattern] = [
    path("deals/", board.deal_board, name="deal_board"),
    path("deals/list/", records.record_list, {"type_key": "deal"}, name="deal_list"),
    path("deals/new/", deal.deal_new, name="deal_new"),
    path("deals/board/cards/", board.board_cards, name="deal_board_cards"),
    path("deals/board/changes/", board.board_changes, name="deal_board_changes"),
    path("deals/<uuid:pk>/", page.deal_detail, name="deal_detail"),
    path("deals/<uuid:pk>/people/", page.deal_people, name="deal_people"),
    path("deals/<uuid:pk>/people/<uuid:contact_pk>/", page.deal_person, name="deal_person"),
    path("deals/<uuid:pk>/edit/", deal.deal_edit, name="deal_edit"),
    path("deals/<uuid:pk>/owner/", deal.deal_owner, name="deal_owner"),
    path("deals/<uuid:pk>/deletion/", deal.deal_deletion, name="deal_deletion"),
    path("deals/<uuid:pk>/restoration/", deal.deal_restoration, name="deal_restoration"),
    path("deals/<uuid:pk>/stage/", stage.deal_stage, name="deal_stage"),
    path("deals/<uuid:pk>/stage/undo/", stage.deal_stage_undo, name="deal_stage_undo"),
    path("deals/<uuid:pk>/closure/", closure.deal_closure, name="deal_closure"),
    path("settings/pipelines/", pipelines.setup, name="settings_pipelines"),
    path("settings/pipelines/new/", pipelines.pipeline_new, name="pipeline_new"),
    path("settings/pipelines/<uuid:pk>/", pipelines.pipeline_edit, name="pipeline_edit"),
    path("settings/pipelines/<uuid:pk>/deletion/", pipelines.pipeline_deletion, name="pipeline_deletion"),
    path("settings/pipelines/<uuid:pk>/order/", pipelines.stage_order, name="stage_order"),
    path("settings/pipelines/<uuid:pk>/stages/new/", pipelines.stage_new, name="stage_new"),
    path("settings/stages/<uuid:pk>/", pipelines.stage_edit, name="stage_edit"),
    path("settings/stages/<uuid:pk>/deletion/", pipelines.stage_deletion, name="stage_deletion"),
]
