"""What search keeps beside the records themselves."""

from django.db import models
from django.db.models.functions import Substr

from crm.tenancy.models import TenantModel


class SearchWord(TenantModel):
    """A word of the organisation's records: for finding what was spelled wrong, and for naming the words that begin
    alike. What has digits, or over 40 letters, stands here with its beginning (crm.tenancy.searchsql.noted).

    Written by triggers (crm.tenancy.searching). Words are not counted and stay when their last record is gone: they
    then lead to nothing. Two transactions may write the same new word, so that neither waits for the other.
    """

    word = models.TextField(db_collation="C")

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(fields=["org", "word"], name="searchword_word"),
            # The first letter may be the wrong one.
            models.Index("org", Substr("word", 2), name="searchword_tail"),
        ]
