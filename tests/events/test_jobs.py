"""Background jobs, asked for by name and carried by the outbox to a real worker."""

import ast
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from celery import Celery
from django.db import connection, transaction
from django.utils import timezone

from crm.events import enqueue_on_commit, jobs
from crm.events.relay import deliver_due
from crm.lib.schedule import SCHEDULE
from crm.models import OutboxEvent, RateLimit, Session, Tag
from crm.tasks import upkeep
from crm.tenancy.tasks import OrgTask
from tests.factories import make_org
from tests.support.cluster import ROOT

pytestmark = pytest.mark.django_db(transaction=True)
RAN = threading.Event()


@pytest.fixture
def tagging_job() -> Iterator[str]:
    """A job that writes in its organisation."""
    app = jobs.celery_app()
    RAN.clear()

    @app.task(name="test.make_tag", base=OrgTask, bind=True)
    def make_tag(self: OrgTask, *, org_id: str, tag_id: str, member_id: str | None = None) -> None:
        try:
            with self.organization(org_id, member_id) as actor:
                Tag.objects.create(id=UUID(tag_id), name=f"by {actor.kind}")
        finally:
            connection.close()
            RAN.set()

    yield "test.make_tag"
    app.tasks.pop("test.make_tag")


def test_enqueued_job_runs_in_a_real_worker_in_its_organisation(tagging_job: str, job_worker: Celery) -> None:
    org = make_org()
    tag_id = uuid4()
    with org.system():
        enqueue_on_commit(tagging_job, tag_id=tag_id)
        assert Tag.objects.count() == 0
    assert deliver_due() == {"delivered": 1}
    assert RAN.wait(20)
    with org.system():
        assert [(tag.id, tag.name) for tag in Tag.objects.all()] == [(tag_id, "by system")]
        assert OutboxEvent.objects.count() == 0


def test_job_on_behalf_of_a_member_acts_as_that_member(tagging_job: str, job_worker: Celery) -> None:
    org = make_org()
    rep = org.member("rep")
    with org.system():
        enqueue_on_commit(tagging_job, tag_id=uuid4(), member_id=rep.id)
    deliver_due()
    assert RAN.wait(20)
    with org.system():
        assert [tag.name for tag in Tag.objects.all()] == ["by member"]


def test_job_of_a_rolled_back_transaction_is_never_sent(tagging_job: str, job_worker: Celery) -> None:
    org = make_org()
    with org.system():
        enqueue_on_commit(tagging_job, tag_id=uuid4())
        transaction.set_rollback(True)
    assert deliver_due() == {}
    assert not RAN.wait(0.5)


def test_job_waits_in_the_outbox_while_the_broker_is_down(tagging_job: str, monkeypatch: pytest.MonkeyPatch) -> None:
    org = make_org()
    with org.system():
        for _ in range(20):
            enqueue_on_commit(tagging_job, tag_id=uuid4())
    away = Celery("away", broker="redis+socket:///nonexistent/valkey.sock", set_as_current=False)
    monkeypatch.setattr(jobs, "celery_app", lambda: away)
    monkeypatch.setattr(jobs, "_paused_until", 0.0)
    assert deliver_due() == {"postponed": 20}
    with org.system():
        rows = list(OutboxEvent.objects.order_by("id"))
    assert {(row.attempts, row.dead_at) for row in rows} == {(0, None)}
    assert rows[0].error.startswith("TryLater: The broker does not take jobs")
    # The others did not each wait for a connection of their own.
    assert {row.error for row in rows[1:]} == {"TryLater: The broker did not answer a moment ago."}


def called_names() -> Iterator[tuple[str, str]]:
    """(file:line, job) of every job that the code asks for by name."""
    for app in ("crm", "contacts", "deals", "activities"):
        for path in (ROOT / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and _called(node) == "enqueue_on_commit":
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", _name(node, path)


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _name(node: ast.Call, path: Path) -> str:
    argument = node.args[0]
    if isinstance(argument, ast.Constant):
        return str(argument.value)
    if isinstance(argument, ast.Name):  # a constant of the module
        for other in ast.walk(ast.parse(path.read_text())):
            if isinstance(other, ast.Assign) and argument.id in [getattr(t, "id", "") for t in other.targets]:
                return str(ast.literal_eval(other.value))
    return ast.unparse(argument)


def test_every_job_that_is_asked_for_exists() -> None:
    app = jobs.celery_app()
    app.autodiscover_tasks(force=True)
    known = {name for name in app.tasks if not name.startswith("celery.")}
    asked = dict(called_names())
    assert {where: name for where, name in asked.items() if name not in known} == {}
    assert {entry["task"] for entry in SCHEDULE.values()} - known == set()
    assert "crm.upkeep.clear_expired" in known


def test_upkeep_removes_what_has_expired_and_nothing_else() -> None:
    now = timezone.now()
    for key, age in (("old", -1), ("new", 1)):
        Session.objects.create(session_key=key, session_data="x", expire_date=now + timedelta(minutes=age))
        RateLimit.objects.create(key=key, count=1, expires_at=now + timedelta(minutes=age))
    upkeep.run()
    assert [s.session_key for s in Session.objects.all()] == ["new"]
    assert [r.key for r in RateLimit.objects.all()] == ["new"]
