"""What the style guide's samples show: invented deals, a form with every kind of field, a moment."""

from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from django import forms
from django.utils import timezone

from crm.web.fields import DateField, DateTimeField, MoneyField, Row, RowsField
from crm.web.formats import initials, tone_for


class SampleForm(forms.Form):
    """Every kind of field, one of them wrong."""

    name = forms.CharField(label="Deal name")
    stage = forms.ChoiceField(label="Stage", choices=[("proposal", "Proposal"), ("won", "Won")])
    amount = MoneyField(label="Amount", currency="EUR", required=False)
    close = DateField(label="Close date")
    meeting = DateTimeField(label="Next meeting", required=False)
    emails = RowsField(
        forms.EmailField(),
        label="Email addresses",
        kinds=[("work", "Work"), ("home", "Home")],
        input_type="email",
    )
    next_step = forms.CharField(
        label="Next step",
        help_text="Shown on the card.",
        required=False,
        widget=forms.Textarea(attrs={"placeholder": "What happens next, and when?"}),
    )
    kind = forms.ChoiceField(
        label="Kind",
        choices=[("new", "New business"), ("renewal", "Renewal")],
        widget=forms.RadioSelect,
        required=False,
    )
    private = forms.BooleanField(label="Only for me", required=False)
    follow = forms.BooleanField(
        label="Tell me about changes",
        required=False,
        widget=forms.CheckboxInput(attrs={"class": "switch"}),
    )


class ShortForm(forms.Form):
    """Two fields without faults."""

    email = forms.EmailField(label="Email")
    role = forms.ChoiceField(label="Role", choices=[("rep", "Sales rep")])


@dataclass(frozen=True)
class Sample:
    """Passed to the `samples` macro of every component file."""

    moment: datetime = field(default_factory=timezone.now)

    def href(self, cursor: str) -> str:
        return f"#{cursor}"

    def form(self, *, short: bool = False) -> forms.Form:
        if short:
            return ShortForm(initial={"email": "maya@fjord.example"})
        values = {
            "name": "Yard crane retrofit",
            "stage": "proposal",
            "amount": "305,000",
            "close": "2025-11-19",
            "emails": [Row("ines@halden.example", "work", True), Row("ines@home.example", "home")],
            "follow": "on",
            "kind": "new",
        }
        form = SampleForm(values, auto_id="guide_%s")
        form.add_error("close", "This date is in the past.")
        return form

    def deals(self) -> list[SimpleNamespace]:
        return [
            sample_deal(1, "Fleet telematics rollout", "Halden Logistics", "Maya Okafor"),
            sample_deal(2, "Textile roll handling", "Lumen Textiles", "Lucía Serrano", rot="warn", days=22, next_step=""),
            sample_deal(3, "Sorter lease, 3 sites", "Kestrel Air Cargo", "Jonas Lind", rot="late", days=31, late=True),
        ]


def sample_deal(number: int, name: str, account: str, owner: str, **more: Any) -> SimpleNamespace:
    """One card's worth of a deal, in the shape that `ui.deal_card` takes."""
    values: dict[str, Any] = {
        "id": f"sample-{number}",
        "url": "#",
        "name": name,
        "amount_minor": 14_800_000,
        "amount": "€148,000",
        "amount_exact": "€148,000",
        "account": account,
        "account_tone": tone_for(account),
        "close": "17 Dec",
        "close_iso": "2026-12-17",
        "late": False,
        "next_step": "Demo with ops, Fri 14:00",
        "next_icon": "video",
        "owner": owner,
        "owner_tone": tone_for(owner),
        "owner_initials": initials(owner),
        "owner_first": owner.split()[0],
        "days": 8,
        "rot": "",
        "version": 1,
    }
    return SimpleNamespace(**{**values, **more})
