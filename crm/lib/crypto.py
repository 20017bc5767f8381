"""Encryption of secrets at rest: AES-256-GCM, a data key for each organisation, wrapped by a master key.

The master keys stand in the setting MASTER_KEYS (`id:base64` of 32 bytes; the first one wraps new data keys), the
wrapped data key in `Organization.data_key` as `<master key id>:<base64>`. What is encrypted is bound to its
organisation and its purpose ("connection.refresh_token"), so that a value copied to another row or column can't be
read there.

A value is text: `v1.` and the base64 of key id (4 bytes, of the data key), nonce (12) and sealed bytes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Sequence
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from crm.models import Organization
from crm.tenancy import context
from crm.tenancy.context import elevated

KEY_BYTES = 32
NONCE_BYTES = 12
KEY_ID_BYTES = 4
FORMAT = "v1."


class CryptoError(Exception):
    """A secret can't be encrypted or read. For operators and logs; nobody but the program has made the value."""


class MasterKeyMissing(CryptoError):  # noqa: N818 -- says what is the matter
    """The data key is wrapped by a master key that is not in MASTER_KEYS: put the old key back, behind the first."""


class DataKeyMissing(CryptoError):  # noqa: N818 -- says what is the matter
    """The organisation that is entered is another one, or has never encrypted anything."""


class WrongKey(CryptoError):  # noqa: N818 -- says what is the matter
    """The value was encrypted with another data key: it belongs to another organisation, or to an old backup."""


class Tampered(CryptoError):  # noqa: N818 -- says what is the matter
    """The value is not what was encrypted, or was encrypted for another purpose."""


def encrypt(org_id: UUID, plaintext: str | bytes, purpose: str) -> str:
    """Encrypts for the organisation that is entered. Raises CryptoError; the first call makes its data key."""
    return encrypt_many(org_id, [plaintext], purpose)[0]


def encrypt_many(org_id: UUID, plaintexts: Sequence[str | bytes], purpose: str) -> list[str]:
    """`encrypt` for many values, with the key read once."""
    key = _data_key(org_id, make=True) if plaintexts else b""
    found = []
    for plaintext in plaintexts:
        nonce = os.urandom(NONCE_BYTES)
        data = plaintext.encode() if isinstance(plaintext, str) else plaintext
        sealed = AESGCM(key).encrypt(nonce, data, _bound_to(org_id, purpose))
        found.append(FORMAT + base64.b64encode(_key_id(key) + nonce + sealed).decode())
    return found


def decrypt(org_id: UUID, value: str, purpose: str) -> bytes:
    """Reads what `encrypt` made for the same organisation and purpose. Raises a subclass of CryptoError."""
    return decrypt_many(org_id, [value], purpose)[0]


def decrypt_many(org_id: UUID, values: Sequence[str], purpose: str) -> list[bytes]:
    """`decrypt` for many values, with the key read once. Raises a subclass of CryptoError."""
    packed = [_unpack(value) for value in values]
    key = _data_key(org_id) if values else b""
    return [_opened(each, key, _bound_to(org_id, purpose)) for each in packed]


def _opened(packed: bytes, key: bytes, bound_to: bytes) -> bytes:
    if packed[:KEY_ID_BYTES] != _key_id(key):
        raise WrongKey("This value was encrypted with another data key.")
    nonce, sealed = packed[KEY_ID_BYTES:][:NONCE_BYTES], packed[KEY_ID_BYTES + NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, sealed, bound_to)
    except InvalidTag:
        raise Tampered("This value was changed, or encrypted for another purpose.") from None


def decrypt_text(org_id: UUID, value: str, purpose: str) -> str:
    """`decrypt` for what was text. Raises a subclass of CryptoError."""
    return decrypt(org_id, value, purpose).decode()


def master_keys() -> dict[str, bytes]:
    """The master keys by id, the one for new data keys first. Raises ImproperlyConfigured."""
    keys: dict[str, bytes] = {}
    for entry in settings.MASTER_KEYS:
        name, _, text = entry.partition(":")
        try:
            key = base64.b64decode(text, validate=True)
        except binascii.Error:
            key = b""
        if not name or name in keys or len(key) != KEY_BYTES:
            raise ImproperlyConfigured("MASTER_KEYS needs `id:base64` entries of 32 random bytes, each id once.")
        keys[name] = key
    if not keys:
        raise ImproperlyConfigured("MASTER_KEYS is missing: set `k1:` and 32 random bytes in base64.")
    return keys


def rewrap_data_key(org_id: UUID) -> bool:
    """Wraps the organisation's data key by the first master key; says whether it was wrapped by another one.

    Values stay as they are. Raises MasterKeyMissing while the old master key is not at hand.
    """
    with transaction.atomic():
        organization = Organization.objects.select_for_update().filter(pk=org_id).first()
        if organization is None:
            raise DataKeyMissing(f"Organisation {org_id} is not the one that is entered.")
        first = next(iter(master_keys()))
        if not organization.data_key or organization.data_key.partition(":")[0] == first:
            return False
        _store(org_id, _unwrap(org_id, organization.data_key))
        return True


def _data_key(org_id: UUID, *, make: bool = False) -> bytes:
    wrapped = _wrapped(org_id)
    if not wrapped and make:
        wrapped = _make_data_key(org_id)
    if not wrapped:
        raise DataKeyMissing(f"Organisation {org_id} has no data key: nothing was ever encrypted for it.")
    return _unwrap(org_id, wrapped)


def _wrapped(org_id: UUID, *, lock: bool = False) -> str:
    """The wrapped key, from the database each time: an object at hand may have been loaded without it."""
    if context.current_org_id() != org_id:
        raise DataKeyMissing(f"Organisation {org_id} is not the one that is entered.")
    rows = Organization.objects.filter(pk=org_id)
    found = (rows.select_for_update() if lock else rows).values_list("data_key", flat=True).first()
    if found is None:
        raise DataKeyMissing(f"Organisation {org_id} is not there.")
    return found


def _make_data_key(org_id: UUID) -> str:
    with elevated("the organisation's data key is made for whoever needs it first"), transaction.atomic():
        # Somebody else may have made one since: under the lock, the one that is there counts.
        return _wrapped(org_id, lock=True) or _store(org_id, os.urandom(KEY_BYTES))


def _store(org_id: UUID, key: bytes) -> str:
    name, master = next(iter(master_keys().items()))
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(master).encrypt(nonce, key, _bound_to(org_id, "data-key"))
    wrapped = f"{name}:{base64.b64encode(nonce + sealed).decode()}"
    Organization.objects.filter(pk=org_id).update(data_key=wrapped)
    return wrapped


def _unwrap(org_id: UUID, wrapped: str) -> bytes:
    name, _, text = wrapped.partition(":")
    master = master_keys().get(name)
    if master is None:
        raise MasterKeyMissing(f"Master key {name!r} is not in MASTER_KEYS; organisation {org_id} needs it.")
    packed = base64.b64decode(text)
    try:
        return AESGCM(master).decrypt(packed[:NONCE_BYTES], packed[NONCE_BYTES:], _bound_to(org_id, "data-key"))
    except InvalidTag:
        raise Tampered(
            f"The data key of organisation {org_id} was changed, or master key {name!r} is not the same."
        ) from None


def _bound_to(org_id: UUID, purpose: str) -> bytes:
    if not purpose:
        raise ValueError("Name the purpose of what is encrypted.")
    return b"keel\0" + org_id.bytes + purpose.encode()


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"keel key id" + key).digest()[:KEY_ID_BYTES]


def _unpack(value: str) -> bytes:
    if not value.startswith(FORMAT):
        raise Tampered("This value was not encrypted by Keel.")
    try:
        packed = base64.b64decode(value.removeprefix(FORMAT), validate=True)
    except binascii.Error:
        raise Tampered("This value was changed.") from None
    if len(packed) < KEY_ID_BYTES + NONCE_BYTES + 16:
        raise Tampered("This value was cut off.")
    return packed
