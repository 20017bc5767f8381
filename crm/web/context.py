"""The template context that every page gets: who is looking, at which organisation, and what the shell needs."""

import hashlib
import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.contrib.messages import ERROR, get_messages
from django.http import HttpRequest
from django.urls import get_script_prefix

from crm.web.jinja import existing, url_exists
from crm.web.nav import Entry, Text, create, nav, settings_nav
from crm.web.urls import path_to

LIVE_MARGIN = 5000  # milliseconds
THEME_COOKIE = "keel_theme"
SIDEBAR_COOKIE = "keel_sidebar"
THEMES = ("light", "dark")


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor. Runs no query: what costs one is read only when a template asks for it."""
    return {
        "shell": Shell(request),
        "org": getattr(request, "organization", None),
        "member": getattr(request, "member", None),
    }


@dataclass(frozen=True, slots=True)
class Message:
    """A message that Django carried over to this page. kind: "ok" or "error"; `undo` is the URL that Undo posts to.

    A view says so by `extra_tags="undo=<URL>"`.
    """

    kind: str
    text: str
    undo: str = ""


class Shell:
    """The frame around a page. Every property is worked out when the template asks, so a partial pays for none."""

    def __init__(self, request: HttpRequest, *, anonymous: bool = False) -> None:
        self._request = request
        self._anonymous = anonymous
        self.live_url = settings.LIVE_URL
        # Whatever the page shows was read after this moment. Web's and Valkey's clocks may differ a little.
        self.live_after = f"{int(time.time() * 1000) - LIVE_MARGIN}-0"

    @cached_property
    def user(self) -> Any:
        """The signed-in user, or None. Loads the session's user on first use, as `request.user` does."""
        user = None if self._anonymous else getattr(self._request, "user", None)
        return user if user is not None and user.is_authenticated else None

    @property
    def role(self) -> str:
        """Role of the member in this organisation; "" outside one."""
        return getattr(getattr(self._request, "member", None), "role", "") or ""

    @cached_property
    def user_name(self) -> str:
        """The name to show for the signed-in user: the full name, else the part of the address before the @."""
        if self.user is None:
            return ""
        name: str = self.user.get_full_name() if hasattr(self.user, "get_full_name") else ""
        return name or self.user.email.partition("@")[0]

    @cached_property
    def nav(self) -> list[Entry]:
        return existing(nav.shown_to(self.role))

    @property
    def shortcut_entries(self) -> tuple[tuple[str, str], ...]:
        """(label, key) of the pages that have a key; none outside an organisation."""
        if getattr(self._request, "organization", None) is None:
            return ()
        return tuple((str(entry.label), entry.key) for entry in self.nav if entry.key)

    @property
    def frame(self) -> tuple[str, str, int, int]:
        """What links of the shell depend on, for the pieces of it that are kept: the organisation's prefix, the role,
        and the state of the registries."""
        return get_script_prefix(), self.role, nav.version, create.version

    @property
    def settings(self) -> list[tuple[Text, list[Entry]]]:
        groups = [(group, existing(entries)) for group, entries in settings_nav.groups(self.role)]
        return [(group, entries) for group, entries in groups if entries]

    @property
    def first_setting(self) -> str:
        """The path of the first page of the settings; "" where the role has none."""
        return next((path_to(entry.url_name) for _group, entries in self.settings for entry in entries), "")

    @property
    def create(self) -> list[Entry]:
        return existing(create.shown_to(self.role))

    @cached_property
    def unread(self) -> int:
        """Unread notifications of the member; 0 outside of an organisation."""
        count: int = getattr(self._request, "member_unread", 0)
        return count

    @cached_property
    def pins(self) -> str:
        """What tells the member's pinned views from others and from earlier ones; "" where there are none."""
        marks = getattr(self._request, "member_marks", "")
        if not any(mark.count(" ") > 2 for mark in marks.split(",")):
            return ""
        return hashlib.sha256(f"{self._request.member.pk} {marks}".encode()).hexdigest()[:16]

    @property
    def theme(self) -> str:
        """ "light" or "dark"; "" follows the system. The cookie is newer than the profile: it is set at the click."""
        cookie = self._request.COOKIES.get(THEME_COOKIE)
        if cookie is not None:
            return cookie if cookie in THEMES else ""
        profile = getattr(self.user, "theme", "") if self.user is not None else ""
        return profile if profile in THEMES else ""

    @cached_property
    def messages(self) -> list["Message"]:
        """What was said to the person before this page loaded (log-in, saved settings); reading empties the list."""
        return [
            Message(
                "error" if message.level >= ERROR else "ok",
                str(message),
                message.extra_tags.removeprefix("undo=") if message.extra_tags.startswith("undo=") else "",
            )
            for message in get_messages(self._request)
        ]

    @property
    def shortcuts(self) -> bool:
        """Whether single keys do something (WCAG 2.1.4: people can switch them off in their profile)."""
        return bool(getattr(self.user, "shortcuts", True))

    @property
    def sidebar_closed(self) -> bool:
        return self._request.COOKIES.get(SIDEBAR_COOKIE) == "closed"

    def has(self, url_name: str) -> bool:
        """Tell whether a page of the organisation exists, for links to what another app brings."""
        return url_exists(url_name)

    def has_global(self, url_name: str) -> bool:
        return url_exists(url_name, everywhere=True)
