"""Search and the command palette."""

from __future__ import annotations

from typing import Any

from tests.security.matrix import EDITS, INSIDE, MEMBER, OWNS, SEES, WRITES, Route, World
from tests.security.routes_records import NAMES, seen_by, who

LAST = {
    "contact": "ysolde",
    "account": "shipping",
    "deal": "gantry",
    "task": "winch",
    "vessel": "auro",
}  # what finds the rep's records


def _offers(texts: dict[str, tuple[str, ...]]) -> Any:
    """The effect of a palette that offers each of these things to these actors and nobody else."""
    return lambda world, response, actor: all(
        (text in response.said) == (actor in actors) for text, actors in texts.items()
    )


def _finds(kind: str, actors: tuple[str, ...]) -> Any:
    """The effect of a search that finds the rep's record of a type for these actors and nobody else."""
    return lambda world, response, actor: (str(getattr(world, kind).pk) in response.said) == (actor in actors)


def _found(name: str, kind: str) -> Route:
    return Route(
        name=name, method="GET", sets=kind, right=MEMBER, allowed=INSIDE, query=lambda w: {"q": LAST[kind]},
        effect=_finds(kind, who(kind, SEES)),
    )  # fmt: skip


def _misspelled(name: str) -> Route:
    return Route(
        name=name, method="GET", sets="misspelled", right=MEMBER, allowed=INSIDE, query=lambda w: {"q": "ysodle", "deep": 1},
        effect=_finds("contact", SEES),
    )  # fmt: skip


def _noted(name: str) -> Route:
    return Route(
        name=name, method="GET", sets="note", right=MEMBER, allowed=INSIDE, query=lambda w: {"q": "beside quay", "deep": 1},
        effect=_finds("activity", SEES),
    )  # fmt: skip


def _key(world: World, kind: str) -> str:
    return f"{kind}/{getattr(world, kind).pk}"


SEARCH = (
    *(_found(name, kind) for name in ("search", "palette") for kind in NAMES),
    *(make(name) for name in ("search", "palette") for make in (_misspelled, _noted)),
    Route(
        name="palette",
        method="GET",
        sets="open record",
        right=MEMBER,
        allowed=INSIDE,
        query=lambda w: {"record": _key(w, "deal")},
        effect=_offers(
            {
                NAMES["deal"]: SEES, "History of changes": SEES, "Move to Qualified": EDITS, "Log a call": EDITS,
                "Change owner": OWNS, "New contact": WRITES, "Failed events": ("admin",),
            }
        ),
    ),
    Route(
        name="palette",
        method="GET",
        sets="recent",
        right=MEMBER,
        allowed=INSIDE,
        query=lambda w: {"recent": [_key(w, "contact"), _key(w, "account"), "contact/1", "nothing/2"]},
        effect=seen_by(SEES, NAMES["contact"], NAMES["account"]),
    ),
)  # fmt: skip
