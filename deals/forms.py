"""Forms of deals, stages and pipelines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.enums import ContactRole
from crm import queries
from crm.forms import choices
from crm.records.forms import add_custom, custom_values
from crm.records.limits import unwritable
from crm.records.lookup import LookupField
from crm.tenancy.context import Actor
from crm.web.fields import DateField, DateTimeField, MoneyField
from deals.actions.stage_setup import LONGEST_ROT, TONES
from deals.enums import LOST_REASONS, StageKind
from deals.models import Deal, Stage


class DealForm(forms.Form):
    """A deal's fields. The amount is read in the currency that is chosen beside it."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    stage = forms.TypedChoiceField(label=gettext_lazy("Stage"), coerce=UUID)
    amount = MoneyField(label=gettext_lazy("Amount"), required=False)
    currency = forms.ChoiceField(label=gettext_lazy("Currency"), choices=choices.currencies)
    close_date = DateField(label=gettext_lazy("Expected close date"), required=False)
    owner = forms.TypedChoiceField(label=gettext_lazy("Owner"), coerce=UUID)
    next_step = forms.CharField(label=gettext_lazy("Next step"), max_length=200, required=False)
    next_step_at = DateTimeField(label=gettext_lazy("Next step on"), required=False)
    source = forms.CharField(label=gettext_lazy("Source"), max_length=80, required=False)
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(
        self,
        *args: Any,
        stages: Sequence[Stage],
        actor: Actor,
        currency: str,
        record: Deal | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["stage"].choices = [(str(s.pk), s.name) for s in stages]  # type: ignore[attr-defined]
        members = [(str(pk), name) for pk, name in queries.members()]
        self.fields["owner"].choices = members  # type: ignore[attr-defined]
        self.fields["account"] = LookupField("account", actor, label=_("Account"), required=False)
        self.order_fields(["name", "account", "stage", "amount", "currency", "close_date"])
        for name in unwritable("deal", actor).intersection(self.fields):
            del self.fields[name]
        self.initial.setdefault("currency", currency)
        # A deal that came from elsewhere may be in a currency that is money nowhere any more.
        codes: Any = self.fields["currency"]
        if self.initial["currency"] not in dict(codes.choices):
            codes.choices = [*codes.choices, (self.initial["currency"],) * 2]
        self.initial.setdefault("owner", str(actor.member_id or ""))
        amount: Any = self.fields.get("amount")
        if amount is not None:
            amount.set_currency(self.chosen_currency())
            amount.widget.currency = ""  # it is chosen beside the amount
        self.own = add_custom(self, "deal", actor, currency=currency, record=record)

    def chosen_currency(self) -> str:
        """The currency that is sent with the form, else the one it began with."""
        sent = self.data.get(self.add_prefix("currency"), "") if self.is_bound else ""
        codes: Any = self.fields["currency"]
        return sent if sent in dict(codes.choices) else str(self.initial["currency"])

    def values(self) -> dict[str, Any]:
        """What create_deal and update_deal take."""
        plain = {key: value for key, value in self.cleaned_data.items() if key not in ("version", *self.own)}
        return {**plain, "custom": custom_values(self, self.own)} if self.own else plain

    @staticmethod
    def values_of(deal: Deal) -> dict[str, Any]:
        """What the form of a deal begins with."""
        plain = ("name", "amount", "currency", "close_date", "next_step", "next_step_at", "source", "version")
        return {
            **{key: getattr(deal, key) for key in plain},
            "stage": str(deal.stage_id),
            "owner": str(deal.owner_id),
            "account": deal.account_id,
        }


class CloseForm(forms.Form):
    """Why a deal was won or lost. A loss wants a reason; a won deal may say what made the difference."""

    reason = forms.ChoiceField(label=gettext_lazy("Reason"))
    note = forms.CharField(
        label=gettext_lazy("What would have changed it?"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, outcome: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if outcome == StageKind.WON:
            del self.fields["reason"]
            self.fields["note"].label = _("What made the difference?")
        else:
            reasons = [str(reason) for reason in LOST_REASONS]
            self.fields["reason"].choices = [("", _("Choose …")), *((r, r) for r in reasons)]  # type: ignore[attr-defined]


class PipelineForm(forms.Form):
    """A pipeline's name, and whether new deals start in it."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    is_default = forms.BooleanField(
        label=gettext_lazy("New deals start in it"), required=False, widget=forms.CheckboxInput({"class": "switch"})
    )


class StageForm(forms.Form):
    """A stage of a pipeline."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=StageKind.choices)
    probability = forms.IntegerField(label=gettext_lazy("Probability in percent"), min_value=0, max_value=100)
    rot_days = forms.IntegerField(
        label=gettext_lazy("Rots after days"),
        min_value=0,
        max_value=LONGEST_ROT,
        help_text=gettext_lazy("0 means never."),
    )
    tone = forms.ChoiceField(label=gettext_lazy("Colour"), choices=[(tone, tone.capitalize()) for tone in TONES])


class DeleteStageForm(forms.Form):
    """Where the deals of a stage go when it is deleted."""

    move_to = forms.TypedChoiceField(label=gettext_lazy("Move its deals to"), coerce=UUID)

    def __init__(self, *args: Any, targets: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if targets:
            self.fields["move_to"].choices = [("", _("Choose …")), *targets]  # type: ignore[attr-defined]
        else:
            del self.fields["move_to"]


class OwnerForm(forms.Form):
    """Who a deal is handed to."""

    owner = forms.TypedChoiceField(label=gettext_lazy("Owner"), coerce=UUID)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].choices = [(str(pk), name) for pk, name in queries.members()]  # type: ignore[attr-defined]


class PersonForm(forms.Form):
    """A contact's part in a deal."""

    role = forms.ChoiceField(label=gettext_lazy("Role in the deal"), choices=ContactRole.choices)
    is_primary = forms.BooleanField(label=gettext_lazy("The one we mostly talk to"), required=False)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["contact"] = LookupField("contact", actor, label=_("Contact"))
        self.order_fields(["contact", "role", "is_primary"])
