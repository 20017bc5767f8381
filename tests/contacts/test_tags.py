"""Tags by name: found without case and accents, made when they are new."""

import pytest
from django.db.models import F, Func, Value

from crm import queries
from crm.actions.tags import clean_tags, resolve_tags
from crm.lib.errors import Forbidden, Invalid
from crm.models import Tag
from tests.contacts.conftest import Cast

pytestmark = pytest.mark.django_db(transaction=True)


def test_resolve_tags_finds_and_makes_by_name(cast: Cast):
    with cast.org.acting(cast.rep) as acting:
        known = Tag.objects.create(name="Crème")
        [first, second] = resolve_tags([["CREME", "New"], ["new", known.id, "crème"]], acting=acting)
        names = dict(Tag.objects.values_list("id", "name"))
    assert [names[pk] for pk in first] == ["Crème", "New"]
    assert second == [first[1], first[0]]
    assert len(names) == 2


def test_resolve_tags_drops_ids_that_are_not_there(cast: Cast):
    with cast.org.acting(cast.rep) as acting:
        assert resolve_tags([[cast.rep.id]], acting=acting) == [[]]


def test_resolve_tags_by_a_reader_finds_but_does_not_make(cast: Cast):
    with cast.org.system():
        known = Tag.objects.create(name="NL")
    with cast.org.acting(cast.reader) as acting:
        assert resolve_tags([["nl"]], acting=acting) == [[known.id]]
        with pytest.raises(Forbidden):
            resolve_tags([["other"]], acting=acting)
    with cast.org.system():
        assert Tag.objects.count() == 1


def test_clean_tags():
    assert clean_tags([" Big   deal ", "", "Big deal", "NL"]) == ("Big deal", "NL")
    with pytest.raises(Invalid):
        clean_tags(["x" * 61])
    with pytest.raises(Invalid):
        clean_tags([str(n) for n in range(31)])


def test_tag_ids_is_what_one_query_per_name_finds(cast: Cast):
    names = ["Crème", "creme", "NL", "absent", "ß"]
    with cast.org.system():
        for name in ("Creme", "nl", "ß"):
            Tag.objects.create(name=name)
        found = queries.tag_ids(names)
        expected = {}
        for name in names:
            same = Tag.objects.filter(name_norm=Func(Value(name), function="keel_norm")).annotate(n=F("name")).first()
            if same:
                expected[name] = same.id
        assert found == expected
        assert len(found) == 4
        assert queries.tag_ids([]) == {}
