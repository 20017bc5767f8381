"""Mails: one template each, shown as text and as HTML, and where they go.

A template in templates/mail/ extends `layout` and fills the blocks subject, text and, for a link, action; the mail's
context gives the link itself. Paragraphs are separated by empty lines.
"""

from __future__ import annotations

import html
import logging
import smtplib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template import engines
from django.utils import translation
from django.utils.translation import gettext as _
from jinja2_fragments import render_block

log = logging.getLogger(__name__)


def compose(to: str, name: str, context: Mapping[str, Any], *, language: str = "en") -> EmailMultiAlternatives:
    """The mail `templates/mail/<name>.html` to one address, in the reader's language."""
    template = f"mail/{name}.html"
    jinja: Any = engines["jinja2"]
    env = jinja.env
    with translation.override(language):
        values = {"to": to, "link": "", **context}
        page = env.get_template(template).render({**values, "layout": "mail/_layout.html"})
        # The templates escape for HTML; the text part is no HTML.
        text = html.unescape(env.get_template(template).render({**values, "layout": "mail/_layout.txt"}))
        subject = html.unescape(render_block(env, template, "subject", {**values, "layout": "mail/_layout.txt"}))
    message = EmailMultiAlternatives(" ".join(subject.split()), text.strip() + "\n", settings.DEFAULT_FROM_EMAIL, [to])
    message.attach_alternative(page, "text/html")
    return message


def send_on_commit(to: str, name: str, context: Mapping[str, Any], *, language: str = "en") -> None:
    """Sends a mail once the request's transaction has committed: for mails that belong to no organisation.

    They can't wait in the outbox, which is an organisation's. A mail server that does not answer costs the request
    EMAIL_TIMEOUT seconds at most and never fails it: the fault is logged, and every page that asks for such a mail
    says how to ask for it again.
    """
    message = compose(to, name, context, language=language)
    transaction.on_commit(partial(deliver, message, name), robust=True)


def deliver(message: EmailMultiAlternatives, name: str) -> bool:
    """Hands a mail to the mail server or the file; says whether that worked."""
    try:
        message.send()
    except (OSError, smtplib.SMTPException):
        # No address in the log: it is personal, and the request id leads to it where it must be found.
        log.exception("The mail %r could not be sent.", name)
        return False
    return True


def delivery_note() -> str:
    """Where mail goes when it is written to files instead of being sent; "" when a mail server has it."""
    if not settings.EMAIL_BACKEND.endswith("filebased.EmailBackend"):
        return ""
    path = Path(settings.EMAIL_FILE_PATH)
    if path.is_relative_to(settings.BASE_DIR):
        path = path.relative_to(settings.BASE_DIR)
    return _("This server sends no mail. Look for the message in %(path)s") % {"path": path}
