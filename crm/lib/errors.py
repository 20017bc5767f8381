"""Errors a person may meet. Actions and access functions raise them; `crm.web.errors` turns them into an answer.

Each says what happened and what to do. `fields` maps form field names to messages where the error belongs to one.
"""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


class CrmError(Exception):
    """Base of all errors that are told to the person instead of being a fault of the program.

    `code` is stable and meant for programs ("deal.stage_gate"), `message` is translated and meant for people,
    `status` is the HTTP status of the answer.
    """

    code = "error"
    status = 400
    message: Text = _("That did not work. Try again.")

    def __init__(
        self,
        message: Text | None = None,
        *,
        code: str | None = None,
        fields: Mapping[str, Text] | None = None,
    ) -> None:
        self.message = message if message is not None else type(self).message
        self.code = code or type(self).code
        self.fields: dict[str, Text] = dict(fields or {})
        super().__init__(self.message)

    def __str__(self) -> str:
        return str(self.message)


class NotFound(CrmError):  # noqa: N818 -- reads as the answer it is
    """Absent, of another organisation, or not for this person: one answer for all three, so nothing leaks."""

    code = "not_found"
    status = 404
    message = _("This record is not here. It may have been deleted or merged, or the link is old.")


class Forbidden(CrmError):  # noqa: N818 -- reads as the answer it is
    """The person may see the thing but not do this to it."""

    code = "forbidden"
    status = 403
    message = _("Your role does not allow this. Ask an administrator of your organisation.")


class Conflict(CrmError):  # noqa: N818 -- reads as the answer it is
    """Somebody else was faster, or the state no longer allows it."""

    code = "conflict"
    status = 409
    message = _("Not saved. Somebody changed this in the meantime. Reload the page and try again.")


class Invalid(CrmError):  # noqa: N818 -- reads as the answer it is
    """The input breaks a rule; `fields` says where."""

    code = "invalid"
    status = 422
    message = _("Not saved. Check the marked fields.")


class MoreNeeded(Invalid):
    """The value is allowed, but wants an answer besides, such as why a deal is lost; `fields` says which."""

    code = "more_needed"


class TooSlow(CrmError):  # noqa: N818 -- reads as the answer it is
    """The database was not done in the time that such a question may take, and was stopped."""

    code = "too_slow"
    status = 503
    message = _("This took too long and was stopped. Narrow the filter down, or ask for less at once.")


class RateLimited(CrmError):  # noqa: N818 -- reads as the answer it is
    """Too many tries; `retry_after` seconds until the next one is heard."""

    code = "rate_limited"
    status = 429
    message = _("Too many tries. Wait a little and try again.")

    def __init__(self, message: Text | None = None, *, retry_after: int = 60, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after
