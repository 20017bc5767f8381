"""The card of a deal. A board shows hundreds, so it is put together here and not by a macro, and every byte counts:
attributes whose values are plain words carry no quotes, paragraphs no end tags (HTML needs none there), initials and
icons are drawn by board.css, the actions button is put on by cards.js, and the deal's id stands in the link alone.
"""

from __future__ import annotations

from html import escape
from typing import Any

from markupsafe import Markup


def deal_card(deal: Any) -> Markup:
    """The markup of a card; `deal` is a deals.cards.Card or alike.

    What people wrote is escaped here; amounts, days and tones are our own words.
    """
    rot = f" data-rot={deal.rot}" if deal.rot else ""
    fixed = "" if deal.writable else " data-fixed"
    account, exact, close = "", "", ""
    if deal.account:
        name = escape(deal.account)
        initial = escape(deal.account[:1])
        account = f'<p class=acct data-tone={deal.account_tone} data-ini="{initial}">{name}'
    if deal.amount_exact != deal.amount:
        exact = f' title="{deal.amount_exact}"'
    if deal.close:
        close = f"<span{' class=late' if deal.late else ''}>{deal.close}</span>"
    icon = f" data-icon={deal.next_icon}" if deal.next_icon else ""
    state = {"none": " data-none", "overdue": " data-late"}.get(deal.step, "")
    return Markup(  # noqa: S704 -- see above
        f"<article class=deal data-pos={deal.position} data-amount={deal.amount_minor}{rot}{fixed}>"
        f'<a href="{deal.href}">{escape(deal.name)}</a>{account}<p class=amt><b{exact}>{deal.amount}</b>{close}'
        f"<p class=next{icon}{state}>{escape(deal.next_step)}"
        f'<p class=foot data-tone={deal.owner_tone} data-ini="{escape(deal.owner_initials)}">'
        f"<span>{escape(deal.owner)}</span><i>{deal.age}</i></article>"
    )
