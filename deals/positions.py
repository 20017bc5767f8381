"""The keys that order the cards of a column: text between any two of which there is room for another.

They sort bytewise (COLLATE "C"), so moving a card rewrites that card alone.
"""

from __future__ import annotations

from fractional_indexing import FIError, generate_key_between, generate_n_keys_between

# Halving the same gap again and again makes keys longer; a column is renumbered when one grows past this.
LONGEST = 50


class NoRoomError(Exception):
    """There is no usable key between the two: the column must be renumbered first."""


def between(low: str | None, high: str | None) -> str:
    """A key after `low` and before `high`; None stands for the column's ends. Raises NoRoomError."""
    try:
        key = generate_key_between(low or None, high or None)
    except (FIError, ValueError, IndexError) as error:
        raise NoRoomError from error
    if len(key) > LONGEST:
        raise NoRoomError
    return key


def is_key(text: str) -> bool:
    """Whether text from outside may stand as a key. One that `between` can't work with is replaced when it meets it."""
    return text.isascii() and text.isalnum() and len(text) <= LONGEST


def above(high: str | None, count: int) -> list[str]:
    """`count` keys, each before the one made before it, the first one before `high` (None: an empty column)."""
    keys: list[str] = []
    for _ in range(count):
        high = between(None, high)
        keys.append(high)
    return keys


def fresh(count: int) -> list[str]:
    """`count` short keys in order, for a column that is numbered anew."""
    return generate_n_keys_between(None, None, count)
