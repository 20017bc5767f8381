"""What the style guide's samples show: invented deals, a form with every kind of field, a moment."""

from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace

from django import forms
from django.utils import timezone

from crm.web.fields import DateField, DateTimeField, MoneyField, Row, RowsField
from crm.web.formats import initials, money, tone_for


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
        return [sample_deal(number, line) for number, line in enumerate(_DEALS.splitlines(), 1)]

    def column(self) -> SimpleNamespace:
        """The head of a board's column, with one currency that has no rate."""
        stage = SimpleNamespace(name="Proposal", tone="violet", probability=60, count=4)
        return SimpleNamespace(
            id="sample",
            stage=stage,
            shows={"amount", "weighted"},
            total=SimpleNamespace(amount=61_250_000, currency="EUR"),
            weighted=SimpleNamespace(amount=36_750_000),
            note="Not included, for want of an exchange rate: CHF 1,200",
            apart="+ CHF 1,200",
        )


# name, account, owner, units of EUR, close date, days in stage, icon and words of the next step, rot
_DEALS = """\
Returns line automation | Rivoli Cosmetics | Maya Okafor | 58000 | 12 Mar | 4 | mail | Send overview deck |
Yard crane retrofit | Nordhavn Ports | Maya Okafor | 305000 | 19 Dec | 12 | video | Board meeting, 25 Nov |
Body shop AGV loop | Castellan Auto | Jonas Lind | 264000 | 11 Dec | 16 | video | Steering call, 24 Nov |
Textile roll handling | Lumen Textiles | Lucía Serrano | 44000 | 11 Feb | 22 |  |  | warn
Night-shift AMR fleet | Telgrove Beverages | Priya Raman | 86000 | 28 Jan | 9 | phone | Call procurement, today |
Substation drone patrol | Ostara Energy | Maya Okafor | 127000 | 27 Nov | 4 | pencil | Signature, Fri |
Hospital linen robots | Banyan Health | Priya Raman | 88500 | 30 Nov | 6 | file-text | PO number from finance |
Bottling end-of-line cell | Oku Foods | Aiko Mori | 64000 | 22 Dec | 38 |  |  | late
Omnichannel micro-hubs | Vantage Retail | Jonas Lind | 192000 | 15 Dec | 5 | file-text | Review proposal, today |
Grain silo inspection | Pampa Grain | Aiko Mori | 98000 | 9 Dec | 10 | file-text | Redlines back, Thu |
Cold-store picking pilot | Dalby Dairy | Aiko Mori | 34000 | 26 Feb | 2 | phone | Intro call, Fri 09:30 |
"""


def sample_deal(number: int, line: str) -> SimpleNamespace:
    """One card's worth of a deal, in the shape that `ui.deal_card` takes."""
    name, account, owner, units, close, days, next_icon, next_step, rot = (cell.strip() for cell in line.split("|"))
    amount = money(int(units) * 100, "EUR")
    return SimpleNamespace(
        id=f"sample-{number}",
        href="#",
        position=f"a{number}",
        step="future" if next_step else "none",
        writable=True,
        name=name,
        amount_minor=int(units) * 100,
        amount=amount,
        amount_exact=amount,
        account=account,
        account_tone=tone_for(account),
        close=close,
        late=rot == "late",
        next_step=next_step or "No next step",
        next_icon=next_icon,
        owner=owner,
        owner_tone=tone_for(owner),
        owner_initials=initials(owner),
        age={"late": f"{days} d · rotting", "warn": f"{days} d · cooling"}.get(rot, f"{days} d"),
        rot=rot,
    )
