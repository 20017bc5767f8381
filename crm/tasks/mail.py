"""Mails that an organisation sends."""

from __future__ import annotations

import logging
import smtplib

from celery import shared_task
from django.utils import translation

from crm import people
from crm.enums import Role, TokenKind
from crm.lib import mail, tokens
from crm.tenancy.tasks import OrgTask
from crm.web.urls import global_url

log = logging.getLogger(__name__)


@shared_task(
    base=OrgTask,
    bind=True,
    name="crm.mail.send_invitation",
    autoretry_for=(OSError, smtplib.SMTPException),
    retry_backoff=30,
    retry_backoff_max=1800,
    max_retries=8,
    time_limit=120,
)
def send_invitation(self: OrgTask, *, org_id: str, invitation_id: str) -> bool:
    """Sends an invitation that is still open; says whether it did.

    A job that runs twice sends the same link twice, which does no harm: it works once.
    """
    with self.organization(org_id):
        found = people.open_invitation(invitation_id)
    if found is None:
        return False
    secret = tokens.secret_matching(found.token_id, TokenKind.INVITATION, found.digest)
    if secret is None:
        log.error("Invitation %s was made under a SECRET_KEY that is gone: send it again.", invitation_id)
        return False
    with translation.override(found.locale):
        context = {
            "inviter": found.inviter or found.organization,
            "organization": found.organization,
            "role": str(Role(found.role).label),
            "until": found.until,
            "link": global_url("invitation", secret),
        }
    mail.compose(found.email, "invitation", context, language=found.locale).send()
    return True
