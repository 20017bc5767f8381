"""Settings of a person and of the organisation."""

from django.urls import URLPattern, path

from crm.views import deadletters, field_settings, invitations, members, profile, settings, teams

urlpatterns: list[URLPattern] = [
    path("settings/", settings.settings_front, name="settings"),
    path("settings/profile/", profile.profile_page, name="settings_profile"),
    path("settings/profile/password/", profile.password, name="settings_password"),
    path("settings/profile/address/", profile.address, name="settings_address"),
    path("settings/profile/sessions/", profile.sessions, name="settings_sessions"),
    path("settings/profile/sessions/<slug:public_id>/", profile.session, name="settings_session"),
    path("settings/general/", settings.general, name="settings_general"),
    path("settings/fields/", field_settings.field_list, name="settings_fields"),
    path("settings/fields/<slug:type_key>/", field_settings.field_list, name="settings_fields_of"),
    path("settings/fields/<slug:type_key>/new/", field_settings.field_new, name="field_new"),
    path("settings/fields/<slug:type_key>/order/", field_settings.field_order, name="field_order"),
    path("settings/fields/<uuid:pk>/edit/", field_settings.field_edit, name="field_edit"),
    path("settings/fields/<uuid:pk>/access/", field_settings.field_access, name="field_access"),
    path("settings/fields/<uuid:pk>/deletion/", field_settings.field_deletion, name="field_deletion"),
    path("settings/fields/<uuid:pk>/restoration/", field_settings.field_restoration, name="field_restoration"),
    path("settings/currencies/", settings.currencies, name="settings_currencies"),
    path("settings/currencies/<uuid:pk>/", settings.currency_rate, name="settings_currency_rate"),
    path("settings/users/", members.member_list, name="settings_members"),
    path("settings/users/<uuid:pk>/role/", members.member_role, name="member_role"),
    path("settings/users/<uuid:pk>/teams/", members.member_teams, name="member_teams"),
    path("settings/users/<uuid:pk>/deactivation/", members.member_deactivation, name="member_deactivation"),
    path("settings/teams/", teams.team_list, name="settings_teams"),
    path("settings/teams/new/", teams.team_new, name="team_new"),
    path("settings/teams/<uuid:pk>/", teams.team_edit, name="team_edit"),
    path("settings/events/", deadletters.dead_letter_list, name="dead_letters"),
    path("settings/events/delivery/", deadletters.dead_letters_delivery, name="dead_letters_delivery"),
    path("settings/events/<int:pk>/", deadletters.dead_letter, name="dead_letter"),
    path("settings/events/<int:pk>/delivery/", deadletters.dead_letter_delivery, name="dead_letter_delivery"),
    path("settings/invitations/", invitations.invitation_list, name="settings_invitations"),
    path("settings/invitations/new/", invitations.invitation_new, name="invitation_new"),
    path("settings/invitations/<uuid:pk>/", invitations.invitation, name="invitation_revoke"),
    path("settings/invitations/<uuid:pk>/sending/", invitations.invitation_sending, name="invitation_sending"),
]
