"""A person at the board, in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Locator, Page

from crm.models import Membership
from tests.deals.conftest import Sales
from tests.support.web import session_for


def sign_in(context: BrowserContext, url: str, member: Membership) -> None:
    """Gives a browser the session of a member."""
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session_for(member.user), "url": url}])


@contextmanager
def phone(browser: Browser, url: str, member: Membership) -> Iterator[Page]:
    """A phone of a member: touch, 390 px."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, locale="en-GB"
    )
    context.set_default_timeout(10_000)
    sign_in(context, url, member)
    yield context.new_page()
    context.close()


def card(page: Page, name: str) -> Locator:
    """The card of a deal."""
    return page.locator(".deal", has=page.get_by_role("link", name=name, exact=True))


def column(page: Page, stage: str) -> Locator:
    """The body of a column."""
    return page.locator(f'.col-body[data-label="{stage}"]')


def names(page: Page, stage: str) -> list[str]:
    """The cards of a column, from the top."""
    return column(page, stage).locator(".deal > a").all_text_contents()


def head(page: Page, stage: str) -> dict[str, str]:
    """Count, sum and weighted sum of a column as they are shown."""
    top = page.locator(".col", has=column(page, stage)).locator(".col-head")
    return {
        "count": top.locator(".count").inner_text(),
        "sum": top.locator("strong").inner_text(),
        "weighted": top.locator("[data-weighted].num").inner_text(),
    }


def drag(page: Page, what: Locator, to: Locator, *, down: float = 0.5) -> None:
    """Drags by mouse: `down` is how far down the target it is dropped, from 0 to 1."""
    start, end = what.bounding_box(), to.bounding_box()
    assert start is not None
    assert end is not None
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + 12)
    page.mouse.down()
    page.mouse.move(start["x"] + start["width"] / 2 + 8, start["y"] + 20, steps=3)
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] * down, steps=8)
    page.wait_for_timeout(150)
    page.mouse.up()


def board_url(base: str, sales: Sales, query: str = "") -> str:
    """The board's address."""
    return f"{base}/w/{sales.org.slug}/deals/{query}"


def stage_of(sales: Sales, deal: Any) -> str:
    """The stage a deal is in now."""
    return sales.fresh(deal).stage.name
