"""What can be imported into. Contacts register themselves, apps above add their own (deals)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from crm.lib.errors import CrmError
from crm.records.limits import unwritable
from crm.tenancy.context import Actor

FIELDS = {"emails": "email", "phones": "phone"}  # the record type's field that one of a file stands for
Outcome = Literal["created", "updated", "skipped", "failed"]
Kind = Literal[
    "text", "many", "date", "datetime", "money", "number", "decimal", "bool", "choice", "choices", "owner", "currency",
    "stage", "member", "record",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class ImportField:
    """A field that a column may fill.

    `names` are headers that mean it, by source ("" for any); the normal form decides (parsing.normal). `ask` names
    the question that unknown values raise: "owner", "currency" or one of the target's own. Several columns may fill a
    field of kind "many"; `detail` tells what kind of address a header means. `target` is the type of the records that
    one of kind "record" points at.
    """

    key: str
    label: Any
    kind: Kind = "text"
    names: tuple[str, ...] = ()
    ask: str = ""
    choices: tuple[tuple[str, Any], ...] = ()
    longest: int = 0
    with_currency: bool = False  # an amount that is kept as {"amount": minor units, "currency": code}
    target: str = ""
    sealed: bool = False  # its values are kept encrypted: no reason quotes them


@dataclass(slots=True)
class Parsed:
    """One row, understood: values by field key, or why not. `many` holds (value, header) pairs."""

    line: int
    values: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    skip: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a row. One that was created or updated has a reason where something of it was left out."""

    outcome: Outcome
    reason: str = ""
    record: UUID | None = None


def reason_of(error: CrmError) -> str:
    """Why a row was refused, in words."""
    return "; ".join(str(text) for text in error.fields.values()) or error.message


@dataclass(frozen=True, slots=True)
class Question:
    """Values of the file that mean nothing here yet, asked once. `options` are (answer, label); the answer "" refuses
    the rows. `suggested` maps a value to the answer that is chosen at first."""

    key: str
    label: Any
    values: tuple[str, ...]
    options: tuple[tuple[str, str], ...]
    suggested: dict[str, str]


@dataclass(slots=True)
class Settings:
    """How the cells of a file are read: by its columns' habits, and by the answers to its questions."""

    source: str
    zone: ZoneInfo
    base_currency: str
    currency: str
    answers: dict[str, dict[str, str]]
    day_first: bool = False
    decimal_comma: bool = False
    owners: dict[str, UUID] = field(default_factory=dict)  # normal name or e-mail address to member
    members: dict[str, set[UUID]] = field(default_factory=dict)  # e-mail address or name, without case, to members
    # By field and text of a cell the record that it means, or why none: of the rows that are understood together.
    pointed: dict[str, dict[str, UUID | str]] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)  # what a target looked up once


@dataclass(frozen=True, slots=True)
class Target:
    """A type of record that can be imported.

    `prepare(settings, acting)` looks up what the rows need, once per import. `questions(distinct, settings, acting)`
    says which of the distinct values by field key mean nothing. `check(parsed, settings)` refuses rows that lack
    something. `write(parsed, settings, *, acting)` answers per row, in order, inside a transaction; a preview is a
    write that is rolled back.
    """

    key: str
    label: Any
    fields: tuple[ImportField, ...]
    prepare: Callable[[Settings, Actor], None]
    questions: Callable[[dict[str, list[str]], Settings, Actor], list[Question]]
    check: Callable[[Parsed, Settings], None]
    write: Callable[..., list[Result]]
    list_url: str  # the URL name of the list where the records are seen afterwards

    def field(self, key: str) -> ImportField:
        """The field of that key. Raises KeyError."""
        for candidate in self.fields:
            if candidate.key == key:
                return candidate
        raise KeyError(key)


_targets: dict[str, Target] = {}


def register(target: Target) -> None:
    """Adds a type of record that can be imported; called in AppConfig.ready()."""
    _targets[target.key] = target


def get(key: str) -> Target:
    """The target of that key. Raises KeyError."""
    return _targets[key]


def for_actor(key: str, actor: Actor) -> Target:
    """The target with the fields that the actor's role may fill. Raises KeyError."""
    target = _targets[key]
    closed = unwritable(key, actor)
    kept = tuple(field for field in target.fields if FIELDS.get(field.key, field.key) not in closed)
    return replace(target, fields=kept) if closed else target


def all_targets() -> list[Target]:
    """Every target, in the order of registration."""
    return list(_targets.values())
