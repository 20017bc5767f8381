"""Creating, changing and removing accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts import access, queries
from contacts.actions import _account_rows, _changing, _children, _creating
from contacts.events import (
    ACCOUNTS_CREATED,
    AccountAssigned,
    AccountCreated,
    AccountUpdated,
)
from contacts.models import Account, AccountDomain
from contacts.values import Messages, NewAccount, clean_domains, refuse
from crm.actions.base import action
from crm.actions.bin import delete_record, restore_record
from crm.actions.tags import clean_tags, tags_of_rows
from crm.events import emit, emit_batch
from crm.lib.errors import CrmError, Invalid
from crm.tenancy.context import Actor, elevated

CHANGEABLE = frozenset({*_account_rows.ACCOUNT_COLUMNS, "domain", "domains", "tags", "owner", "parent"})
MOST_PARENTS = 20  # levels of a company tree that are searched for a circle


@action
def create_account(values: NewAccount, *, acting: Actor, override_duplicate: bool = False) -> Account:
    """Creates an account with its domains and tags; it belongs to the actor unless `values` name an owner.

    The registrable domain of the website is one of its domains. Raises Invalid; Forbidden for read-only members;
    DuplicateAccount when an account has one of the domains, unless overridden.
    """
    row = _account_rows.create_rows([values], acting, override_duplicate=override_duplicate)[0]
    if row.error:
        raise row.error
    made: Account = row.made
    emit(AccountCreated(record=made.id, owner=made.owner_id))
    return made


@action
def create_accounts(
    rows: Sequence[NewAccount], *, acting: Actor, override_duplicate: bool = False
) -> list[Account | CrmError]:
    """Creates many accounts by the rules of create_account, in a fixed number of statements.

    Answers one item per row, in order: the account, or the error that refused it. Emits a batch event per 1,000.
    """
    done = _account_rows.create_rows(rows, acting, override_duplicate=override_duplicate)
    made = [row.made.id for row in done if row.open]
    if made:
        emit_batch(ACCOUNTS_CREATED, made)
    return [row.error or row.made for row in done]


@action
def update_account(
    account_id: UUID | str, changes: Mapping[str, Any], *, acting: Actor, version: int | None = None
) -> Account:
    """Changes fields of an account; what is not named stays. Nothing is written where nothing differs.

    `changes` may hold any column that people edit, and: `domains` (replacing all), `domain` (the first one alone),
    `tags` (names or ids), `owner` and `parent` (ids). A changed website adds its registrable domain. Raises NotFound;
    Conflict when `version` is not the record's any more; Invalid; Forbidden.
    """
    account = access.change_account(account_id, acting)
    _changing.check_version(account, version)
    _changing.check_keys(changes, CHANGEABLE)
    _changing.check_role("account", changes, acting)
    columns = columns_of_changes(changes, acting)
    if columns.get("annual_revenue") is not None and not (columns.get("currency") or account.currency):
        columns["currency"] = queries.base_currency(acting.org_id)
    changed = _changing.put(account, columns)
    changed += _put_domains(account, changes, website_changed="website" in changed)
    changed += _changing.put_custom(account, "account", changes, acting)
    if "tags" in changes:
        changed += _changing.put(account, {"tags": tags_of_rows([clean_tags(changes["tags"])], acting)[0]})
    if "parent" in changes and changes["parent"] != account.parent_id:
        _check_parent(account, changes["parent"], acting)
        account.parent_id = changes["parent"]
        changed.append("parent")
    former = _changing.assign(account, changes["owner"], acting) if "owner" in changes else None
    if former:
        changed.append("owner")
    if not changed:
        return account
    written = {"domain" if c == "domains" else c for c in changed}
    _changing.save(account, written, acting, "an account handed over to somebody else")
    emit(AccountUpdated(record=account.id, fields=tuple(changed)))
    if former:
        emit(AccountAssigned(record=account.id, from_member=former, to_member=account.owner_id))
    return account


def columns_of_changes(changes: Mapping[str, Any], acting: Actor) -> dict[str, Any]:
    """The plain columns among the changes, checked. Raises Invalid."""
    errors: Messages = {}
    region = _creating.region_of_actor(acting) if changes.get("phone") else ""
    given = {
        name: value for name, value in changes.items() if name in _account_rows.ACCOUNT_COLUMNS and name != "custom"
    }
    columns = _account_rows.account_columns(given, region, errors)
    refuse(errors)
    return columns


def _put_domains(account: Account, changes: Mapping[str, Any], *, website_changed: bool) -> list[str]:
    """Replaces the domains where the changes ask for it: ["domains"] when they differ. Raises Invalid."""
    if not website_changed and not changes.keys() & {"domain", "domains"}:
        return []
    present = list(
        AccountDomain.objects.filter(account_id=account.id).order_by("position").values_list("domain", flat=True)
    )
    wanted = list(changes.get("domains", present))
    if "domain" in changes:
        first = str(changes["domain"] or "").strip()
        wanted = [*([first] if first else []), *(d for d in present if d != account.domain)]
    errors: Messages = {}
    domains = clean_domains(wanted, account.website if website_changed else "", errors)
    refuse({"domain" if "domain" in changes else name: text for name, text in errors.items()})
    return ["domains"] if _children.replace_domains(account, domains) else []


def above_parent(parent_id: UUID, acting: Actor) -> set[UUID]:
    """A parent and those above it, none of which may be put below it. Raises Invalid for one the actor does not see."""
    if not queries.live_account_ids([parent_id], acting):
        raise Invalid(fields={"parent": _("This account was not found. Choose another one.")})
    with elevated("a circle may run through accounts that the actor does not see"):
        return queries.accounts_above(parent_id, MOST_PARENTS)


CIRCLE = gettext_lazy("An account can't be above itself. Choose another one.")


def _check_parent(account: Account, parent_id: UUID | None, acting: Actor) -> None:
    """Raises Invalid for a parent that the actor does not see, or that is the account itself or below it."""
    if parent_id is None:
        return
    if account.id in above_parent(parent_id, acting):
        raise Invalid(fields={"parent": CIRCLE})


@action
def assign_account(account_id: UUID | str, owner_id: UUID, *, acting: Actor, version: int | None = None) -> Account:
    """Gives an account to another active member. Raises what update_account does."""
    return update_account(account_id, {"owner": owner_id}, acting=acting, version=version)


@action
def delete_account(account_id: UUID | str, *, acting: Actor) -> Account:
    """Moves an account to the recycle bin. Its contacts stay, without it. Raises NotFound, Forbidden."""
    deleted: Account = delete_record("account", account_id, acting=acting)
    return deleted


@action
def restore_account(account_id: UUID | str, *, acting: Actor) -> Account:
    """Takes an account out of the recycle bin, and back to the contacts that had it.

    Raises NotFound, Forbidden, Conflict.
    """
    restored: Account = restore_record("account", account_id, acting=acting)
    return restored
