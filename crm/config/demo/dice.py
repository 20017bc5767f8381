"""Chance that always falls the same way."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

T = TypeVar("T")


class Dice:
    """A source of chance with a fixed seed, and of times before `now`.

    The same seed, `now` and order of calls give the same answers.
    """

    def __init__(self, seed: str, now: dt.datetime) -> None:
        self.now = now
        self._random = random.Random(seed)  # noqa: S311 -- the same data every time is the point

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices."""
        return self._random.choice(choices)

    def weighted(self, weights: dict[T, int]) -> T:
        """One of the keys, as often as its weight says."""
        return self._random.choices(list(weights), list(weights.values()))[0]

    def some(self, choices: Sequence[T], count: int) -> list[T]:
        """`count` different choices."""
        return self._random.sample(choices, count)

    def shuffled(self, choices: Sequence[T]) -> list[T]:
        """All choices, in another order."""
        return self._random.sample(choices, len(choices))

    def number(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        return self._random.randint(low, high)

    def chance(self, percent: int) -> bool:
        """True in `percent` of a hundred cases."""
        return self._random.random() * 100 < percent

    def factor(self, low: float, high: float) -> float:
        """A number between `low` and `high`."""
        return self._random.uniform(low, high)

    def days_ago(self, low: float, high: float) -> dt.datetime:
        """A moment `low` to `high` days before now, in working hours, at least five minutes ago."""
        day = self.now - dt.timedelta(days=self._random.uniform(low, high))
        return min(self.at_work(day), self.now - dt.timedelta(minutes=self.number(5, 50)))

    def at_work(self, day: dt.datetime) -> dt.datetime:
        """A moment of that day between 7:30 and 16:30 UTC; a weekend's day becomes the Friday before."""
        day -= dt.timedelta(days=max(0, day.weekday() - 4))
        minutes = self.number(0, 540)
        return day.replace(hour=7, minute=30, second=self.number(0, 59), microsecond=0) + dt.timedelta(minutes=minutes)

    def between(self, early: dt.datetime, late: dt.datetime) -> dt.datetime:
        """A moment from `early` to `late`, in working hours where the span allows."""
        moment = early + (late - early) * self._random.random()
        return min(max(self.at_work(moment), early), late)

    def id(self, at: dt.datetime) -> UUID:
        """A UUIDv7 of that moment, so that ids sort as rows were made."""
        milliseconds = int(at.timestamp() * 1000)
        low = self._random.getrandbits(74)
        high_bits, low_bits = low >> 62, low & ((1 << 62) - 1)
        return UUID(int=(milliseconds << 80) | (7 << 76) | (high_bits << 64) | (2 << 62) | low_bits)
