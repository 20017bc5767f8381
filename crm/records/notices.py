"""What notifications say: a sentence, an icon and an address by kind. Filled in AppConfig.ready()."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from markupsafe import Markup

from crm.enums import BulkKind, Role
from crm.models import Notification
from crm.records.limits import types_without_stand_in
from crm.records.names import Names
from crm.records.registry import registry
from crm.tenancy.context import Actor
from crm.web.urls import path_to

Sentence = Callable[[Mapping[str, Any]], str]
Address = Callable[[Notification], str]


@dataclass(frozen=True, slots=True)
class Notice:
    """How one kind of notification is shown. `tone` colours the icon; without `url` it leads to its record's page."""

    icon: str
    tone: str
    sentence: Sentence
    url: Address | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A notification in words. `url` is "" where it leads nowhere."""

    icon: str
    tone: str
    text: str
    url: str


_notices: dict[str, Notice] = {}


def add(kind: str, icon: str, tone: str, sentence: Sentence, url: Address | None = None) -> None:
    """Says how a kind of notification reads. `sentence(data)` answers markup (see `say`) or plain text."""
    _notices[kind] = Notice(icon, tone, sentence, url)


def say(text: str, **names: Any) -> Markup:
    """A translated sentence with names in it: "{by} gave you {name}". Names are escaped and set in bold."""
    strong = Markup("<strong>{}</strong>")
    return Markup(text).format(**{key: strong.format(value or "…") for key, value in names.items()})  # noqa: S704 -- ours


def tell(notification: Notification) -> Told:
    """A notification in words, for its member."""
    return _told(notification, notification.data)


def tell_all(rows: Sequence[Notification], actor: Actor) -> list[Told]:
    """Notifications in words, for the actor. The name that one keeps may be an address which the actor's role does not
    see; then it tells the record's name as it is now."""
    limited = {t.key: t.model for t in types_without_stand_in(actor)}
    names = Names()
    for row in rows:
        if row.record_type in limited:
            names.want(limited[row.record_type], row.record)
    names.load()
    found = []
    for row in rows:
        model = limited.get(row.record_type)
        known = {"name": names.of(model, row.record) or _("(no name)")} if model and "name" in row.data else {}
        found.append(_told(row, {**row.data, **known}))
    return found


def _told(notification: Notification, data: Mapping[str, Any]) -> Told:
    notice = _notices.get(notification.kind)
    if notice is None:
        return Told("bell", "gray", say(_("News about {name}"), name=data.get("name", "")), record_url(notification))
    address = notice.url or record_url
    return Told(notice.icon, notice.tone, notice.sentence(data), address(notification))


def record_url(notification: Notification) -> str:
    """The page of the record that a notification is about; "" where there is none."""
    if not notification.record_type or notification.record is None:
        return ""
    try:
        own = registry.get(notification.record_type).url_names.get("detail")
    except KeyError:
        return ""
    try:
        if own:
            return path_to(own, notification.record)
        return path_to("record_detail", notification.record_type, notification.record)
    except NoReverseMatch:
        return ""


def register() -> None:
    """The kinds that the kernel itself sends. May run twice."""
    add("record.shared", "share-2", "blue", _shared)
    add("member.role_changed", "shield", "violet", _role_changed)
    add("member.joined", "user-plus", "green", lambda d: say(_("{name} joined the organisation"), name=_name(d)))
    add("member.records_received", "users", "teal", _records_received)
    add("records.assigned", "users", "teal", _records_assigned, _own_list)
    add("bulk.done", "circle-check", "green", _bulk_done, _run_url)
    add("bulk.partly", "triangle-alert", "amber", _bulk_done, _run_url)
    add("bulk.cancelled", "circle-x", "gray", _bulk_cancelled, _run_url)
    add("bulk.failed", "circle-alert", "red", _bulk_failed, _run_url)


def _by(data: Mapping[str, Any]) -> str:
    return data.get("by") or _("Somebody")


def _name(data: Mapping[str, Any]) -> str:
    return data.get("name") or _("a record")


def _shared(data: Mapping[str, Any]) -> str:
    if data.get("team"):
        return say(_("{by} shared {name} with your team {team}"), by=_by(data), name=_name(data), team=data["team"])
    return say(_("{by} shared {name} with you"), by=_by(data), name=_name(data))


def _role_changed(data: Mapping[str, Any]) -> str:
    role = dict(Role.choices).get(data.get("role", ""), "")
    return say(_("{by} gave you the role {role}"), by=_by(data), role=str(role))


def _records_received(data: Mapping[str, Any]) -> str:
    count = int(data.get("count") or 0)
    text = ngettext("{by} handed you a record of {name}", "{by} handed you {count} records of {name}", count)
    return say(text, by=_by(data), name=_name(data), count=str(count))


def _records_assigned(data: Mapping[str, Any]) -> str:
    count, things = f"{int(data.get('count') or 0):,}", data.get("things") or _("records")
    return say(_("{by} gave you {count} {things}"), by=_by(data), count=count, things=things)


def _own_list(notification: Notification) -> str:
    """The list of the member's own records of a type."""
    try:
        own = registry.get(notification.record_type).url_names.get("list")
    except KeyError:
        return ""
    return (path_to(own) if own else path_to("record_list", notification.record_type)) + "?owner=me"


def _bulk_done(data: Mapping[str, Any]) -> str:
    text = _("{what}: done for {changed} {things}")
    if data.get("left"):
        text = _("{what}: done for {changed} {things}; {left} stayed as they were")
    return _bulk_said(text, data)


def _bulk_cancelled(data: Mapping[str, Any]) -> str:
    return _bulk_said(_("{what}: cancelled after {done} of {total} {things}"), data)


def _bulk_failed(data: Mapping[str, Any]) -> str:
    return _bulk_said(_("{what}: stopped after {done} of {total} {things}"), data)


def _bulk_said(text: str, data: Mapping[str, Any]) -> str:
    what = BulkKind(data["what"]).called(data.get("label", ""))
    counts = {key: f"{int(data.get(key) or 0):,}" for key in ("changed", "left", "done", "total")}
    return say(text, what=what, things=data.get("things") or _("records"), **counts)


def _run_url(notification: Notification) -> str:
    """The page of a bulk run."""
    return path_to("bulk_run", notification.record)
