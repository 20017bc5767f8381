"""Figures for Prometheus, on a private address of their own (METRICS_ADDRESS), never on the public port.

A web server has several processes: with PROMETHEUS_MULTIPROC_DIR set they write into that directory, and whichever
of them holds the address answers for all.
"""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Iterator

from django.conf import settings
from django.db import DatabaseError, connection
from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import REGISTRY, Collector

RETRY = 5.0  # seconds until a process tries again to take the address that another one holds
BUCKETS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)

REQUESTS = Counter("keel_requests_total", "Requests by route", ["route", "method", "status"])
LATENCY = Histogram("keel_request_seconds", "Time to answer by route", ["route", "method"], buckets=BUCKETS)
TASKS = Counter("keel_tasks_total", "Background jobs by name and outcome", ["task", "state"])
DELIVERED = Counter("keel_outbox_events_total", "Events the relay has handled, by outcome", ["outcome"])
_thread: threading.Thread | None = None


def observe_request(route: str, method: str, status: int, seconds: float) -> None:
    """Count one answered request. Routes are names, so that ids in paths make no new series."""
    if not settings.METRICS_ADDRESS:
        return
    REQUESTS.labels(route, method, str(status)).inc()
    LATENCY.labels(route, method).observe(seconds)


class OutboxCollector(Collector):
    """Asks the database, when somebody looks, how many events wait for the relay."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        from crm import queries  # noqa: PLC0415 -- models are loaded by then
        from crm.models import OutboxEvent  # noqa: PLC0415 -- models are loaded by then
        from crm.tenancy.context import Actor, org_context  # noqa: PLC0415 -- models are loaded by then

        waiting = 0
        try:
            for org_id in queries.due_orgs("outbox"):
                with org_context(Actor.system(org_id)):
                    waiting += OutboxEvent.objects.filter(dead_at__isnull=True).count()
        except DatabaseError:
            return
        finally:
            connection.close()
        yield GaugeMetricFamily("keel_outbox_waiting", "Events that wait for the relay", value=waiting)


def serve_metrics() -> None:
    """Answer `/metrics` from a thread of this process, as soon as no other process of this machine does."""
    global _thread  # noqa: PLW0603 -- once per process
    if settings.METRICS_ADDRESS and (_thread is None or not _thread.is_alive()):
        _thread = threading.Thread(target=_serve, name="metrics", daemon=True)
        _thread.start()


def _serve() -> None:
    host, _, port = settings.METRICS_ADDRESS.rpartition(":")
    while True:
        try:
            start_http_server(int(port), host or "127.0.0.1", registry())
        except OSError:
            time.sleep(RETRY)
        else:
            logging.getLogger(__name__).info("Metrics on %s", settings.METRICS_ADDRESS)
            return


def registry() -> CollectorRegistry:
    """What is shown: the sum over this machine's processes where they share a directory, and the outbox."""
    shown = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(shown)
    else:
        shown = REGISTRY
    with contextlib.suppress(ValueError):  # registered already
        shown.register(OutboxCollector())
    return shown
