"""Background jobs of the kernel. Celery finds this package; each module registers its jobs by explicit names."""

from crm.tasks import bin, bulk, fields, mail, tags, upkeep  # noqa: A004 -- the recycle bin

__all__ = ["bin", "bulk", "fields", "mail", "tags", "upkeep"]
