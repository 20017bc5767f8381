"""Signing in without the log-in page."""

from importlib import import_module

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import transaction
from django.test import Client

from crm import queries
from crm.models import Membership, User


def session_for(user: User) -> str:
    """The key of a new signed-in session."""
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return session.session_key


def client_for(member: Membership) -> Client:
    """A test client signed in as a member; errors of views are answers, not exceptions."""
    client = Client(raise_request_exception=False)
    client.cookies[settings.SESSION_COOKIE_NAME] = session_for(member.user)
    return client


def unread_of(slug: str, member: Membership) -> int:
    """How many notifications a member's bell counts."""
    with transaction.atomic():
        found = queries.opening(session_for(member.user), slug)
    assert found is not None
    return found.unread
