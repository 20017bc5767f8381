"""What is measured, and the bars it is held to. A later issue adds its rows here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import count, cycle
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.urls import NoReverseMatch, reverse

from bench.client import Request
from bench.own_fields import SHOWN, SORTED, hundred_fields, rank_of, sorted_field
from bench.people import SLUG, Item, Person, Records
from crm.web.pagination import encode_cursor

NOBODY = UUID(int=0)  # stands for a record when only the existence of a page is asked
SERIAL = count(1)  # no two records made in a run are alike
VERSIONS: dict[UUID, int] = {}  # of the contacts that this run has edited
UNSURE: set[UUID] = set()  # contacts whose last edit was made up, and perhaps never sent
LIFECYCLES = ("lead", "mql", "customer")


@dataclass(frozen=True)
class Bar:
    """What a request may cost: CPU of web and database in ms, statements, bytes before compression. None: no limit.

    `times` is how many times the CPU of the row `beside`, measured before in the same run, it may cost.
    """

    cpu_ms: float | None = None
    statements: int | None = None
    bytes: int | None = None
    times: float | None = None
    beside: str = ""


@dataclass(frozen=True)
class Scene:
    """What a row's requests are made of: the role that asks and the records it may ask for."""

    role: str
    records: Records

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
    relay and worker have something to do. `around` is what the data is like while the row is measured.
    """

    key: str
    label: str
    requests: Requests
    bar: Bar = field(default_factory=Bar)
    floor: str = ""
    kind: str = "read"
    around: Callable[[Records], AbstractContextManager[None]] | None = None

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
    scene.url("contact_detail", NOBODY)
    pool = scene.records.contacts(scene.role)
    return (_get(scene, scene.url("contact_detail", item.row["id"]), item.person) for item in cycle(pool))


def account_page(scene: Scene) -> Iterator[Request]:
    """An account with its people and its timeline."""
    scene.url("account_detail", NOBODY)
    pool = scene.records.accounts(scene.role)
    return (_get(scene, scene.url("account_detail", item.row["id"]), item.person) for item in cycle(pool))


def deal_page(scene: Scene) -> Iterator[Request]:
    """A deal with its timeline."""
    scene.url("deal_detail", NOBODY)
    pool = scene.records.deals(scene.role)
    return (_get(scene, scene.url("deal_detail", item.row["id"]), item.person) for item in cycle(pool))


def timeline(scene: Scene) -> Iterator[Request]:
    """A contact's timeline alone, as htmx asks for it."""
    scene.url("timeline", "contact", NOBODY)
    pool = scene.records.contacts(scene.role)
    for item in cycle(pool):
        path = scene.url("timeline", "contact", item.row["id"])
        yield Request(path, session=item.person.session, partial=True)


def move_deal(scene: Scene) -> Iterator[Request]:
    """A card dragged to the next column, above another card of it."""
    scene.url("deal_stage", NOBODY)
    pool, stages = scene.records.deals(scene.role), scene.records.stages()
    for turn in count(1):
        for item, neighbour in zip(pool, pool[1:] + pool[:1], strict=True):
            stage = stages[(stages.index(item.row["stage_id"]) + turn) % len(stages)]
            data = {"stage": str(stage), "before": str(neighbour.row["id"])}
            path = scene.url("deal_stage", item.row["id"])
            yield Request(path, "PUT", data, item.person.session, json=True)


def board_event(scene: Scene) -> Iterator[Request]:
    """What a board asks for when somebody else has moved a card: the card and two column heads."""
    path = scene.url("deal_board_changes")
    pool, stages, pipeline = scene.records.deals(scene.role), scene.records.stages(), scene.records.pipeline()
    for item in cycle(pool):
        other = stages[(stages.index(item.row["stage_id"]) + 1) % len(stages)]
        query = f"pipeline={pipeline}&deal={item.row['id']}&column={item.row['stage_id']}&column={other}"
        yield Request(f"{path}?{query}", session=item.person.session, json=True)


def create_contact(scene: Scene) -> Iterator[Request]:
    """A contact saved from the form."""
    path = scene.url("contact_new")
    for person in scene.people():
        number = next(SERIAL)
        data = {
            "first_name": "Ines", "last_name": f"Marchetti {number}", "lifecycle": "lead", "lead_status": "new",
            "owner": str(person.member_id), "account": "", "tags": "Champion", "title": "VP Operations",
            "emails": f"ines.{number}@company{number % 400}.example", "emails-key": "r0", "emails-kind": "work",
            "emails-primary": "r0", "phones": f"+4722555{number:05}", "phones-key": "r0", "phones-kind": "work",
            "phones-primary": "r0",
        }  # fmt: skip
        yield Request(path, "POST", data, person.session, partial=True, expect=(200, 204))


def edit_cell(scene: Scene) -> Iterator[Request]:
    """A job title changed in the list."""
    scene.url("record_field", "contact", NOBODY, "title")
    for item in cycle(scene.records.contacts(scene.role)):
        pk = item.row["id"]
        if pk in UNSURE:
            continue
        UNSURE.add(pk)
        data = {"title": f"Director {next(SERIAL)}", "version": VERSIONS.setdefault(pk, item.row["version"])}
        path = scene.url("record_field", "contact", pk, "title") + "?cell=1"
        yield Request(path, "POST", data, item.person.session, partial=True)
        UNSURE.discard(pk)
        VERSIONS[pk] += 1


def own_fields_shown(scene: Scene) -> Iterator[Request]:
    """The first page of contacts that have a hundred fields of the organisation's own; three of them are shown."""
    columns = ["account", "title", "lifecycle", "last_activity_at", *SHOWN]
    path = scene.url("contact_list") + "?" + urlencode({"cols": ",".join(columns)}, safe=",")
    return (_get(scene, path, person) for person in scene.people())


def own_sorted(scene: Scene) -> Iterator[Request]:
    """The contacts by a field of the organisation's own, which is shown: the first page."""
    path = scene.url("contact_list") + _by_own()
    return (_get(scene, path, person) for person in scene.people())


def own_sorted_deep(scene: Scene) -> Iterator[Request]:
    """The same, anywhere in the list."""
    path = scene.url("contact_list") + _by_own()
    for item in cycle(scene.records.contacts(scene.role)):
        cursor = encode_cursor("next", rank_of(item.row["id"]), item.row["id"])
        yield _get(scene, f"{path}&after={cursor}", item.person)


def _by_own() -> str:
    return "?" + urlencode(
        {"sort": f"-{SORTED}", "cols": f"account,title,lifecycle,last_activity_at,{SORTED}"}, safe=","
    )


def filtered_list(scene: Scene) -> Iterator[Request]:
    """The contacts of one lifecycle by last change: the first page."""
    path = scene.url("contact_list")
    for turn, person in enumerate(scene.people()):
        yield _get(scene, f"{path}?lifecycle={LIFECYCLES[turn % len(LIFECYCLES)]}&sort=-updated_at", person)


def filtered_deep(scene: Scene) -> Iterator[Request]:
    """The same, anywhere in the list."""
    path, pool = scene.url("contact_list"), scene.records.contacts(scene.role)
    for turn, item in enumerate(cycle(pool)):
        cursor = encode_cursor("next", item.row["updated_at"], item.row["id"])
        query = f"lifecycle={LIFECYCLES[turn % len(LIFECYCLES)]}&sort=-updated_at&after={cursor}"
        yield _get(scene, f"{path}?{query}", item.person)


def list_count(scene: Scene) -> Iterator[Request]:
    """How many contacts of one lifecycle there are, exact to 10,000."""
    path = scene.url("contact_list")
    for turn, person in enumerate(scene.people()):
        query = f"lifecycle={LIFECYCLES[turn % len(LIFECYCLES)]}&block=count"
        yield Request(f"{path}?{query}", session=person.session, partial=True)


def related_list(scene: Scene) -> Iterator[Request]:
    """Decision makers at software companies with 50 to 200 people, no activity in 30 days, owned by one's team."""
    where = (
        "some(accounts,link.role:is:decision_maker,industry:is:Software,employee_count:between:(50,200)),"
        "none(activities,occurred_at:in_last:30d),owner:any_of:(my_team)"
    )
    path = scene.url("contact_list") + "?" + urlencode({"filter": where})
    return (_get(scene, path, person) for person in scene.people())


def palette(scene: Scene) -> Iterator[Request]:
    """The command palette while somebody types the beginning of a name."""
    path, pool = scene.url("palette"), scene.records.contacts(scene.role)
    for turn in count():
        for item in pool:
            text = item.row["sort_name"][: 3 + turn % 3]
            yield Request(f"{path}?{urlencode({'q': text})}", session=item.person.session, partial=True)


def searched_list(scene: Scene) -> Iterator[Request]:
    """The list of contacts, searched for both names of one."""
    path, pool = scene.url("contact_list"), scene.records.contacts(scene.role)
    for item in cycle(pool):
        yield _get(scene, f"{path}?{urlencode({'q': item.row['sort_name']})}", item.person)


def sorted_list(scene: Scene) -> Iterator[Request]:
    """The contacts of one lifecycle by last change and then by name: the first page."""
    path = f"{scene.url('contact_list')}?filter=lifecycle:is:lead&sort=-updated_at,name"
    return (_get(scene, path, person) for person in scene.people())


def sorted_deep(scene: Scene) -> Iterator[Request]:
    """The same, anywhere in the list."""
    path = f"{scene.url('contact_list')}?filter=lifecycle:is:lead&sort=-updated_at,name"
    for item in cycle(scene.records.contacts(scene.role)):
        cursor = encode_cursor("next", [item.row["updated_at"], item.row["sort_name"]], item.row["id"])
        yield _get(scene, f"{path}&after={cursor}", item.person)


def grouped_list(scene: Scene) -> Iterator[Request]:
    """The heads of the contacts' groups by stage of life."""
    path = f"{scene.url('contact_list')}?group=lifecycle"
    return (_get(scene, path, person) for person in scene.people())


def _deep(scene: Scene, path: str, sort: str, column: str, pool: list[Item]) -> Iterator[Request]:
    def pages() -> Iterator[Request]:
        for item in cycle(pool):
            cursor = encode_cursor("next", item.row[column], item.row["id"])
            yield _get(scene, f"{path}?sort={sort}&after={cursor}", item.person)

    return pages()


# Memory, as proportional set size: of the web processes after so many requests, and of all of `make up`.
PSS_REQUESTS, WEB_PSS, ALL_PSS = 1000, 250_000_000, 1_000_000_000
LIST = Bar(cpu_ms=8, statements=6)
ANY_LIST = Bar(cpu_ms=10, statements=8)
ROWS: tuple[Row, ...] = (
    Row("board", "Board, first load", board, Bar(cpu_ms=25, statements=8, bytes=160_000), floor="board"),
    Row("contacts", "Contacts, first page", contact_list, LIST, floor="list"),
    Row("contacts_changed", "Contacts by change, deep", contacts_by_change, LIST, floor="list"),
    Row("contacts_named", "Contacts by name, deep", contacts_by_name, LIST, floor="list"),
    Row("contact", "Contact page", contact_page, Bar(cpu_ms=9, statements=12), floor="contact"),
    Row("move", "Move a deal", move_deal, Bar(cpu_ms=6, statements=12, bytes=10_000), kind="write"),
    Row("event", "Board, one event", board_event, Bar(cpu_ms=4)),
    Row("create", "Create a contact", create_contact, Bar(cpu_ms=6), kind="write"),
    Row("timeline", "Timeline of a contact", timeline),
    Row("account", "Account page", account_page),
    Row("deal", "Deal page", deal_page),
    Row("deals", "Deals list, deep", deal_list, ANY_LIST),
    Row("home", "Home", home),
    Row("edit", "Edit a cell", edit_cell, Bar(cpu_ms=6), kind="write"),
    Row("filtered", "Contacts, filtered, first page", filtered_list, ANY_LIST),
    Row("filtered_deep", "Contacts, filtered, deep", filtered_deep, ANY_LIST),
    Row("sorted", "Contacts, sorted twice, first page", sorted_list, ANY_LIST),
    Row("sorted_deep", "Contacts, sorted twice, deep", sorted_deep, ANY_LIST),
    Row("count", "How many match a filter", list_count, Bar(cpu_ms=30)),
    Row("related", "Contacts by a filter over related records", related_list, Bar(cpu_ms=250)),
    Row(
        "own",
        "Contacts with 100 own fields",
        contact_list,
        Bar(cpu_ms=10, times=1.2, beside="contacts"),
        around=hundred_fields,
    ),
    Row("own_shown", "The same, showing three", own_fields_shown, Bar(cpu_ms=10), around=hundred_fields),
    Row("own_sorted", "Contacts by an own field, first page", own_sorted, ANY_LIST, around=sorted_field),
    Row("own_sorted_deep", "Contacts by an own field, deep", own_sorted_deep, ANY_LIST, around=sorted_field),
    Row("palette", "Palette, while typing", palette),
    Row("searched", "Contacts, searched by name", searched_list),
    Row("grouped", "Contacts, in groups", grouped_list, Bar(cpu_ms=250, statements=8)),
)
