"""E-mail addresses as they are stored and compared."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

MAX = 254  # characters of an address
_validate = EmailValidator(allowlist=[])


def clean_email(text: str) -> str | None:
    """An address without blanks around it, its domain in lower case; None when it is no e-mail address.

    The part before the @ stays as it was written: it is compared without case by the database's normalised twin.
    """
    local, at, domain = text.strip().rpartition("@")
    address = f"{local}{at}{domain.lower()}"
    try:
        _validate(address)
    except ValidationError:
        return None
    return address if len(address) <= MAX else None


def same_email(address: str) -> str:
    """The form in which two addresses are compared; equal to the database's `address_norm`."""
    return address.lower()
