"""Accounts that a file names: found by name among those the importer sees, or made."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Func, TextField, Value

from contacts.actions.accounts import create_accounts
from contacts.imports.parsing import normal
from contacts.imports.targets import Settings
from contacts.models import Account
from contacts.values import NewAccount
from crm import access
from crm.tenancy.context import Actor

CACHE = "accounts"


def accounts_named(names: Iterable[str], settings: Settings, *, acting: Actor) -> dict[str, UUID]:
    """The account of each name, by the name's normal form. Accounts that the importer does not see are not told of:
    then one of their own is made."""
    known: dict[str, UUID] = settings.extra.setdefault(CACHE, {})
    wanted = {normal(name): name for name in names if normal(name) not in known}
    if wanted:
        known.update(_existing(wanted, acting))
        missing = [name for key, name in wanted.items() if key not in known]
        made = create_accounts([NewAccount(name=name[:200]) for name in missing], acting=acting)
        for name, account in zip(missing, made, strict=True):
            if isinstance(account, Account):
                known[normal(name)] = account.id
    return known


def _existing(wanted: dict[str, str], acting: Actor) -> dict[str, UUID]:
    norms = [Func(Value(name), function="keel_norm", output_field=TextField()) for name in wanted.values()]
    rows = access.visible(Account, acting).filter(name_norm__in=norms).order_by("-id").values_list("id", "name")
    return {normal(name): pk for pk, name in rows}
