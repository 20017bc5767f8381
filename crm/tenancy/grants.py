"""Hands the definer functions to the role that passes by row-level security, and says who may run them."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from crm.tenancy.operations import _Sql


class DefinerFunctions(_Sql):
    """Functions that run as keel_definer, and what that role may touch.

    With RLS_MODE=owner (a host that grants no BYPASSRLS) the functions stay with the table owner, who is not bound by
    row-level security because FORCE is off.
    """

    def __init__(self, functions: list[str], grants: list[str], trigger: bool = False) -> None:
        self.functions, self.grants, self.trigger = functions, grants, trigger

    def deconstruct(self) -> Any:
        kwargs = {"functions": self.functions, "grants": self.grants, "trigger": self.trigger}
        return self.__class__.__name__, [], kwargs

    def describe(self) -> str:
        return "Definer functions " + ", ".join(self.functions)

    def forward(self) -> list[str]:
        statements = [f"GRANT {grant} TO keel_definer" for grant in self.grants]
        users = "keel_owner" if self.trigger else "keel_owner, keel_app"
        for function in self.functions:
            statements.append(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC, keel_app")
            grant = f"GRANT EXECUTE ON FUNCTION {function} TO {users}"
            if settings.RLS_MODE == "forced":
                # A change of owner rewrites the old owner's rights, so they are granted by the new one.
                statements += [
                    f"ALTER FUNCTION {function} OWNER TO keel_definer", "SET ROLE keel_definer", grant, "RESET ROLE",
                ]  # fmt: skip
            else:
                statements.append(grant)
        return statements

    def backward(self) -> list[str]:
        return [f"REVOKE {grant} FROM keel_definer" for grant in self.grants]
