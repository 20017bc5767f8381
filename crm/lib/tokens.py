"""Secrets of single-use links. The database holds SHA-256 digests only; the secret itself is made again from the
token's id and the server's key, so that a background job can put it into a mail without anybody storing it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from uuid import UUID

from django.conf import settings


def secret_of(token_id: UUID, kind: str) -> str:
    """The secret that opens a token that is made now."""
    return _derive(settings.SECRET_KEY, token_id, kind)


def secret_matching(token_id: UUID, kind: str, digest: bytes) -> str | None:
    """The secret of a stored token: the keys that were replaced since (SECRET_KEY_FALLBACKS) are tried, too.

    None when the token was made under a key that is gone; its link can't be told any more.
    """
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        secret = _derive(key, token_id, kind)
        if hmac.compare_digest(digest_of(secret), digest):
            return secret
    return None


def digest_of(secret: str) -> bytes:
    """What the database holds of a secret, 32 bytes."""
    return hashlib.sha256(secret.encode()).digest()


def _derive(key: str, token_id: UUID, kind: str) -> str:
    purpose = hmac.new(key.encode(), f"keel.token.{kind}".encode(), hashlib.sha256).digest()
    secret = hmac.new(purpose, token_id.bytes, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode()
