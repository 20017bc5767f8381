"""What is measured, and the bars it is held to. A later issue adds its rows here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count, cycle

from django.conf import settings
from django.urls import NoReverseMatch, reverse

from bench.client import Request
from bench.people import SLUG, Item, Person, Records
from crm.web.pagination import encode_cursor


@dataclass(frozen=True)
class Bar:
    """What a request may cost: CPU of web and database in ms, statements, bytes before compression. None: no limit."""

    cpu_ms: float | None = None
    statements: int | None = None
    bytes: int | None = None


@dataclass(frozen=True)
class Scene:
    """What a row's requests are made of: the role that asks and the records it may ask for."""

    role: str
    records: Records
    serial: count[int] = field(default_factory=count)

    def url(self, name: str, *args: object) -> str:
        """The path of a page of the measured organisation. Raises NoReverseMatch for a page that does not exist."""
        return f"/w/{SLUG}" + reverse(name, urlconf=settings.ORG_URLCONF, args=args)

    def people(self) -> Iterator[Person]:
        """The people of the role, over and over."""
        return cycle(self.records.people(self.role))


Requests = Callable[[Scene], Iterator[Request]]


@dataclass(frozen=True)
class Row:
    """One thing people do. `requests` gives an endless series, each for another record.

    `floor` names the read of bench/floor.py that fetches the same. `kind` is "write" where data changes, so that
    relay and worker have something to do.
    """

    key: str
    label: str
    requests: Requests
    bar: Bar = field(default_factory=Bar)
    floor: str = ""
    kind: str = "read"

    def exists(self, scene: Scene) -> bool:
        """Whether the page is there at all."""
        try:
            next(self.requests(scene))
        except NoReverseMatch:
            return False
        return True


def _get(scene: Scene, path: str, person: Person) -> Request:
    return Request(path, session=person.session)


def home(scene: Scene) -> Iterator[Request]:
    """The first page of the day."""
    path = scene.url("home")
    return (_get(scene, path, person) for person in scene.people())


def board(scene: Scene) -> Iterator[Request]:
    """The board as it is first loaded."""
    path = scene.url("deal_board")
    return (_get(scene, path, person) for person in scene.people())


def deal_list(scene: Scene) -> Iterator[Request]:
    """The list of deals, anywhere in it."""
    path = scene.url("deal_list")
    return _deep(scene, path, "-updated_at", "updated_at", scene.records.deals(scene.role))


def contact_list(scene: Scene) -> Iterator[Request]:
    """The first page of the contacts."""
    path = scene.url("contact_list")
    return (_get(scene, path, person) for person in scene.people())


def contacts_by_change(scene: Scene) -> Iterator[Request]:
    """The contacts by last change, anywhere in the list."""
    return _deep(scene, scene.url("contact_list"), "-updated_at", "updated_at", scene.records.contacts(scene.role))


def contacts_by_name(scene: Scene) -> Iterator[Request]:
    """The contacts by name, anywhere in the list."""
    return _deep(scene, scene.url("contact_list"), "name", "sort_name", scene.records.contacts(scene.role))


def contact_page(scene: Scene) -> Iterator[Request]:
    """A contact with its timeline."""
    scene.url("contact_detail", "00000000-0000-0000-0000-000000000000")
    pool = scene.records.contacts(scene.role)
    return (_get(scene, scene.url("contact_detail", item.row["id"]), item.person) for item in cycle(pool))


def _deep(scene: Scene, path: str, sort: str, column: str, pool: list[Item]) -> Iterator[Request]:
    def pages() -> Iterator[Request]:
        for item in cycle(pool):
            cursor = encode_cursor("next", item.row[column], item.row["id"])
            yield _get(scene, f"{path}?sort={sort}&after={cursor}", item.person)

    return pages()


# Memory, as proportional set size: of the web processes after so many requests, and of all of `make up`.
PSS_REQUESTS, WEB_PSS, ALL_PSS = 1000, 250_000_000, 1_000_000_000
LIST = Bar(cpu_ms=8, statements=6)
ROWS: tuple[Row, ...] = (
    Row("board", "Board, first load", board, Bar(cpu_ms=25, statements=8, bytes=160_000), floor="board"),
    Row("contacts", "Contacts, first page", contact_list, LIST, floor="list"),
    Row("contacts_changed", "Contacts by change, deep", contacts_by_change, LIST, floor="list"),
    Row("contacts_named", "Contacts by name, deep", contacts_by_name, LIST, floor="list"),
    Row("contact", "Contact page", contact_page, Bar(cpu_ms=9, statements=12), floor="contact"),
    Row("deals", "Deals list, deep", deal_list),
    Row("home", "Home", home),
)
