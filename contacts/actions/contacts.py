"""Creating, changing and removing contacts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from contacts import access
from contacts.actions import _changing, _children, _contact_rows, _creating, _links
from contacts.events import (
    CONTACTS_CREATED,
    ContactAssigned,
    ContactCreated,
    ContactUpdated,
)
from contacts.lib.emails import same_email
from contacts.models import Contact, ContactEmail, ContactPhone
from contacts.values import (
    CONTACT_CHOICE,
    CONTACT_FLAGS,
    CONTACT_TEXT,
    EmailValue,
    Messages,
    NewContact,
    PhoneValue,
    clean_choice,
    clean_emails,
    clean_phones,
    clean_text,
    refuse,
)
from crm.actions.base import action
from crm.actions.bin import delete_record, restore_record
from crm.actions.tags import clean_tags, tags_of_rows
from crm.events import emit, emit_batch
from crm.lib.errors import CrmError
from crm.tenancy.context import Actor

CHANGEABLE = frozenset(
    {*CONTACT_TEXT, *CONTACT_CHOICE, *CONTACT_FLAGS}
    | {"email", "emails", "phone", "phones", "tags", "owner", "account", "custom"}
)


@action
def create_contact(values: NewContact, *, acting: Actor, override_duplicate: bool = False) -> Contact:
    """Creates a contact with its addresses, numbers, tags and account.

    It belongs to the actor unless `values` name an owner, and is linked to the account that has the domain of one of
    its addresses (role unknown) unless `values` name an account. Raises Invalid; Forbidden for read-only members;
    DuplicateContact when somebody has one of the addresses, unless overridden.
    """
    row = _contact_rows.create_rows([values], acting, override_duplicate=override_duplicate)[0]
    if row.error:
        raise row.error
    made: Contact = row.made
    emit(ContactCreated(record=made.id, owner=made.owner_id, account=made.account_id))
    return made


@action
def create_contacts(
    rows: Sequence[NewContact], *, acting: Actor, override_duplicate: bool = False
) -> list[Contact | CrmError]:
    """Creates many contacts by the rules of create_contact, in a fixed number of statements.

    Answers one item per row, in order: the contact, or the error that refused it. A row whose address an earlier row
    has is a duplicate of that one. Emits a batch event per 1,000 contacts.
    """
    done = _contact_rows.create_rows(rows, acting, override_duplicate=override_duplicate)
    made = [row.made.id for row in done if row.open]
    if made:
        emit_batch(CONTACTS_CREATED, made)
    return [row.error or row.made for row in done]


@action
def update_contact(
    contact_id: UUID | str, changes: Mapping[str, Any], *, acting: Actor, version: int | None = None
) -> Contact:
    """Changes fields of a contact; what is not named stays. Nothing is written where nothing differs.

    `changes` may hold any column that people edit, and: `emails` and `phones` (EmailValue and PhoneValue, replacing
    all), `email` and `phone` (the primary one alone), `tags` (names or ids), `owner` and `account` (ids; account
    None unlinks the primary one), `custom` (values of the organisation's own fields, by key). Raises NotFound;
    Conflict when `version` is not the record's any more; Invalid; Forbidden for a field that can't be changed, or a
    hand-over by somebody it was only shared with.
    """
    contact = access.change_contact(contact_id, acting)
    _changing.check_version(contact, version)
    _changing.check_keys(changes, CHANGEABLE)
    _changing.check_role("contact", changes, acting)
    changed = _changing.put(contact, contact_columns(changes))
    changed += _put_children(contact, changes, acting)
    changed += _changing.put_custom(contact, "contact", changes, acting)
    if "tags" in changes:
        changed += _changing.put(contact, {"tags": tags_of_rows([clean_tags(changes["tags"])], acting)[0]})
    if "account" in changes and _links.set_account(contact, changes["account"], acting):
        changed.append("account")
    check_name(contact)
    former = _changing.assign(contact, changes["owner"], acting) if "owner" in changes else None
    if former:
        changed.append("owner")
    if not changed:
        return contact
    columns = {c if c not in ("emails", "phones") else c[:-1] for c in changed}
    _changing.save(contact, columns, acting, "a contact handed over to somebody else")
    emit(ContactUpdated(record=contact.id, fields=tuple(changed)))
    if former:
        emit(ContactAssigned(record=contact.id, from_member=former, to_member=contact.owner_id))
    return contact


def check_name(contact: Contact) -> None:
    """Raises Invalid for a contact that could not be called anything."""
    if not contact.name:
        refuse({"last_name": _("Enter a name or an e-mail address.")})


def contact_columns(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The plain columns among the changes, checked. Raises Invalid."""
    errors: Messages = {}
    columns: dict[str, Any] = {}
    for name, value in changes.items():
        if name in CONTACT_TEXT:
            columns[name] = clean_text(name, value, CONTACT_TEXT[name], errors)
        elif name in CONTACT_CHOICE:
            columns[name] = clean_choice(name, value, CONTACT_CHOICE[name], errors)
        elif name in CONTACT_FLAGS:
            columns[name] = bool(value)
    refuse(errors)
    return columns


def _put_children(contact: Contact, changes: Mapping[str, Any], acting: Actor) -> list[str]:
    """Replaces addresses and numbers where the changes name them; which of the two changed. Raises Invalid."""
    errors: Messages = {}
    emails, phones = _wanted_emails(contact, changes), _wanted_phones(contact, changes)
    if emails is not None:
        emails = clean_emails(emails, errors)
    if phones is not None:
        phones = clean_phones(phones, _creating.region_of_actor(acting) if phones else "", errors)
    refuse({name.rstrip("s") if name.rstrip("s") in changes else name: text for name, text in errors.items()})
    changed = []
    if emails is not None and _children.replace_emails(contact, emails):
        changed.append("emails")
    if phones is not None and _children.replace_phones(contact, phones):
        changed.append("phones")
    return changed


def _wanted_emails(contact: Contact, changes: Mapping[str, Any]) -> Sequence[EmailValue] | None:
    """All addresses as the changes want them: `emails` as given, or the present ones with another primary one."""
    if "email" not in changes:
        return changes.get("emails")
    text = str(changes["email"] or "").strip()
    rows = ContactEmail.objects.filter(contact_id=contact.id).order_by("position")
    present = [EmailValue(row.address, row.kind, row.is_primary) for row in rows]
    former = next((value for value in present if value.is_primary), None)
    kept = [v for v in present if v is not former and same_email(v.address) != same_email(text)]
    return [EmailValue(text, former.kind, True) if former else EmailValue(text), *kept] if text else kept


def _wanted_phones(contact: Contact, changes: Mapping[str, Any]) -> Sequence[PhoneValue] | None:
    """All numbers as the changes want them, like _wanted_emails."""
    if "phone" not in changes:
        return changes.get("phones")
    text = str(changes["phone"] or "").strip()
    rows = ContactPhone.objects.filter(contact_id=contact.id).order_by("position")
    present = [PhoneValue(row.number, row.kind, row.is_primary) for row in rows]
    former = next((value for value in present if value.is_primary), None)
    kept = [v for v in present if v is not former]
    return [PhoneValue(text, former.kind, True) if former else PhoneValue(text), *kept] if text else kept


@action
def set_emails(
    contact_id: UUID | str, emails: Sequence[EmailValue], *, acting: Actor, version: int | None = None
) -> Contact:
    """Replaces a contact's addresses; the primary one is mirrored on its row. Raises what update_contact does."""
    return update_contact(contact_id, {"emails": emails}, acting=acting, version=version)


@action
def set_phones(
    contact_id: UUID | str, phones: Sequence[PhoneValue], *, acting: Actor, version: int | None = None
) -> Contact:
    """Replaces a contact's numbers, like set_emails."""
    return update_contact(contact_id, {"phones": phones}, acting=acting, version=version)


@action
def assign_contact(contact_id: UUID | str, owner_id: UUID, *, acting: Actor, version: int | None = None) -> Contact:
    """Gives a contact to another active member. Raises what update_contact does."""
    return update_contact(contact_id, {"owner": owner_id}, acting=acting, version=version)


@action
def delete_contact(contact_id: UUID | str, *, acting: Actor) -> Contact:
    """Moves a contact to the recycle bin, with everything that hangs on it. Raises NotFound, Forbidden."""
    deleted: Contact = delete_record("contact", contact_id, acting=acting)
    return deleted


@action
def restore_contact(contact_id: UUID | str, *, acting: Actor) -> Contact:
    """Takes a contact out of the recycle bin. Raises NotFound, Forbidden, Conflict."""
    restored: Contact = restore_record("contact", contact_id, acting=acting)
    return restored
