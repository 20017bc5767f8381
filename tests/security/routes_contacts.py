"""Pages of contacts and accounts, and of imports."""

from __future__ import annotations

import io
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from contacts.actions.accounts import delete_account
from contacts.actions.contacts import delete_contact
from contacts.actions.imports import upload_import
from contacts.models import Account, AccountContact, Contact, ContactEmail, ImportJob
from contacts.models.importing import ImportRow
from crm.models import OutboxEvent
from tests.security.matrix import (
    ADMIN,
    COLLEAGUE,
    EDITOR,
    EDITS,
    INSIDE,
    MEMBER,
    OWNS,
    PERSONAL,
    READONLY,
    REP,
    SEES,
    VIEWER,
    WRITES,
    Route,
    World,
)
from tests.security.routes_records import NAMES, now, seen_by

ACCOUNT, CONTACT = NAMES["account"], NAMES["contact"]


def _of(kind: str) -> Any:
    return lambda world: [getattr(world, kind).pk]


def _link(world: World) -> AccountContact | None:
    found: AccountContact | None = world.find(AccountContact, account=world.account, contact=world.contact)
    return found


# ---------------------------------------------------------------- the record, its form, its deletion


def _contact_form(world: World) -> dict[str, Any]:
    return {
        "first_name": "Nia", "last_name": "Okafor", "emails": "nia@kestrel.example", "emails-key": "a",
        "emails-kind": "work", "emails-primary": "a", "lifecycle": "lead", "lead_status": "new",
        "owner": world.members[COLLEAGUE].pk,
    }  # fmt: skip


def _account_form(world: World) -> dict[str, Any]:
    return {"name": "Kestrel Works", "domains": "kestrel.example", "owner": world.members[COLLEAGUE].pk}


FORMS: dict[str, Any] = {"contact": _contact_form, "account": _account_form}


def _is_written(world: World, row: Any) -> bool:
    """Whether a contact or account is what the forms above say."""
    if isinstance(row, Account):
        return (row.name, row.domain) == ("Kestrel Works", "kestrel.example")
    addresses = world.count(ContactEmail, contact=row, address="nia@kestrel.example", is_primary=True)
    return (row.name, row.email, addresses) == ("Nia Okafor", "nia@kestrel.example", 1)


def _is_new(model: Any) -> Any:
    def effect(world: World, response: Any, actor: str) -> bool:
        made = world.find(model, owner=world.members[COLLEAGUE])
        return made is not None and _is_written(world, made)

    return effect


def _delete(kind: str) -> Any:
    delete = {"contact": delete_contact, "account": delete_account}[kind]

    def arrange(world: World) -> None:
        with world.org.acting(world.members[REP]) as rep:
            delete(getattr(world, kind).pk, acting=rep)

    return arrange


def _pages(kind: str, model: Any, secrets: tuple[str, ...]) -> list[Route]:
    new: dict[str, Any] = {"name": f"{kind}_new", "right": "record.create", "allowed": WRITES, "denied": 403}
    edit: dict[str, Any] = {
        "name": f"{kind}_edit", "right": "record.edit", "args": _of(kind), "allowed": EDITS,
    }  # fmt: skip
    bin_: dict[str, Any] = {
        "method": "POST", "args": _of(kind), "allowed": OWNS, "denied_as": {EDITOR: 403}, "status": 302,
    }  # fmt: skip
    return [
        Route(name=f"{kind}_list", method="GET", right=MEMBER, allowed=INSIDE, effect=seen_by(SEES, *secrets)),
        Route(
            name=f"{kind}_detail",
            method="GET",
            right="record.view",
            args=_of(kind),
            allowed=SEES,
            effect=seen_by(SEES, *secrets),
        ),
        Route(method="GET", **new),
        # Made for somebody whose records the maker does not see.
        Route(method="POST", body=FORMS[kind], status=302, effect=_is_new(model), **new),
        Route(method="GET", effect=seen_by(EDITS, *secrets), **edit),
        Route(
            method="POST",
            body=lambda w: {
                **FORMS[kind](w),
                "owner": getattr(w, kind).owner_id,
                "version": getattr(w, kind).version,
            },
            status=302,
            effect=lambda w, response, actor: _is_written(w, now(w, kind)),
            **edit,
        ),
        Route(
            name=f"{kind}_deletion",
            right="record.delete",
            effect=lambda w, response, actor: now(w, kind).deleted_at is not None,
            **bin_,
        ),
        Route(
            name=f"{kind}_restoration",
            right="record.restore",
            arrange=_delete(kind),
            effect=lambda w, response, actor: now(w, kind).deleted_at is None,
            **bin_,
        ),
    ]


# ---------------------------------------------------------------- who works where

_ABOUT_LINK: dict[str, Any] = {
    "name": "contact_link",
    "right": "record.edit",
    "args": lambda world: [world.contact.pk, world.account.pk],
    "allowed": EDITS,
}
_IS_CHAMPION: dict[str, Any] = {
    "status": 302,
    "effect": lambda world, response, actor: (_link(world).role, _link(world).title) == ("champion", "Head of yards"),
}
_CHAMPION = {"role": "champion", "title": "Head of yards"}

LINKS = (
    Route(name="contact_links", method="GET", right="record.edit", args=_of("contact"), allowed=EDITS),
    Route(
        name="contact_links",
        method="POST",
        right="record.edit",
        args=_of("contact"),
        body=lambda world: {**_CHAMPION, "account": world.account.pk},
        allowed=EDITS,
        **_IS_CHAMPION,
    ),
    Route(method="GET", effect=seen_by(EDITS, ACCOUNT), **_ABOUT_LINK),
    Route(method="POST", body=lambda world: _CHAMPION, **_ABOUT_LINK, **_IS_CHAMPION),
    Route(
        method="POST",
        sets="removed",
        body=lambda world: {"remove": "1"},
        status=302,
        effect=lambda world, response, actor: _link(world) is None and now(world, "contact").account_id is None,
        **_ABOUT_LINK,
    ),
    Route(method="DELETE", status=302, effect=lambda world, response, actor: _link(world) is None, **_ABOUT_LINK),
    # Whoever sees an account may link contacts of their own to it; a contact they can't change is refused.
    Route(
        name="account_people",
        method="GET",
        right=PERSONAL,
        args=_of("account"),
        allowed=(*OWNS, VIEWER, EDITOR),
        denied_as={READONLY: 403},
    ),
    Route(
        name="account_people",
        method="POST",
        right="record.edit",
        args=_of("account"),
        body=lambda world: {**_CHAMPION, "contact": world.contact.pk},
        allowed=EDITS,
        denied_as={READONLY: 403, VIEWER: 422},
        **_IS_CHAMPION,
    ),
)

# ---------------------------------------------------------------- imports

FILE = (
    b"First Name,Last Name,Email,Contact owner\nNia,Okafor,nia@kestrel.example,nobody@old.example\n,,not an address,\n"
)


def _uploaded(world: World) -> None:
    """A file of the rep's."""
    with world.org.acting(world.members[REP]) as rep:
        job = upload_import(io.BytesIO(FILE), "people.csv", acting=rep)
        ImportRow.objects.create(job=job, line=3, outcome="failed", reason="No address", cells=["", "", "x", ""])
    world.extra["job"] = job


def _job(world: World) -> ImportJob:
    found: ImportJob = world.get(ImportJob, world.extra["job"].pk)
    return found


# An import belongs to who uploaded the file; admins reach everybody's.
_IMPORT: dict[str, Any] = {
    "right": PERSONAL,
    "allowed": (REP, ADMIN),
    "arrange": _uploaded,
    "args": lambda world: [world.extra["job"].pk],
}
_SHOWS_FILE: dict[str, Any] = {"effect": seen_by((REP, ADMIN), "people.csv")}

IMPORTS = (
    Route(name="import_list", method="GET", right="record.import", allowed=WRITES, denied=403),
    Route(
        name="import_list",
        method="GET",
        sets="with a file",
        right="record.import",
        arrange=_uploaded,
        allowed=WRITES,
        denied=403,
        **_SHOWS_FILE,
    ),
    Route(
        name="import_list",
        method="POST",
        right="record.import",
        body=lambda world: {"file": SimpleUploadedFile("people.csv", FILE)},
        allowed=WRITES,
        denied=403,
        status=302,
        effect=lambda world, response, actor: (
            (job := world.find(ImportJob)).owner_id == world.members[actor].pk
            and (job.total, job.record_type, job.status) == (2, "contact", "uploaded")
        ),
    ),
    # It is not begun yet, so the columns come first.
    Route(name="import_detail", method="GET", status=302, **_IMPORT),
    Route(name="import_columns", method="GET", **_SHOWS_FILE, **_IMPORT),
    Route(
        name="import_columns",
        method="POST",
        body=lambda world: {"column-0": "last_name", "column-2": "emails", "day_first": "yes"},
        status=302,
        effect=lambda world, response, actor: _job(world).mapping == {"0": "last_name", "2": "emails"},
        **_IMPORT,
    ),
    # What is suggested for unknown values is kept.
    Route(name="import_check", method="GET", writes=("contacts_importjob",), **_SHOWS_FILE, **_IMPORT),
    Route(
        name="import_check",
        method="POST",
        body=lambda world: {"owner-0": "me"},
        status=302,
        effect=lambda world, response, actor: _job(world).answers == {"owner": {"nobody@old.example": "me"}},
        **_IMPORT,
    ),
    Route(
        name="import_start",
        method="POST",
        status=302,
        effect=lambda world, response, actor: (
            (_job(world).status, world.count(OutboxEvent, payload__task="contacts.bulk.run_import")) == ("queued", 1)
        ),
        **_IMPORT,
    ),
    Route(
        name="import_rows",
        method="GET",
        effect=seen_by((REP, ADMIN), "No address"),
        **{**_IMPORT, "args": lambda world: [world.extra["job"].pk, "failed"]},
    ),
)

CONTACTS = (
    *_pages("contact", Contact, (CONTACT, "ysolde@ravnkloa.example")),
    *_pages("account", Account, (ACCOUNT,)),
    *LINKS,
    *IMPORTS,
)
