"""The kernel."""

from datetime import timedelta

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from crm.lib import schedule
from crm.web.nav import nav, settings_nav


class CrmConfig(AppConfig):
    """Tenancy, people, records registry, events, audit, and the web shell."""

    name = "crm"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Registers what the kernel does by itself."""
        from crm.live import receivers  # noqa: F401, PLC0415 -- models are loaded by now
        from crm.records import notices  # noqa: PLC0415 -- models are loaded by now
        from crm.views.commands import generic  # noqa: PLC0415 -- models are loaded by now
        from crm.web.commands import ANY, commands  # noqa: PLC0415 -- with the views

        notices.register()
        commands.add(ANY, generic, order=50)
        nav.add("home", _("Home"), "house", "home", key="g h", order=10, phone=True)
        nav.add("notifications", _("Inbox"), "inbox", "notifications", key="g i", order=11)
        schedule.every(timedelta(hours=1), "crm.upkeep.clear_expired")
        schedule.every(timedelta(hours=1), "crm.bin.purge_expired", queue="bulk")
        schedule.every(timedelta(hours=6), "crm.fields.purge_expired", queue="bulk")
        you, organisation, data = _("You"), _("Organisation"), _("Data")
        settings_nav.add(you, _("Profile"), "user", "settings_profile", order=10)
        settings_nav.add(organisation, _("General"), "settings", "settings_general", order=20, roles=["admin"])
        settings_nav.add(organisation, _("Users and teams"), "users", "settings_members", order=21, roles=["admin"])
        settings_nav.add(organisation, _("Fields"), "list", "settings_fields", order=23, roles=["admin"])
        settings_nav.add(organisation, _("Currencies"), "banknote", "settings_currencies", order=22, roles=["admin"])
        settings_nav.add(organisation, _("Failed events"), "zap", "dead_letters", order=90, roles=["admin"])
        settings_nav.add(data, _("Tags"), "tag", "settings_tags", order=70, roles=["admin", "manager"])
        makers = ["admin", "manager", "rep"]
        settings_nav.add(data, _("Bulk actions"), "list-checks", "bulk_runs", order=75, roles=makers)
        settings_nav.add(data, _("Recycle bin"), "trash-2", "recycle_bin", order=80)
