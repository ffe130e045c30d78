"""The words of calls, as the database keeps them: see fulltext.py. Read, never written."""

from typing import Any

from django.db import models

from calls.models.call import CallLog
from common.generics import TextField


class WordsField(TextField[str, str]):
    """Text that is asked for words: `words__match=Wanted(...)`."""


class CallText(models.Model):
    """The words that are said of a call: contact, number, reference, notes."""

    rowid = models.BigIntegerField(primary_key=True)
    words = WordsField()
    call = models.OneToOneField(
        CallLog,
        related_name="text",
        db_column="call",
        db_constraint=False,
        on_delete=models.DO_NOTHING,  # a trigger follows the call
    )

    class Meta:
        managed = False
        db_table = "calls_calltext"

    def __str__(self) -> str:
        return str(self.rowid)


@WordsField.register_lookup
class Match(models.Lookup):
    """The call says what `rhs`, a fulltext.Wanted, asks for."""

    lookup_name = "match"
    prepare_rhs = False

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        table = f'{self._alias(compiler)}."{CallText._meta.db_table}"'
        return f"{table} MATCH %s", [self.rhs.in_sqlite()]

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return f"{self._alias(compiler)}.words @@ %s::tsquery", [self.rhs.in_postgresql()]

    def _alias(self, compiler: Any) -> str:
        return str(compiler.quote_name_unless_alias(self.lhs.alias))
