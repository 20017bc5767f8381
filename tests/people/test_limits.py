"""Limits on tries: per address and per client, in PostgreSQL, whatever Valkey does."""

import threading

import pytest
import redis
from django.core import mail
from django.db import connection
from django.utils import timezone

from crm import queries
from crm.actions.upkeep import clear_expired
from crm.lib import ratelimit
from crm.lib.clients import client_ip
from crm.lib.errors import RateLimited
from crm.models import RateLimit, User
from tests.factories import make_user
from tests.people.flows import comparable, sign_in, sign_up, visitor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def valkey_down(monkeypatch, settings):
    """Every connection to Valkey is refused."""

    def refuse(*args, **kwargs):
        raise redis.ConnectionError("down")

    monkeypatch.setattr(redis.connection.ConnectionPool, "get_connection", refuse)


def tries(function, count):
    return [function(n) for n in range(count)]


def test_log_in_is_limited_for_an_address_from_anywhere(valkey_down):
    make_user("Maya Okafor", "maya@fjord.example")
    answers = tries(lambda n: sign_in(visitor(f"198.51.100.{n}"), "maya@fjord.example", "wrong").status_code, 11)
    assert answers == [422] * 10 + [429]
    right = sign_in(visitor("203.0.113.1"), "MAYA@fjord.example ")
    assert right.status_code == 429
    assert 0 < int(right["Retry-After"]) <= 900
    assert "Wait" in right.content.decode()


def test_log_in_is_limited_for_a_client_whatever_the_address(valkey_down):
    answers = tries(lambda n: sign_in(visitor(), f"{n}@fjord.example", "wrong").status_code, 61)
    assert answers == [422] * 60 + [429]
    assert sign_in(visitor("203.0.113.1"), "1@fjord.example", "wrong").status_code == 422


def test_log_in_with_the_right_password_does_not_count():
    make_user("Maya Okafor", "maya@fjord.example")
    for _round in range(3):
        assert tries(lambda n: sign_in(visitor(), "maya@fjord.example", "wrong").status_code, 9) == [422] * 9
        assert sign_in(visitor(), "maya@fjord.example").status_code == 302
    counts = sorted(RateLimit.objects.values_list("count", flat=True))
    assert counts == [27]  # the client's failures; the address begins at zero again


def test_known_and_unknown_addresses_are_limited_alike():
    make_user("Maya Okafor", "maya@fjord.example")
    for email in ("maya@fjord.example", "nobody@fjord.example"):
        tries(lambda n, e=email: sign_in(visitor(f"198.51.100.{n}"), e, "wrong"), 10)
    known = comparable(sign_in(visitor("203.0.113.1"), "maya@fjord.example", "wrong"))
    unknown = comparable(sign_in(visitor("203.0.113.1"), "nobody@fjord.example", "wrong"))
    assert known[0] == unknown[0] == 429


def test_reset_is_limited_and_sends_no_more_mail(valkey_down):
    make_user("Maya Okafor", "maya@fjord.example")
    for email in ("maya@fjord.example", "nobody@fjord.example"):
        mail.outbox.clear()
        answers = tries(
            lambda n, e=email: visitor(f"198.51.100.{n}").post("/auth/password/", {"email": e}).status_code, 6
        )
        assert answers == [302] * 5 + [429]
        assert len(mail.outbox) == 5


def test_reset_is_limited_for_a_client(valkey_down):
    answers = tries(lambda n: visitor().post("/auth/password/", {"email": f"{n}@x.example"}).status_code, 21)
    assert answers == [302] * 20 + [429]


def test_sign_up_is_limited_and_makes_no_more_people(valkey_down):
    answers = tries(lambda n: sign_up(visitor(), email=f"{n}@fjord.example").status_code, 21)
    assert answers == [302] * 20 + [429]
    assert User.objects.count() == 20
    answers = tries(lambda n: sign_up(visitor(f"203.0.113.{n}"), email="one@fjord.example").status_code, 6)
    assert answers == [302] * 5 + [429]


def test_verification_mails_are_limited_silently():
    sign_up(visitor(), email="maya@fjord.example")
    pages = tries(lambda n: comparable(sign_in(visitor(), "maya@fjord.example")), 8)
    assert len(set(pages)) == 1
    assert len(mail.outbox) == 5


def test_count_of_many_at_once_misses_none():
    barrier = threading.Barrier(8)
    outcomes = []

    def knock():
        try:
            barrier.wait()
            for _n in range(5):
                try:
                    ratelimit.count("login", address="maya@fjord.example", ip="198.51.100.7")
                    outcomes.append("heard")
                except RateLimited:
                    outcomes.append("limited")
        finally:
            connection.close()

    threads = [threading.Thread(target=knock) for _n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (outcomes.count("heard"), outcomes.count("limited")) == (10, 30)


def test_window_ends(monkeypatch):
    limits = {"test": {"address": ratelimit.Limit(1, 1)}}
    monkeypatch.setattr(ratelimit, "LIMITS", limits)
    ratelimit.count("test", address="a@x.example")
    with pytest.raises(RateLimited) as caught:
        ratelimit.count("test", address="a@x.example")
    assert caught.value.retry_after == 1
    RateLimit.objects.update(expires_at=timezone.now())
    ratelimit.count("test", address="a@x.example")
    assert RateLimit.objects.get().count == 1


def test_count_tries_matches_counting_by_hand():
    """The hand-written statement against a plain model of it."""
    by_hand: dict[str, int] = {}
    for keys in (["a"], ["b", "a"], ["a", "c", "b"], ["c"]):
        rows = queries.count_tries([(key, 60) for key in keys])
        for key in keys:
            by_hand[key] = by_hand.get(key, 0) + 1
        assert {key: count for key, count, _left in rows} == {key: by_hand[key] for key in keys}
        assert all(0 < left <= 60 for _key, _count, left in rows)
    assert dict(RateLimit.objects.values_list("key", "count")) == by_hand


def test_counters_hold_no_address():
    ratelimit.count("login", address="maya@fjord.example", ip="198.51.100.7")
    assert all(len(row.key) == 64 and "maya" not in row.key for row in RateLimit.objects.all())


def test_counters_are_swept_after_their_window():
    ratelimit.count("login", address="a@x.example")
    ratelimit.count("login", address="b@x.example")
    first = RateLimit.objects.order_by("key").first()
    RateLimit.objects.filter(key=first.key).update(expires_at=timezone.now())
    assert clear_expired()[1] == 1
    assert RateLimit.objects.count() == 1


@pytest.mark.parametrize(
    ("remote", "forwarded", "trusted", "expected"),
    [
        ("198.51.100.7", "", [], "198.51.100.7"),
        ("198.51.100.7", "203.0.113.9", [], "198.51.100.7"),  # anybody can write the header
        ("10.0.0.2", "203.0.113.9", ["10.0.0.0/8"], "203.0.113.9"),
        ("10.0.0.2", "192.0.2.66, 203.0.113.9, 10.0.0.9", ["10.0.0.0/8"], "203.0.113.9"),
        ("10.0.0.2", "nonsense, 10.0.0.9", ["10.0.0.0/8"], "10.0.0.9"),
        ("10.0.0.2", "", ["10.0.0.0/8"], "10.0.0.2"),
        ("10.0.0.2", "203.0.113.9:4711", ["10.0.0.2"], "203.0.113.9"),
        ("::1", "[2001:db8::7]:4711", ["::1"], "2001:db8::7"),
        ("::ffff:10.0.0.2", "203.0.113.9", ["10.0.0.0/8"], "203.0.113.9"),
        ("", "203.0.113.9", ["10.0.0.0/8"], ""),
    ],
)
def test_client_ip(settings, remote, forwarded, trusted, expected):
    settings.TRUSTED_PROXIES = trusted
    assert client_ip({"REMOTE_ADDR": remote, "HTTP_X_FORWARDED_FOR": forwarded}) == expected


def test_addresses_of_one_ipv6_household_count_together():
    for n in range(20):
        ratelimit.count("reset", ip=f"2001:db8:0:1::{n:x}")
    with pytest.raises(RateLimited):
        ratelimit.count("reset", ip="2001:db8:0:1:ffff::1")
    ratelimit.count("reset", ip="2001:db8:0:2::1")
