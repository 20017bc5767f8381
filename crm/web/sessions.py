"""Sessions in the database, loaded together with their user: one statement signs a request in.

Nothing is cached, so a revoked session, a changed password or a deactivated user holds in every process at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from copy import deepcopy
from functools import lru_cache
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions import middleware
from django.contrib.sessions.backends import db
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject

from crm import queries
from crm.lib.clients import client_ip
from crm.models import Session, User

INSIDE = "/w/"


class SessionStore(db.SessionStore):
    """Django's database store over our table, which also names the user."""

    user: User | None = None
    client: dict[str, Any] = {}
    slug = ""  # of the organisation that the request is for, if any
    request_id = ""
    opening: queries.Opening | None = None  # what was read for it together with the session

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def _get_session_from_db(self) -> Session | None:
        if self.slug:
            self.opening = queries.opening(str(self.session_key), self.slug, self.request_id)
            session = self.opening and self.opening.session
        else:
            session = queries.session(str(self.session_key))
        if session is None:
            self._session_key = None
            return None
        self.user = session.user
        return session

    def decode(self, session_data: str) -> dict[str, Any]:
        return deepcopy(_decoded(session_data))

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        instance = super().create_model_instance(data)
        instance.user_id = data.get(SESSION_KEY)
        for name, value in self.client.items():
            setattr(instance, name, value)
        return instance


@lru_cache(maxsize=2048)
def _decoded(session_data: str) -> dict[str, Any]:
    """What a session holds; {} where its signature is wrong. The same text is read at every request of a person, and
    its signature held against it once."""
    return db.SessionStore().decode(session_data)


def organization_slug(path: str) -> str:
    """The slug in `/w/<slug>/...`; "" for a path outside of any organisation."""
    return path[len(INSIDE) :].partition("/")[0] if path.startswith(INSIDE) else ""


class SessionMiddleware(middleware.SessionMiddleware):
    """Django's, and the session remembers the browser it began in."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.session.slug = organization_slug(request.path_info)
        request.session.request_id = getattr(request, "request_id", "")
        request.session.client = {
            "ip_address": client_ip(request.META) or None,
            "user_agent": request.META.get("HTTP_USER_AGENT", "")[:200],
        }


def session_user(session: SessionStore) -> User | AnonymousUser:
    """The user a session belongs to, if they are active and have not changed their password since."""
    if SESSION_KEY not in session or BACKEND_SESSION_KEY not in session:
        return AnonymousUser()
    user = session.user or User.objects.filter(pk=session[SESSION_KEY]).first()
    if user is None or not user.is_active or str(user.pk) != session[SESSION_KEY]:
        return AnonymousUser()
    stored = session.get(HASH_SESSION_KEY, "")
    if constant_time_compare(stored, user.get_session_auth_hash()):
        return user
    return AnonymousUser()


def users_of(session_keys: Collection[str]) -> dict[str, User]:
    """Who is signed in by each of these sessions, in one statement; those that have ended are left out."""
    rows = Session.objects.select_related("user").filter(session_key__in=session_keys, expire_date__gt=timezone.now())
    found = {}
    for row in rows:
        store = SessionStore(row.session_key)
        store.user = row.user
        store._session_cache = store.decode(row.session_data)
        user = session_user(store)
        if isinstance(user, User):
            found[row.session_key] = user
    return found


class AuthenticationMiddleware:
    """Sets `request.user`, lazily."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.user = SimpleLazyObject(lambda: session_user(request.session))  # type: ignore[assignment]
        return self.get_response(request)
