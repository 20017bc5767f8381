"""The lines of a timeline as HTML, in the markup of templates/components/timeline.html. Put together in Python: a page
has dozens of them, and a macro call costs ten times what an f-string does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_  # noqa: N812 -- the name that extractors know
from django.utils.translation import ngettext
from markupsafe import Markup, escape

from activities.enums import BY_SYSTEM
from activities.records import OUTCOME_TONES
from activities.timelines import Day, Entry
from activities.views._paths import Paths
from crm.web import formats
from crm.web.jinja import icon

MARKS = {
    "note": ("sticky-note", "amber"), "call": ("phone", "green"), "meeting": ("calendar", "pink"),
    "email": ("mail", "blue"), "sms": ("message-square", "blue"), "task": ("square-check", "teal"),
    "stage_change": ("git-branch", "violet"), "system": ("plus", "gray"), "created": ("plus", "gray"),
    "changed": ("pencil", "gray"), "deleted": ("trash-2", "red"), "restored": ("undo-2", "gray"),
    "won": ("trophy", "green"), "lost": ("circle-x", "red"), "inbound": ("phone-incoming", "green"),
}  # fmt: skip


def duration(seconds: int | None) -> str:
    """How long something took: "13 min", "1 h 30 min"; "" when it is not known."""
    if not seconds:
        return ""
    minutes = max(1, (seconds + 30) // 60)
    hours, rest = divmod(minutes, 60)
    parts = [_("%(hours)d h") % {"hours": hours}] if hours else []
    if rest:
        parts.append(_("%(minutes)d min") % {"minutes": rest})
    return " ".join(parts)


class Lines:
    """Tells entries to the reader of one page. `kind` is the type of the record whose timeline it is, "" elsewhere;
    `sought` is the activity that the page was opened at.

    Every method answers HTML in which all that people wrote is escaped.
    """

    def __init__(self, kind: str = "", sought: UUID | None = None) -> None:
        self.kind, self.sought = kind, sought
        self.paths = Paths()
        # Looked up once: every look at the reader's language or zone costs microseconds, and a page needs hundreds.
        self._zone = timezone.get_current_timezone()
        self._said: dict[str, str] = {}

    def _say(self, text: str) -> str:
        """A text in the reader's language."""
        if text not in self._said:
            self._said[text] = _(text)
        return self._said[text]

    def _label(self, text: str) -> str:
        return escape(self._say(text))

    def _who(self, e: Entry) -> str:
        names = {"import": N_("Import"), "automation": N_("Automation")}
        name = self._say(names[e.via]) if e.via in names else e.who or "Keel"
        return f"<strong>{escape(name)}</strong>"

    def _time(self, at: datetime, shown: Callable[[Any], str]) -> str:
        iso = at.astimezone(self._zone).isoformat(timespec="seconds")
        return f'<time datetime="{iso}" title="{escape(formats.exact(at))}">{escape(shown(at))}</time>'

    # -- pages

    def days(self, days: Iterable[Day], shown: str = "") -> Markup:
        """Entries under the heads of their days; the day `shown` (ISO) has its head already."""
        parts: list[str] = []
        for day in days:
            if day.day.isoformat() != shown:
                parts.append(_head(day.day))
            parts.extend(map(self.entry, day.entries))
        return Markup("".join(parts))  # noqa: S704 -- every value is escaped where it enters

    def entry(self, e: Entry) -> str:
        """One line with its card or its changes."""
        name, tone = _mark(e)
        found = ' aria-current="true"' if self.sought and e.activity_id == self.sought else ""
        return (
            f'<article class="tl" id="{e.id}"{found}><span class="tl-icon" data-tone="{tone}">{icon(name)}</span><div>'
            f'<div class="tl-line"><span class="tl-text">{self.sentence(e)}{_badges(e)}</span>{self._acts(e)}'
            f"{self._time(e.at, formats.clock)}</div>{_changes(e) if e.changes else _card(e)}</div></article>"
        )

    def recent(self, entries: Iterable[Entry]) -> Markup:
        """Rows of a list: who, what, when."""
        return Markup("".join(map(self._row, entries)))  # noqa: S704 -- every value is escaped where it enters

    def _row(self, e: Entry) -> str:
        name, tone = _mark(e)
        lead = f'<span class="tl-icon" data-tone="{tone}">{icon(name)}</span>'
        if e.who:
            ini = escape(formats.initials(e.who))
            tone = formats.tone_for(e.who)
            lead = f'<span class="avatar" data-tone="{tone}" aria-hidden="true" data-ini="{ini}"></span>'
        more = f'<span class="d truncate">{escape(e.subject or e.body)}</span>' if e.subject or e.body else ""
        return (
            f'<li class="item recent">{lead}<span class="grow"><span class="tl-text">{self.sentence(e)}{_badges(e)}'
            f'</span>{more}</span><span class="d nowrap">{self._time(e.at, formats.ago)}</span></li>'
        )

    # -- sentences

    def sentence(self, e: Entry) -> str:
        """What happened, in one sentence."""
        if e.kind == "system" and e.data.get("event") == "created":
            return self._created(e)
        return self._SENTENCES.get(e.kind, Lines._other)(self, e) + self._place(e)

    def _call(self, e: Entry) -> str:
        words = {"who": self._who(e), "whom": self._whom(e)}
        if e.planned:
            text = N_("%(who)s plans to call %(whom)s") if words["whom"] else N_("%(who)s plans a call")
        elif e.direction == "inbound":
            text = N_("%(whom)s called %(who)s") if words["whom"] else N_("%(who)s took a call")
        else:
            text = N_("%(who)s called %(whom)s") if words["whom"] else N_("%(who)s made a call")
        return self._say(text) % words

    def _meeting(self, e: Entry) -> str:
        words = {"who": self._who(e), "whom": self._whom(e)}
        if e.planned:
            text = N_("%(who)s plans to meet %(whom)s") if words["whom"] else N_("%(who)s plans a meeting")
        else:
            text = N_("%(who)s met %(whom)s") if words["whom"] else N_("%(who)s held a meeting")
        return self._say(text) % words

    def _note(self, e: Entry) -> str:
        whom = self._link(e, "contact")
        text = N_("%(who)s added a note on %(whom)s") if whom else N_("%(who)s added a note")
        return self._say(text) % {"who": self._who(e), "whom": whom}

    def _email(self, e: Entry) -> str:
        text = N_("%(who)s received an email") if e.direction == "inbound" else N_("%(who)s sent an email")
        return self._say(text) % {"who": self._who(e)}

    def _step(self, e: Entry) -> str:
        words = {"who": self._who(e), "deal": self._link(e, "deal") or self._say(N_("the deal"))}
        ends = {"won": N_("%(who)s won %(deal)s"), "lost": N_("%(who)s lost %(deal)s")}
        moved = (
            N_("%(who)s took the last move of %(deal)s back") if e.data.get("undo") else N_("%(who)s moved %(deal)s")
        )
        return self._say(ends.get(e.data.get("to_kind", ""), moved)) % words

    def _created(self, e: Entry) -> str:
        for kind, other in (
            ("deal", N_("%(who)s opened the deal %(name)s")),
            ("contact", N_("%(who)s added the contact %(name)s")),
            ("account", N_("%(who)s added the account %(name)s")),
        ):
            if kind in e.about:
                return self._say(other) % {"who": self._who(e), "name": self._link(e, kind)}
        own = {"deal": N_("%(who)s opened this deal"), "account": N_("%(who)s added this account")}
        return self._say(own.get(self.kind, N_("%(who)s added this contact"))) % {"who": self._who(e)}

    def _changed(self, e: Entry) -> str:
        count = len(e.changes)
        text = ngettext("%(who)s changed a field", "%(who)s changed %(count)d fields", count)
        return text % {"who": self._who(e), "count": count}

    def _other(self, e: Entry) -> str:
        texts = {
            "deleted": N_("%(who)s moved this to the recycle bin"),
            "restored": N_("%(who)s restored this from the recycle bin"),
            "sms": N_("%(who)s exchanged text messages"),
            "task": N_("%(who)s completed a task"),
        }
        return self._say(texts.get(e.kind, N_("%(who)s changed this"))) % {"who": self._who(e)}

    _SENTENCES: dict[str, Callable[[Lines, Entry], str]] = {
        "call": _call, "meeting": _meeting, "note": _note, "email": _email, "stage_change": _step,
        "created": _created, "changed": _changed,
    }  # fmt: skip

    def _whom(self, e: Entry) -> str:
        """Whom it was with; on their own page without a link."""
        return self._link(e, "contact") or (f"<strong>{escape(e.whom)}</strong>" if e.whom else "")

    def _place(self, e: Entry) -> str:
        """The deal or account that the sentence has not named."""
        if e.kind in ("stage_change", "created"):
            return ""
        links = (self._link(e, kind) for kind in ("deal", "account"))
        return "".join(f' <span class="muted">·</span> {link}' for link in links if link)

    def _link(self, e: Entry, kind: str) -> str:
        ref = e.about.get(kind)
        return f'<a href="{self.paths.record(kind, ref.id)}">{escape(ref.name)}</a>' if ref else ""

    def _acts(self, e: Entry) -> str:
        """What can be done with an entry. Its history is for whoever reads it; what Keel writes down has none."""
        if e.activity_id is None or e.kind in BY_SYSTEM:
            return ""
        history = self.paths.history(e.activity_id)
        acts = (
            f'<a class="btn btn-xs btn-icon btn-ghost" href="{history}" hx-get="{history}" hx-target="#drawer" '
            f'aria-label="{self._label(N_("History of this entry"))}">{icon("history", "icon-sm")}</a>'
        )
        if e.may_change:
            edit, remove = self.paths.edit(e.activity_id), self.paths.deletion(e.activity_id)
            acts = (
                f'<a class="btn btn-xs btn-icon btn-ghost" href="{edit}" hx-get="{edit}" '
                f'hx-target="#dialog" aria-label="{self._label(N_("Edit this entry"))}">{icon("pencil", "icon-sm")}</a>'
                f'{acts}<button type="button" class="btn btn-xs btn-icon btn-ghost" hx-post="{remove}" '
                f'hx-target="closest article" hx-swap="delete" aria-label="{self._label(N_("Delete this entry"))}">'
                f"{icon('trash-2', 'icon-sm')}</button>"
            )
        return f'<span class="tl-acts">{acts}</span>'


def _head(day: date) -> str:
    return f'<h2 class="tl-day">{escape(formats.weekday(day))} <span class="d">{escape(formats.date(day))}</span></h2>'


def _mark(e: Entry) -> tuple[str, str]:
    special = e.data.get("to_kind", "") if e.kind == "stage_change" else e.direction if e.kind == "call" else ""
    return MARKS.get(special) or MARKS.get(e.kind, ("pencil", "gray"))


def _badge(text: str, tone: str, mark: str = "") -> str:
    return f'<span class="badge" data-tone="{escape(tone)}">{icon(mark) if mark else ""}{escape(text)}</span>'


def _badges(e: Entry) -> str:
    shown = " " + _badge(_("Planned"), "blue", "clock") if e.planned else ""
    if e.outcome:
        shown += " " + _badge(e.outcome_label, OUTCOME_TONES.get(e.outcome, "gray"))
    if e.kind == "stage_change" and e.data.get("to"):
        came = e.data.get("from")
        left = (
            f"{_badge(came, e.data.get('from_tone') or 'gray')}{icon('arrow-right', 'icon-xs muted')}" if came else ""
        )
        shown += f' <span class="tl-step">{left}{_badge(e.data["to"], e.data.get("to_tone") or "gray")}</span>'
    return shown


def _card(e: Entry) -> str:
    text, length = e.body or e.data.get("reason") or "", duration(e.seconds)
    if not (e.subject or text or length):
        return ""
    body = "".join(f"<p>{escape(line)}</p>" for line in text.split("\n") if line.strip())
    if not e.subject:
        body += f'<p class="muted small">{length}</p>' if length else ""
        return f'<div class="tl-card"><div class="tl-body soft">{body}</div></div>'
    note = f'<span class="muted small push nowrap">{length}</span>' if length else ""
    head = f'<header class="row"><h3 class="truncate">{escape(e.subject)}</h3>{note}</header>'
    return f'<div class="tl-card">{head}' + (f'<div class="tl-body soft">{body}</div></div>' if body else "</div>")


def _changes(e: Entry) -> str:
    arrow, empty = icon("arrow-right", "icon-xs"), escape(_("empty"))
    rows = "".join(
        f'<li><span class="k">{escape(c.label)}</span><span class="diff">'
        f"{f'<del>{escape(c.old)}</del>{arrow}' if c.old else ''}<ins>{escape(c.new) or empty}</ins></span></li>"
        for c in e.changes
    )
    return f'<ul class="changes">{rows}</ul>'
