"""Encryption of secrets: round trip, bounds of organisation and purpose, tampering, rotation."""

import base64
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from crm.enums import Role
from crm.lib import crypto
from crm.lib.crypto import DataKeyMissing, MasterKeyMissing, Tampered, WrongKey, decrypt, decrypt_text, encrypt
from crm.models import Organization
from tests.factories import Org, make_org

pytestmark = pytest.mark.django_db(transaction=True)
OLD = "old:" + base64.b64encode(b"a" * 32).decode()
NEW = "new:" + base64.b64encode(b"b" * 32).decode()
PURPOSE = "connection.refresh_token"


def wrapped(org: Org) -> str:
    with org.system():
        return Organization.objects.get(pk=org.id).data_key


@hypothesis_settings(max_examples=40, deadline=None)
@given(plaintext=st.binary(max_size=300))
def test_what_is_encrypted_is_read_again(plaintext: bytes) -> None:
    org = make_org()
    with org.system():
        value = encrypt(org.id, plaintext, PURPOSE)
        assert decrypt(org.id, value, PURPOSE) == plaintext
        assert len(plaintext) < 4 or plaintext not in base64.b64decode(value.removeprefix("v1."))


def test_text_is_read_again() -> None:
    org = make_org()
    with org.system():
        assert decrypt_text(org.id, encrypt(org.id, "naïve ☂", PURPOSE), PURPOSE) == "naïve ☂"


def test_same_text_is_never_encrypted_to_the_same_value() -> None:
    org = make_org()
    with org.system():
        assert len({encrypt(org.id, "secret", PURPOSE) for _ in range(50)}) == 50


def test_first_use_by_a_rep_makes_the_data_key_once() -> None:
    org = make_org()
    rep = org.member(Role.REP)
    assert wrapped(org) == ""
    with org.acting(rep):
        value = encrypt(org.id, "secret", PURPOSE)
    key = wrapped(org)
    assert key.startswith("k1:")
    with org.acting(rep):
        encrypt(org.id, "another", PURPOSE)
        assert decrypt_text(org.id, value, PURPOSE) == "secret"
    assert wrapped(org) == key


def test_two_first_uses_at_once_share_one_data_key() -> None:
    org = make_org()
    values: list[str] = []
    both = threading.Barrier(2)

    def use() -> None:
        both.wait(10)
        try:
            with org.system():
                values.append(encrypt(org.id, "secret", PURPOSE))
        finally:
            connection.close()

    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    with org.system():
        assert [decrypt_text(org.id, value, PURPOSE) for value in values] == ["secret", "secret"]


def test_value_of_another_organisation_is_refused() -> None:
    one, two = make_org(), make_org()
    with one.system():
        value = encrypt(one.id, "secret", PURPOSE)
    with two.system():
        encrypt(two.id, "own", PURPOSE)
        with pytest.raises(WrongKey):
            decrypt(two.id, value, PURPOSE)
        with pytest.raises(DataKeyMissing):
            decrypt(one.id, value, PURPOSE)
        with pytest.raises(DataKeyMissing):
            encrypt(one.id, "secret", PURPOSE)


def test_value_is_bound_to_its_organisation_even_under_the_same_data_key() -> None:
    one, two = make_org(), make_org()
    with one.system():
        value = encrypt(one.id, "secret", PURPOSE)
    stolen = wrapped(one)
    with two.system():
        Organization.objects.filter(pk=two.id).update(data_key=stolen)
        with pytest.raises(Tampered):
            decrypt(two.id, value, PURPOSE)


def test_value_of_another_purpose_is_refused() -> None:
    org = make_org()
    with org.system():
        value = encrypt(org.id, "secret", PURPOSE)
        with pytest.raises(Tampered):
            decrypt(org.id, value, "webhook.secret")
        with pytest.raises(ValueError):
            encrypt(org.id, "secret", "")


def flip(value: str, position: int) -> str:
    packed = bytearray(base64.b64decode(value.removeprefix("v1.")))
    packed[position] ^= 1
    return "v1." + base64.b64encode(bytes(packed)).decode()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda value: flip(value, 0), WrongKey),  # key id
        (lambda value: flip(value, 5), Tampered),  # nonce
        (lambda value: flip(value, 17), Tampered),  # text
        (lambda value: flip(value, -1), Tampered),  # tag
        (lambda value: value[:20], Tampered),
        (lambda value: value[:-4], Tampered),
        (lambda value: value + "!", Tampered),
        (lambda _value: "", Tampered),
        (lambda _value: "secret", Tampered),
    ],
)
def test_changed_value_is_refused(change: Callable[[str], str], error: type[Exception]) -> None:
    org = make_org()
    with org.system():
        value = encrypt(org.id, "a secret that is long enough", PURPOSE)
        with pytest.raises(error):
            decrypt(org.id, change(value), PURPOSE)


def test_reading_before_anything_was_encrypted_is_refused() -> None:
    org, other = make_org(), make_org()
    with other.system():
        value = encrypt(other.id, "secret", PURPOSE)
    with org.system(), pytest.raises(DataKeyMissing):
        decrypt(org.id, value, PURPOSE)
    assert wrapped(org) == ""


def test_rotation_wraps_every_data_key_anew_and_values_stay(settings: Any) -> None:
    settings.MASTER_KEYS = [OLD]
    orgs = [make_org() for _ in range(3)]
    unused = make_org()
    values = []
    for org in orgs:
        with org.system():
            values.append(encrypt(org.id, "secret", PURPOSE))
    settings.MASTER_KEYS = [NEW, OLD]
    with orgs[0].system():
        assert decrypt_text(orgs[0].id, values[0], PURPOSE) == "secret"
    call_command("rotate_master_key")
    assert [wrapped(org).partition(":")[0] for org in [*orgs, unused]] == ["new", "new", "new", ""]
    settings.MASTER_KEYS = [NEW]
    for org, value in zip(orgs, values, strict=True):
        with org.system():
            assert decrypt_text(org.id, value, PURPOSE) == "secret"
    before = [wrapped(org) for org in orgs]
    call_command("rotate_master_key")
    assert [wrapped(org) for org in orgs] == before


def test_rotation_without_the_old_key_says_so_and_goes_on(settings: Any) -> None:
    settings.MASTER_KEYS = [OLD]
    lost = make_org()
    with lost.system():
        value = encrypt(lost.id, "secret", PURPOSE)
    settings.MASTER_KEYS = [NEW]
    with lost.system(), pytest.raises(MasterKeyMissing):
        decrypt(lost.id, value, PURPOSE)
    before = wrapped(lost)
    with pytest.raises(CommandError, match="Master key 'old' is not in MASTER_KEYS"):
        call_command("rotate_master_key")
    assert wrapped(lost) == before


def test_another_key_under_the_same_id_is_noticed(settings: Any) -> None:
    settings.MASTER_KEYS = [OLD]
    org = make_org()
    with org.system():
        value = encrypt(org.id, "secret", PURPOSE)
    settings.MASTER_KEYS = ["old:" + base64.b64encode(b"c" * 32).decode()]
    with org.system(), pytest.raises(Tampered):
        decrypt(org.id, value, PURPOSE)


@pytest.mark.parametrize(
    "keys", [[], ["k1"], ["k1:short"], [":" + OLD.partition(":")[2]], [OLD, OLD], ["k1:" + "!" * 44]]
)
def test_master_keys_that_are_none_are_refused(settings: Any, keys: list[str]) -> None:
    settings.MASTER_KEYS = keys
    with pytest.raises(ImproperlyConfigured):
        crypto.master_keys()
