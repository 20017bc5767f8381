"""The card of a deal. A board shows hundreds, so it is put together here and not by a macro, and every byte counts:
attributes whose values are plain words carry no quotes, initials and icons are drawn by board.css, the actions button
is put on by cards.js, and the deal's id stands in the link alone.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from markupsafe import Markup, escape


def deal_card(deal: Any) -> Markup:
    """The markup of a card; `deal` is a deals.cards.Card or alike."""
    rot = f" data-rot={deal.rot}" if deal.rot else ""
    fixed = "" if deal.writable else " data-fixed"
    account, exact, close = "", "", ""
    if deal.account:
        initial = escape(deal.account[:1])
        account = f'<p class=acct data-tone={deal.account_tone} data-ini="{initial}">{escape(deal.account)}</p>'
    if deal.amount_exact != deal.amount:
        exact = f' title="{escape(deal.amount_exact)}"'
    if deal.close:
        close = f"<span{' class=late' if deal.late else ''}>{escape(deal.close)}</span>"
    if deal.next_step:
        late = " data-late" if deal.step == "overdue" else ""
        step = f"<p class=next data-icon={deal.next_icon}{late}>{escape(deal.next_step)}</p>"
    else:
        step = f"<p class=next data-none>{escape(gettext('No next step'))}</p>"
    return Markup(  # noqa: S704 -- every text is escaped; the rest are our own words and numbers
        f"<article class=deal data-pos={deal.position} data-amount={deal.amount_minor}{rot}{fixed}>"
        f'<a href="{escape(deal.href)}">{escape(deal.name)}</a>{account}'
        f"<p class=amt><b{exact}>{escape(deal.amount)}</b>{close}</p>{step}"
        f'<p class=foot data-tone={deal.owner_tone} data-ini="{escape(deal.owner_initials)}">'
        f"<span>{escape(deal.owner)}</span><i>{escape(deal.age)}</i></p></article>"
    )
