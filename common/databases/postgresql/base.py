"""Django's PostgreSQL backend for the statements that every call needs.

Django writes each value into the text of its statement, so that PostgreSQL reads and plans it anew
every time, and asks `SELECT 1` before the first of a request. Here the statements of
`common.databases.prepared_sql` are planned once a connection, and a connection in steady use is
only looked at.
"""

import re
import select
import time
from typing import Any, Final

from django.db.backends.postgresql import base
from django.db.backends.postgresql.operations import DatabaseOperations
from psycopg import Cursor, sql
from psycopg.pq import TransactionStatus

_KEPT: Final = 300  # statements a connection
# What lies between us and the server may forget a connection that is silent; then it is asked.
_SILENT_SECONDS: Final = 10


class PreparedCursor(Cursor[Any]):
    def execute(self, query: Any, params: Any = None, **_options: Any) -> Any:
        return super().execute(query, params, prepare=True)


class Operations(DatabaseOperations):
    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> Any:
        """For logs and tests: the text with its values, which prepared cursors never make."""
        if isinstance(cursor, PreparedCursor):
            return self.compose_sql(sql, params)
        return super().last_executed_query(cursor, sql, params)


# The stubs leave out what only backends use.
class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = Operations
    _heard_at = 0.0  # when the server was last known to be there, on the monotonic clock

    def get_connection_params(self) -> dict[str, Any]:
        # Django's own cursors put values into the text and prepare nothing.
        return super().get_connection_params() | {"prepare_threshold": 0}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        connection.prepared_max = _KEPT
        return connection

    def prepared_cursor(self) -> Any:
        """A cursor whose statements the server keeps, planned, for this connection."""
        self.close_if_health_check_failed()
        self.ensure_connection()
        with self.wrap_database_errors:
            return self._prepare_cursor(PreparedCursor(self.connection))  # type: ignore[attr-defined]

    def with_constants(self, query: str, template: list[Any]) -> tuple[str, list[Any]]:
        """`query` and the parameters it keeps: what is in a list in `template` becomes text.

        A partial index is only used where the planner sees that its condition holds.
        """
        parameters = iter(template)

        def written(mark: re.Match[str]) -> str:
            if mark[0] == "%%" or type(parameter := next(parameters)) is int:
                return mark[0]
            literal: str = sql.Literal(parameter[0]).as_string(self.connection)
            return literal.replace("%", "%%")

        self.ensure_connection()
        text = re.sub("%%|%s", written, query)
        return text, [parameter for parameter in template if type(parameter) is int]

    def is_usable(self) -> bool:
        """As Django's, which asks the server: here it is enough that it has not hung up, unless it
        was not heard of for a while."""
        now = time.monotonic()
        lately = now - self._heard_at < _SILENT_SECONDS
        if lately and not self.errors_occurred and self._has_nothing_to_say():
            return True
        usable: bool = super().is_usable()
        if usable:
            self._heard_at = now
        return usable

    def _has_nothing_to_say(self) -> bool:
        """A server that goes away sends a farewell or closes the line: both can be read."""
        if self.connection is None or self.connection.closed:
            return False
        pg = self.connection.pgconn
        if pg.transaction_status != TransactionStatus.IDLE:
            return False
        unread = select.poll()
        unread.register(pg.socket, select.POLLIN)
        return not unread.poll(0)
