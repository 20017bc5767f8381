"""Forms in the design's markup, and the fields of our own."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.http import QueryDict
from django.utils import timezone

from crm.lib.errors import Conflict, Invalid
from crm.web.fields import DateField, DateTimeField, MoneyField, Row, RowsField
from crm.web.forms import add_error


class Example(forms.Form):
    name = forms.CharField(help_text="As on the contract.")
    note = forms.CharField(required=False, widget=forms.Textarea)
    kind = forms.ChoiceField(choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect, required=False)
    private = forms.BooleanField(required=False, widget=forms.CheckboxInput(attrs={"class": "switch"}))


class Values(forms.Form):
    amount = MoneyField(currency="EUR", required=False)
    day = DateField(required=False)
    moment = DateTimeField(required=False)
    emails = RowsField(forms.EmailField(), kinds=[("work", "Work"), ("home", "Home")], input_type="email")


def test_field_ties_label_help_and_error_together() -> None:
    html = str(Example({"name": ""})["name"].as_design())
    assert '<label class="label" for="id_name">Name <span class="req" aria-hidden="true">*</span></label>' in html
    assert 'aria-invalid="true" aria-describedby="id_name_helptext id_name_error" class="input" id="id_name"' in html
    assert '<div class="help" id="id_name_helptext">As on the contract.</div>' in html
    assert '<div class="errors" id="id_name_error"><p class="error">' in html


def test_field_without_fault_says_nothing_of_errors() -> None:
    html = str(Example({"name": "x"})["name"].as_design())
    assert ("aria-invalid" in html, "error" in html) == (False, False)


def test_field_options_change_one_field_only() -> None:
    html = str(Example()["name"].as_design(wide=True, label="Title", help="", size="lg", attrs={"placeholder": False}))
    assert html.startswith('<div class="field wide"><label class="label" for="id_name">Title ')
    assert 'class="input input-lg"' in html
    assert ("helptext" in html, "placeholder" in html) == (False, False)


def test_choices_and_boxes_in_the_design() -> None:
    form = Example({"name": "x", "kind": "b", "private": "on"})
    assert '<input type="radio" class="radio" name="kind" value="b" id="id_kind_1" checked>B' in str(form["kind"])
    assert '<label class="choice"><input type="checkbox" name="private" class="switch"' in str(
        form["private"].as_design()
    )
    assert 'class="textarea"' in str(form["note"])


def test_star_only_where_other_fields_may_stay_empty() -> None:
    class Both(forms.Form):
        email = forms.EmailField()
        remember = forms.BooleanField(required=False)

    assert 'class="req"' not in str(Both())


def test_form_renders_itself_with_errors_above() -> None:
    form = Example({"name": "x"})
    form.add_error(None, "That did not work.")
    html = str(form)
    assert html.index('role="alert"') < html.index("That did not work.") < html.index('class="field"')


def test_what_people_typed_is_escaped() -> None:
    html = str(Example({"name": '"><script>', "kind": "a", "note": "</textarea><script>"}))
    assert "<script>" not in html


def test_error_of_an_action_stands_on_its_field() -> None:
    form = Example({"name": "x"})
    add_error(form, Invalid(fields={"name": "Too short."}))
    assert (form.errors["name"], form.non_field_errors()) == (["Too short."], [])


def test_error_of_an_action_about_no_field_stands_above() -> None:
    form = Example({"name": "x"})
    add_error(form, Conflict("Somebody was faster.", fields={"stage": "gone"}))
    assert form.non_field_errors() == ["Somebody was faster."]


def test_money_cleans_to_minor_units_and_back() -> None:
    form = Values({"amount": "1,200.50"})
    assert form.is_valid()
    assert form.cleaned_data["amount"] == 120_050
    assert '<input type="text" name="amount" value="1200.50"' in str(Values(initial={"amount": 120_050})["amount"])
    assert 'value="1200"' in str(Values(initial={"amount": 120_000})["amount"])


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
def test_money_shown_is_read_again(currency: str) -> None:
    field = MoneyField(currency=currency)
    for minor in (0, 1, 999, 1000, 1234, 123_456, 10**9):
        assert field.to_python(field.prepare_value(minor)) == minor


@pytest.mark.parametrize(("text", "code"), [("abc", "invalid"), ("-1", "negative"), ("99999999999999", "too_large")])
def test_money_that_is_none_refused(text: str, code: str) -> None:
    form = Values({"amount": text})
    assert [error.code for error in form.errors.as_data()["amount"]] == [code]
    assert f'value="{text}"' in str(form["amount"])


def test_moment_is_in_the_readers_zone() -> None:
    with timezone.override(ZoneInfo("America/New_York")):
        form = Values({"moment": "2026-11-19T09:30"})
        assert form.is_valid()
        assert form.cleaned_data["moment"] == dt.datetime(2026, 11, 19, 14, 30, tzinfo=dt.UTC)
        shown = Values(initial={"moment": dt.datetime(2026, 11, 19, 14, 30, tzinfo=dt.UTC), "day": dt.date(2026, 2, 1)})
        assert 'type="datetime-local" name="moment" value="2026-11-19T09:30"' in str(shown["moment"])
        assert 'type="date" name="day" value="2026-02-01"' in str(shown["day"])


def _posted(*rows: tuple[str, str], primary: str = "") -> QueryDict:
    data = QueryDict(mutable=True)
    for number, (value, kind) in enumerate(rows):
        data.appendlist("emails", value)
        data.appendlist("emails-key", f"r{number}")
        data.appendlist("emails-kind", kind)
    data["emails-primary"] = primary
    return data


def test_rows_cleaned_with_the_chosen_primary() -> None:
    form = Values(_posted(("a@x.example", "work"), (" ", "home"), ("b@x.example", "other"), primary="r2"))
    assert form.is_valid()
    assert form.cleaned_data["emails"] == [Row("a@x.example", "work", False), Row("b@x.example", "", True)]


def test_rows_without_a_choice_take_the_first_as_primary() -> None:
    form = Values(_posted(("a@x.example", "work"), ("b@x.example", "work"), primary="gone"))
    assert form.is_valid()
    assert [row.primary for row in form.cleaned_data["emails"]] == [True, False]


def test_rows_with_a_fault_are_shown_again_as_typed() -> None:
    form = Values(_posted(("nonsense", "home"), ("b@x.example", "work"), primary="r1"))
    assert form.errors["emails"] == ["nonsense: Enter a valid email address."]
    html = str(form["emails"])
    assert ('value="nonsense"' in html, html.count("checked")) == (True, 1)


def test_rows_twice_the_same_refused() -> None:
    form = Values(_posted(("a@x.example", "work"), ("a@x.example", "home")))
    assert form.errors["emails"] == ["a@x.example is here twice."]


def test_rows_empty_are_an_empty_list() -> None:
    form = Values(QueryDict("emails=&emails-key=r0"))
    assert form.is_valid()
    assert form.cleaned_data["emails"] == []


def test_rows_know_what_changed() -> None:
    rows = [Row("a@x.example", "work", True)]
    same = Values(_posted(("a@x.example", "work"), primary="r0"), initial={"emails": rows})
    other = Values(_posted(("a@x.example", "home"), primary="r0"), initial={"emails": rows})
    assert (same.changed_data, other.changed_data) == ([], ["emails"])
