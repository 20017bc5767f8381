"""Changing many contacts or accounts at once, by the rules of update_contact and update_account (crm.records.bulk)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any
from uuid import UUID

from contacts import queries
from contacts.actions import _changing, _links
from contacts.actions.accounts import CHANGEABLE as OF_ACCOUNT
from contacts.actions.accounts import CIRCLE, MOST_PARENTS, above_parent, columns_of_changes
from contacts.actions.contacts import CHANGEABLE as OF_CONTACT
from contacts.actions.contacts import check_name, contact_columns
from contacts.events import AccountAssigned, AccountUpdated, ContactAssigned, ContactUpdated
from crm.actions.tags import clean_tags, tags_of_rows
from crm.events import emit_batch
from crm.lib.errors import Conflict, CrmError, Invalid
from crm.records.bulk import Edit, columns_changed, put_custom
from crm.tenancy.context import Actor

# What belongs to one record alone: a set-based change would have to look at each one's children.
ALONE = frozenset({"email", "emails", "phones", "domain", "domains", "website"})
NAMES = {"owner_id": "owner", "account_id": "account", "parent_id": "parent"}  # as the single events name fields


def apply_contacts(edits: Sequence[Edit], acting: Actor) -> None:
    """Puts what contacts are to get into them, unsaved, but for their links to accounts."""
    columns = _once(contact_columns)
    _each(edits, lambda edit: _put_plain(edit, OF_CONTACT - ALONE - {"phone"}, columns))
    _put_tags(edits, acting)
    _put_accounts(edits, acting)
    _each(edits, lambda edit: check_name(edit.record))
    _assign(edits, acting)
    put_custom("contact", edits, acting)
    wanted = [edit for edit in edits if edit.open and "account" in edit.values]
    for account_id in {edit.values["account"] for edit in wanted}:
        others = [e.record for e in wanted if e.values["account"] == account_id != e.record.account_id]
        _links.set_account_of(others, account_id)


def apply_accounts(edits: Sequence[Edit], acting: Actor) -> None:
    """Puts what accounts are to get into them, unsaved."""
    columns = _once(lambda values: columns_of_changes(values, acting))
    _each(edits, lambda edit: _put_plain(edit, OF_ACCOUNT - ALONE, columns))
    _settle_currencies(edits, acting)
    _put_tags(edits, acting)
    above = _once(lambda values: above_parent(values["parent"], acting))
    _each(edits, lambda edit: _put_parent(edit, above))
    _assign(edits, acting)
    put_custom("account", edits, acting)


def refuse_circles(edits: Sequence[Edit], _acting: Actor) -> None:
    """Refuses accounts that an undo would put below themselves: somebody arranged those above them anew since."""
    parents = {edit.record.pk: edit.record.parent_id for edit in edits if edit.open}
    for edit in edits:
        pk, parent = edit.record.pk, edit.record.parent_id
        if not edit.open or parent is None or not edit.moved("parent_id"):
            continue
        if pk in queries.accounts_above(parent, MOST_PARENTS, parents):
            edit.error = Conflict(CIRCLE)
            del parents[pk]


def tell_contacts(edits: Sequence[Edit], _acting: Actor) -> None:
    """Emits what ContactUpdated and ContactAssigned say of one contact, of up to 1,000 at a time."""
    _tell(edits, ContactUpdated.name, ContactAssigned.name)


def tell_accounts(edits: Sequence[Edit], _acting: Actor) -> None:
    """The same of accounts."""
    _tell(edits, AccountUpdated.name, AccountAssigned.name)


def _tell(edits: Sequence[Edit], updated: str, assigned: str) -> None:
    fields = [NAMES.get(name, name) for name in columns_changed(edits)]
    emit_batch(updated, [edit.record.pk for edit in edits], fields=fields)
    handed = [edit for edit in edits if edit.moved("owner_id")]
    if handed:
        owners = {"to_members": list({e.record.owner_id for e in handed})}
        owners["from_members"] = list({e.before["owner_id"] for e in handed})
        emit_batch(assigned, [edit.record.pk for edit in handed], **owners)


def _once(check: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    """A check of values that is made once for edits that share them."""
    found: dict[int, Any] = {}

    def checked(values: dict[str, Any]) -> Any:
        if id(values) not in found:
            try:
                found[id(values)] = check(values)
            except CrmError as error:
                found[id(values)] = error
        if isinstance(found[id(values)], CrmError):
            raise found[id(values)]
        return found[id(values)]

    return checked


def _each(edits: Sequence[Edit], step: Callable[[Edit], None]) -> None:
    """Runs a step for every edit that nothing has refused yet; what it raises refuses the edit."""
    for edit in edits:
        if edit.open:
            try:
                step(edit)
            except CrmError as error:
                edit.error = error


def _put_plain(edit: Edit, allowed: Collection[str], columns: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    _changing.check_keys(edit.values, allowed)
    _changing.put(edit.record, columns(edit.values))


def _put_tags(edits: Sequence[Edit], acting: Actor) -> None:
    left = [edit for edit in edits if edit.open and "tags" in edit.values]
    cleaned: list[tuple[str | UUID, ...]] = [()] * len(left)
    for number, edit in enumerate(left):
        try:
            cleaned[number] = clean_tags(edit.values["tags"])
        except Invalid as error:
            edit.error = error
    for edit, ids in zip(left, tags_of_rows(cleaned, acting) if left else [], strict=True):
        if edit.open:
            edit.record.tags = ids


def _put_accounts(edits: Sequence[Edit], acting: Actor) -> None:
    """Refuses edits that name an account which the actor does not see."""
    named = _once(lambda values: _links.require_account(values["account"], acting))
    for edit in edits:
        if edit.open and edit.values.get("account") not in (None, edit.record.account_id):
            try:
                named(edit.values)
            except CrmError as error:
                edit.error = error


def _put_parent(edit: Edit, above: Callable[[dict[str, Any]], set[UUID]]) -> None:
    parent = edit.values.get("parent", edit.record.parent_id)
    if parent == edit.record.parent_id:
        return
    if parent is not None and edit.record.id in above(edit.values):
        raise Invalid(fields={"parent": CIRCLE})
    edit.record.parent_id = parent


def _settle_currencies(edits: Sequence[Edit], acting: Actor) -> None:
    """Gives amounts that would have no currency the organisation's."""
    without = [e for e in edits if e.open and e.values.get("annual_revenue") is not None and not e.record.currency]
    currency = queries.base_currency(acting.org_id) if without else ""
    for edit in without:
        edit.record.currency = currency


def _assign(edits: Sequence[Edit], acting: Actor) -> None:
    owners = {edit.values["owner"] for edit in edits if edit.open and edit.values.get("owner")}
    active = queries.active_members(owners)
    for edit in edits:
        if edit.open and "owner" in edit.values:
            try:
                _changing.assign(edit.record, edit.values["owner"], acting, active=active)
            except CrmError as error:
                edit.error = error
