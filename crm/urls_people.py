"""Pages of people outside of any organisation: signing in and up, invitations, choosing an organisation."""

from django.urls import URLPattern, path, re_path

from crm.views import auth, invitations, organizations

urlpatterns: list[URLPattern] = [
    path("", organizations.front, name="front"),
    # The names are allauth's: its flows lead from one to the other by them.
    path("auth/login/", auth.login, name="account_login"),
    path("auth/logout/", auth.logout, name="account_logout"),
    path("auth/signup/", auth.signup, name="account_signup"),
    path("auth/inactive/", auth.inactive, name="account_inactive"),
    path("auth/confirm/", auth.verification_sent, name="account_email_verification_sent"),
    re_path(r"^auth/confirm/(?P<key>[-:\w]+)/$", auth.confirm_email, name="account_confirm_email"),
    path("auth/password/", auth.password_reset, name="account_reset_password"),
    path("auth/password/sent/", auth.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^auth/password/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        auth.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("auth/password/changed/", auth.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    path("auth/invitation/<str:secret>/", invitations.invitation_accept, name="invitation"),
    path("orgs/", organizations.organization_list, name="organizations"),
    path("orgs/new/", organizations.organization_new, name="organization_new"),
    path("orgs/menu/", organizations.organization_menu, name="organizations_menu"),
]
