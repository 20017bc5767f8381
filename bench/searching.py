"""Search, measured in the database: how long statements take for terms that vary, by kind of term and by role."""

from __future__ import annotations

import random
import string
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from django.urls import set_urlconf

from bench.people import Person
from crm import queries
from crm.records.search import search, search_quickly
from crm.tenancy.context import Actor, org_context

TERMS = 200  # of each kind, for each role
WARM_UP = 50  # a fresh copy of the database comes from the disk at first
SEED = 20  # terms are the same in every run


@dataclass
class Searched:
    """What searches of a kind have cost a role: milliseconds that statements took, of all statements of a search."""

    kind: str
    role: str
    p50_ms: float
    p95_ms: float
    bar_ms: float | None
    found: int  # searches that found something
    broken: list[str]


@dataclass(frozen=True)
class Words:
    """Values of records that terms are made of."""

    names: list[tuple[str, str]]
    emails: list[str]
    phones: list[str]
    titles: list[str]  # names of accounts and deals


def typed(words: Words, chance: random.Random) -> str:
    """The beginning of a name or an address."""
    first, last = chance.choice(words.names)
    text = chance.choice([first, last, f"{first} {last}", chance.choice(words.emails), chance.choice(words.titles)])
    return text[: chance.randint(1, 8)]


def two_words(words: Words, chance: random.Random) -> str:
    """A person's names, or a name and a company."""
    first, last = chance.choice(words.names)
    return f"{first} {chance.choice([last, chance.choice(words.titles).split()[0]])}"


def misspelled(words: Words, chance: random.Random) -> str:
    """A name with two letters swapped, one left out, or another one."""
    letters = list(chance.choice(chance.choice(words.names)))
    at = chance.randrange(1, max(2, len(letters) - 1))
    match chance.randrange(3):
        case 0:
            letters[at : at + 2] = reversed(letters[at : at + 2])
        case 1:
            del letters[at]
        case _:
            letters[at] = "x"
    return "".join(letters)


def fragment(words: Words, chance: random.Random) -> str:
    """The middle of an e-mail address or a phone number."""
    text = chance.choice([chance.choice(words.emails), chance.choice(words.phones)])
    start = chance.randrange(1, max(2, len(text) - 8))
    return text[start : start + chance.randint(4, 10)]


def nothing(_words: Words, chance: random.Random) -> str:
    """What nobody is called."""
    return "".join(chance.choices("qxzjkvw", k=chance.randint(5, 9))) + chance.choice(string.ascii_lowercase)


Make = Callable[[Words, random.Random], str]
# The bars are milliseconds in the database, for the slowest of twenty.
KINDS: dict[str, tuple[Make, float]] = {
    "as you type": (typed, 15),
    "two words": (two_words, 60),
    "misspelled": (misspelled, 60),
    "fragment of an e-mail or phone": (fragment, 150),
    "nothing": (nothing, 15),
}


def measure_search(people: dict[str, list[Person]], url: str, *, terms: int = TERMS) -> Iterator[Searched]:
    """Searches as every role's people, in this process; Django is set up for the run's copy."""
    words = _words(url, next(iter(people.values()))[0])
    set_urlconf(settings.ORG_URLCONF)
    for role, persons in people.items():
        actors = [_actor(person) for person in persons]
        for kind, (make, bar) in KINDS.items():
            chance = random.Random(SEED)
            taken = [_search(kind, make(words, chance), chance.choice(actors)) for _n in range(terms + WARM_UP)]
            yield summed_up(kind, role, taken[WARM_UP:], bar)


def summed_up(kind: str, role: str, taken: Sequence[tuple[float, bool]], bar: float) -> Searched:
    """What searches took, as (milliseconds, found something), against the bar."""
    times = sorted(ms for ms, _found in taken)
    p50, p95 = (round(times[min(len(times) - 1, int(len(times) * part))], 1) for part in (0.5, 0.95))
    broken = [f"{p95} ms, at most {bar:g}"] if p95 > bar else []
    return Searched(kind, role, p50, p95, bar, sum(found for _ms, found in taken), broken)


def _search(kind: str, term: str, actor: Actor) -> tuple[float, bool]:
    with org_context(actor), _timed() as timer:
        found = search_quickly(term, actor)[0] if kind == "as you type" else search(term, actor)
    return timer.seconds * 1000, bool(found)


class _Timer:
    """Adds up how long statements take."""

    seconds = 0.0

    def __call__(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.seconds += time.perf_counter() - started


@contextmanager
def _timed() -> Iterator[_Timer]:
    timer = _Timer()
    with connection.execute_wrapper(timer):
        yield timer


def _actor(person: Person) -> Actor:
    with org_context(Actor.system(person.org_id)):
        found = queries.member_by_id(person.member_id)
    assert found is not None
    return found.actor


def _words(url: str, person: Person) -> Words:
    with psycopg.connect(url) as database:

        def some(text: str) -> list[Any]:
            return database.execute(
                f"{text} WHERE org_id = %s ORDER BY id LIMIT 2000".encode(), [person.org_id]
            ).fetchall()

        contacts = some("SELECT first_name, last_name, email, phone FROM contacts_contact")
        titles = some("SELECT name FROM contacts_account") + some("SELECT name FROM deals_deal")
    return Words(
        [(first, last) for first, last, _email, _phone in contacts], [row[2] for row in contacts],
        [row[3] for row in contacts], [name for (name,) in titles],
    )  # fmt: skip


def line(one: Searched) -> str:
    """One result as a line."""
    over = f"   over: {', '.join(one.broken)}" if one.broken else ""
    return f"Search, {one.kind:<32}{one.role:<9}{one.p50_ms:7.1f} ms, slowest of twenty {one.p95_ms:7.1f} ms{over}"
