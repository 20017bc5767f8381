"""Navigation shows what was registered, to those it is for."""

from crm.web import nav as registries
from crm.web.jinja import icon_names, url_exists
from crm.web.nav import CreateMenu, Nav, SettingsNav


def test_nav_in_order_and_for_the_role() -> None:
    nav = Nav()
    nav.add("deals", "Deals", "square-kanban", "deals", order=30)
    nav.add("home", "Home", "house", "home", "g h", order=10, phone=True)
    nav.add("audit", "Audit", "history", "audit", order=20, roles=["admin"])
    assert [entry.id for entry in nav.shown_to("rep")] == ["home", "deals"]
    assert [entry.id for entry in nav.shown_to("admin")] == ["home", "audit", "deals"]


def test_nav_added_twice_listed_once() -> None:
    nav = Nav()
    nav.add("home", "Home", "house", "home")
    nav.add("home", "Start", "house", "home")
    assert [entry.label for entry in nav.shown_to("rep")] == ["Start"]


def test_settings_grouped_in_order_of_their_first_entry() -> None:
    settings_nav = SettingsNav()
    settings_nav.add("Organisation", "Users", "users", "settings_members", 20, ["admin"])
    settings_nav.add("You", "Profile", "user", "settings_profile", 10)
    settings_nav.add("Organisation", "General", "settings", "settings_general", 15)
    shown = [(group, [entry.label for entry in entries]) for group, entries in settings_nav.groups("rep")]
    assert shown == [("You", ["Profile"]), ("Organisation", ["General"])]


def test_create_menu_hidden_from_read_only_members() -> None:
    create = CreateMenu()
    create.add("contact", "New contact", "user-plus", "contact_new")
    assert (len(create.shown_to("rep")), create.shown_to("readonly")) == (1, [])


def test_every_entry_of_the_apps_leads_to_a_page_and_has_an_icon() -> None:
    entries = [
        entry
        for registry in (registries.nav, registries.settings_nav, registries.create)
        for role in ("admin", "manager", "rep", "readonly")
        for entry in registry.shown_to(role)
    ]
    assert {entry.url_name for entry in entries if not url_exists(entry.url_name)} == set()
    assert {entry.icon for entry in entries} - icon_names() == set()
    assert len(entries) > 0
