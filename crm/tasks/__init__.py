"""Background jobs of the kernel. Celery finds this package; each module registers its jobs by explicit names."""

from crm.tasks import mail, upkeep

__all__ = ["mail", "upkeep"]
