"""Accounts that a file names: found by name among those the importer sees, or made where the rules let it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Func, TextField, Value
from django.utils.translation import gettext as _

from contacts.actions.accounts import create_accounts
from contacts.imports.parsing import normal
from contacts.imports.targets import Settings, reason_of
from contacts.models import Account
from contacts.values import NewAccount
from crm import access
from crm.tenancy.context import Actor

CACHE = "accounts"


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts that rows name, by the name's normal form; of those that can't be made, why."""

    known: dict[str, UUID]
    refused: dict[str, str] = field(default_factory=dict)

    def of(self, name: str | None) -> UUID | None:
        """The account of a name."""
        return self.known.get(normal(name)) if name else None

    def note(self, name: str | None) -> str:
        """What is said of a row that goes without the account it names; "" where there is one."""
        reason = self.refused.get(normal(name)) if name else None
        return _("Without its account “%(name)s”: %(reason)s") % {"name": name, "reason": reason} if reason else ""


def accounts_named(names: Iterable[str], settings: Settings, *, acting: Actor) -> Accounts:
    """The account of each name. Accounts that the importer does not see are not told of: then one of their own is
    made."""
    known: dict[str, UUID] = settings.extra.setdefault(CACHE, {})
    wanted = {normal(name): name for name in names if normal(name) not in known}
    refused: dict[str, str] = {}
    if wanted:
        known.update(_existing(wanted, acting))
        missing = [name for key, name in wanted.items() if key not in known]
        made = create_accounts([NewAccount(name=name[:200]) for name in missing], acting=acting)
        for name, account in zip(missing, made, strict=True):
            if isinstance(account, Account):
                known[normal(name)] = account.id
            else:
                refused[normal(name)] = reason_of(account)
    return Accounts(known, refused)


def _existing(wanted: dict[str, str], acting: Actor) -> dict[str, UUID]:
    norms = [Func(Value(name), function="keel_norm", output_field=TextField()) for name in wanted.values()]
    rows = access.visible(Account, acting).filter(name_norm__in=norms).order_by("-id").values_list("id", "name")
    return {normal(name): pk for pk, name in rows}
