"""What an activity may say, and which ones people write themselves. Pure: reads neither database nor clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from activities.enums import ActivityType, CallOutcome, Direction

# What people log and correct by hand. The rest is written by the system and stays as it is.
LOGGED = (ActivityType.NOTE, ActivityType.CALL, ActivityType.MEETING)
# What counts as contact with the customer: it ends rotting and is the "last activity".
TOUCHING = (ActivityType.EMAIL, ActivityType.CALL, ActivityType.MEETING, ActivityType.NOTE, ActivityType.SMS)
EDITABLE = ("subject", "body", "direction", "occurred_at", "duration_seconds", "outcome")

SUBJECT_LENGTH = 200
BODY_LENGTH = 20_000
LONGEST = timedelta(hours=24)
# Nobody logs a call of another century; such a date is a slip of the keyboard.
YEARS_BACK, YEARS_AHEAD = 50, 5


def closed(kind: str) -> str:
    """Why nobody may change an activity of that type; "" where somebody may."""
    return "" if kind in LOGGED else _("Keel wrote this entry itself; it can't be changed.")


def is_completed(kind: str, occurred_at: datetime, now: datetime) -> bool:
    """Whether an activity has happened and touched the customer; a planned one has not."""
    return kind in TOUCHING and occurred_at <= now


def problems(values: Mapping[str, Any], now: datetime) -> dict[str, str]:
    """What is wrong with the values of a logged activity, by field; empty when nothing is."""
    found: dict[str, str] = {}
    kind = values["type"]
    if kind not in LOGGED:
        return {"type": _("Choose a note, a call or a meeting.")}
    _texts(kind, values, found)
    _call(kind, values, found)
    seconds = values["duration_seconds"]
    if seconds is not None and kind == ActivityType.NOTE:
        found["duration_seconds"] = _("A note takes no time. Leave the duration empty.")
    elif seconds is not None and not 0 < seconds <= LONGEST.total_seconds():
        found["duration_seconds"] = _("Enter a duration between one minute and 24 hours.")
    if abs(values["occurred_at"].year - now.year) > (YEARS_BACK if values["occurred_at"] < now else YEARS_AHEAD):
        found["occurred_at"] = _("Check the year of this date.")
    return found


def _texts(kind: str, values: Mapping[str, Any], found: dict[str, str]) -> None:
    subject, body = values["subject"].strip(), values["body"].strip()
    if kind == ActivityType.NOTE and not body:
        found["body"] = _("Write the note.")
    if kind == ActivityType.MEETING and not (subject or body):
        found["subject"] = _("Say what the meeting was about.")
    if len(subject) > SUBJECT_LENGTH:
        found["subject"] = _("Too long: %(limit)s characters at most.") % {"limit": SUBJECT_LENGTH}
    if len(body) > BODY_LENGTH:
        found["body"] = _("Too long: %(limit)s characters at most.") % {"limit": BODY_LENGTH}


def _call(kind: str, values: Mapping[str, Any], found: dict[str, str]) -> None:
    is_call = kind == ActivityType.CALL
    if values["direction"] and (not is_call or values["direction"] not in Direction.values):
        found["direction"] = _("Only a call is inbound or outbound.")
    if values["outcome"] and not is_call:
        found["outcome"] = _("Only a call has an outcome.")
    if is_call and values["outcome"] not in CallOutcome.values:
        found["outcome"] = _("Choose how the call ended.")
