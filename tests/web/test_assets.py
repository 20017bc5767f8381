"""Browser libraries as static files, and the hashed names they get."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import override_settings

from crm.web import assets
from crm.web.jinja import STYLE_SHEETS

SVG = '<svg xmlns="x" viewBox="0 0 24 24">\n  <path d="M1 2" />\n  <circle r="3" />\n</svg>\n'


def test_sprite_holds_the_named_icons_and_the_mark(tmp_path: Path) -> None:
    for name in ("bell", "x", "unused"):
        (tmp_path / f"{name}.svg").write_text(SVG)
    made = assets.sprite(["bell", "x"], tmp_path)
    assert re.findall(r'<symbol id="([^"]+)"', made) == ["bell", "x", "mark"]
    assert '<symbol id="bell" viewBox="0 0 24 24"><path d="M1 2"/><circle r="3"/></symbol>' in made


def test_sprite_of_an_unknown_icon_fails(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nonsense"):
        assets.sprite(["nonsense"], tmp_path)


def test_masks_are_data_that_css_can_hold(tmp_path: Path) -> None:
    (tmp_path / "clock.svg").write_text(SVG)
    made = assets.masks(["clock"], tmp_path)
    (data,) = re.findall(r'--i-clock: url\("([^"]*)"\);', made)
    assert data.startswith("data:image/svg+xml,%3Csvg xmlns=%22")
    assert not re.search(r"[<>\"#]", data)


def test_icon_list_sorted_without_repeats() -> None:
    assert assets.icon_names("x\nbell\n\nx \n") == ["bell", "x"]
    lines = (Path(settings.BASE_DIR) / "static" / "icons.txt").read_text().split()
    assert lines == sorted(set(lines))


def test_missing_packages_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(assets, "MODULES", tmp_path)
    monkeypatch.setattr(assets, "VENDOR", tmp_path / "vendor")
    assert assets.main() == 1
    assert "npm ci" in capsys.readouterr().err


@pytest.mark.parametrize("sheet", STYLE_SHEETS)
def test_style_sheets_of_every_page_exist(sheet: str) -> None:
    assert finders.find(sheet) is not None


def test_style_sheets_keep_raw_colours_in_one_file() -> None:
    sheets = (Path(settings.BASE_DIR) / "static" / "css").rglob("*.css")
    # White on solid fills and black in masks are no choices of colour.
    hexes = {
        file.name for file in sheets if re.search(r"#(?!fff\b|000\b)[0-9a-f]{3,8}\b(?![-;\s]*\{)", file.read_text())
    }
    assert hexes == set()


def test_hashed_files_name_each_other_by_hash(tmp_path: Path) -> None:
    stores = {
        "default": settings.STORAGES["default"],
        "staticfiles": {"BACKEND": "crm.web.storage.StaticStorage"},
    }
    with override_settings(STATIC_ROOT=tmp_path, STORAGES=stores):
        call_command("collectstatic", interactive=False, verbosity=0)
    (app,) = tmp_path.glob("js/app.*.js")
    imported = re.findall(r'import "\./([^"]+)"', app.read_text())
    assert imported
    assert [
        name for name in imported if not (tmp_path / "js" / name).exists() or not re.search(r"\.[0-9a-f]{12}\.js", name)
    ] == []
    (forms,) = tmp_path.glob("css/components/forms.*.css")
    assert re.search(r'url\("\.\./\.\./img/chevron\.[0-9a-f]{12}\.svg"\)', forms.read_text())
    assert list(tmp_path.glob("vendor/icons.*.svg"))
    assert list(tmp_path.glob("js/app.*.js.gz"))
