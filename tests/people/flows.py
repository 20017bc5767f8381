"""What people do, over HTTP: the steps that several tests of sign-up, log-in and invitations share."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import mail
from django.test import Client

from crm.events.jobs import celery_app
from crm.events.outbox import TASK
from crm.models import Membership, OutboxEvent
from tests.factories import PASSWORD
from tests.support.web import client_for

SIGN_UP = {
    "organization": "Fjord Robotics",
    "name": "Maya Okafor",
    "email": "maya@fjord.example",
    "password1": PASSWORD,
}


def visitor(ip: str = "198.51.100.7") -> Client:
    """A browser that nobody is signed in with."""
    return Client(raise_request_exception=False, REMOTE_ADDR=ip)


def sign_up(client: Client, **other: str) -> Any:
    """Fills the sign-up form and sends it."""
    return client.post("/auth/signup/", {**SIGN_UP, **other})


def sign_in(client: Client, email: str, password: str = PASSWORD, **more: str) -> Any:
    """Fills the log-in form and sends it."""
    return client.post("/auth/login/", {"login": email, "password": password, **more})


def link_of(message: Any) -> str:
    """The path of the link in a mail; it leads to BASE_URL, and is the same in text and HTML."""
    found = re.findall(r"https?://\S+", message.body)
    assert len(set(found)) == 1, message.body
    assert found[0].startswith(settings.BASE_URL + "/")
    assert found[0] in message.alternatives[0].content
    return urlsplit(found[0]).path


def last_mail(to: str) -> Any:
    """The latest mail to an address."""
    return [message for message in mail.outbox if message.to == [to]][-1]


def comparable(response: Any) -> tuple[int, str, str]:
    """What a stranger can tell of an answer: status, where it leads, and the page without what is random in it."""
    page = re.sub(r'(csrfmiddlewaretoken" value=|X-CSRFToken": )"[^"]+"', "", response.content.decode())
    return response.status_code, response.headers.get("Location", ""), page


def run_jobs(org: Any) -> list[str]:
    """Runs the background jobs that an organisation's outbox asks for, as the relay and a worker would."""
    app = celery_app()
    app.loader.import_default_modules()
    with org.system():
        rows = list(OutboxEvent.objects.filter(name=TASK).order_by("id"))
        OutboxEvent.objects.filter(id__in=[row.id for row in rows]).delete()
    for row in rows:
        app.tasks[row.payload["task"]].apply(kwargs=row.payload["kwargs"]).get()
    return [row.payload["task"] for row in rows]


def invite(org: Any, admin: Membership, *emails: str, role: str = "rep", teams: tuple[Any, ...] = ()) -> None:
    """Invites addresses through the form, and sends the mails."""
    data = {"emails": "\n".join(emails), "role": role, "teams": [str(team.id) for team in teams]}
    answer = client_for(admin).post(f"/w/{org.slug}/settings/invitations/new/", data)
    assert answer.status_code == 302, answer.content.decode()
    run_jobs(org)
