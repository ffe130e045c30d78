"""Calls have the line of their number beside it, so that they are found by it.

Within the database, in one pass: a million calls must not be read one by one. Their index of words,
which now has the line too, is filled again after the last migration (calls/receivers.py).
"""

from django.db import migrations, models

PLAIN = "contact_phone"
for mark in (" ", "-", "(", ")", ".", "\u00a0"):
    PLAIN = f"replace({PLAIN}, '{mark}', '')"
# Mexico's mobiles with the 1 that was dialled until 2019 were no numbers to us.
NUMBER = f"""
CASE WHEN phone_e164 = '' AND {PLAIN} LIKE '+521__________' AND length({PLAIN}) = 14
THEN '+52' || substr({PLAIN}, 5) ELSE phone_e164 END
"""
# common.phones.line_of as it was.
LINE = f"""
CASE
WHEN phone_e164 = '' THEN {NUMBER}
WHEN phone_e164 LIKE '+549__________' THEN '+54' || substr(phone_e164, 5)
WHEN phone_e164 LIKE '+55__________' AND substr(phone_e164, 6, 1) BETWEEN '6' AND '9'
THEN substr(phone_e164, 1, 5) || '9' || substr(phone_e164, 6)
WHEN phone_e164 LIKE '+57________' AND substr(phone_e164, 4, 1) IN ('1','2','4','5','6','7','8')
THEN '+5760' || substr(phone_e164, 4)
ELSE phone_e164 END
"""


class AddFilled(migrations.AddField):
    """A text that is made of others of its row, without a copy of the table on SQLite and without
    an update of every row, and so of every index, on PostgreSQL."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        table = "calls_calllog"
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            schema_editor.execute(
                f"ALTER TABLE {table} "
                f"ALTER COLUMN phone_line TYPE varchar(20) USING ({LINE})::varchar(20), "
                f"ALTER COLUMN phone_e164 TYPE varchar(20) USING ({NUMBER})::varchar(20)"
            )
        else:
            schema_editor.execute(
                f"ALTER TABLE {table} ADD COLUMN phone_line varchar(20) NOT NULL DEFAULT ''"
            )
            schema_editor.execute(
                f"UPDATE {table} SET phone_line = {LINE}, phone_e164 = {NUMBER} "
                "WHERE contact_phone <> ''"
            )


class Migration(migrations.Migration):
    dependencies = [("calls", "0011_contact_numbers")]
    operations = [
        AddFilled(
            "calllog", "phone_line", models.CharField(blank=True, editable=False, max_length=20)
        ),
        migrations.AddIndex(
            "calllog",
            models.Index(
                condition=models.Q(("phone_line", ""), _negated=True),
                fields=["phone_line"],
                name="call_phone_line",
            ),
        ),
    ]
