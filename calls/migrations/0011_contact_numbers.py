"""A contact has several numbers; those that there are become the first of them."""

import re
import unicodedata

import django.db.models.deletion
from django.db import migrations, models

BATCH = 2000
MENDED = [
    (re.compile(r"\+52(?:1|01|044|045)(\d{10})"), r"+52\1"),
    (re.compile(r"\+549(11)15(\d{8})"), r"+549\1\2"),
    (re.compile(r"\+549([23]\d\d)15(\d{7})"), r"+549\1\2"),
    (re.compile(r"\+549([23]\d{3})15(\d{6})"), r"+549\1\2"),
]
SAME = [
    (re.compile(r"\+549(\d{10})"), r"+54\1"),
    (re.compile(r"\+55(\d\d)([6-9]\d{7})"), r"+55\g<1>9\2"),
    (re.compile(r"\+57([124-8]\d{7})"), r"+5760\1"),
]


def mended(phone):
    """common.phones.to_e164 of what it could not read before; other text as it stands."""
    seen = (char for char in phone if unicodedata.category(char) != "Cf")
    digits = "".join(char for char in seen if char not in " \u00a0-().")
    for pattern, number in MENDED:
        if pattern.fullmatch(digits):
            return pattern.sub(number, digits)
    return phone


def line_of(phone):
    """common.phones.line_of as it was: what a migration did must not change with the code."""
    for pattern, line in SAME:
        if pattern.fullmatch(phone):
            return pattern.sub(line, phone)
    return phone


def fill(apps, schema_editor):
    contact_model = apps.get_model("calls", "Contact")
    number_model = apps.get_model("calls", "ContactNumber")
    rows = contact_model.objects.exclude(phone="").order_by("pk").values_list("pk", "phone")
    last = 0
    while part := list(rows.filter(pk__gt=last)[:BATCH]):
        numbers = []
        for pk, phone in part:
            number = mended(phone)
            if number != phone:
                contact_model.objects.filter(pk=pk).update(phone=number)
            numbers.append(number_model(contact_id=pk, number=number, line=line_of(number)))
        number_model.objects.bulk_create(numbers, batch_size=200)
        last = part[-1][0]


class Migration(migrations.Migration):
    dependencies = [("calls", "0010_words_of_notes_apart")]
    operations = [
        migrations.CreateModel(
            name="ContactNumber",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "number",
                    models.CharField(
                        help_text="Stored as +50651234567.", max_length=40, verbose_name="number"
                    ),
                ),
                ("line", models.CharField(editable=False, max_length=40)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("mobile", "mobile"),
                            ("work", "work"),
                            ("home", "home"),
                            ("main", "main number"),
                            ("fax", "fax"),
                            ("other", "other number"),
                        ],
                        default="other",
                        max_length=6,
                        verbose_name="kind",
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=0, verbose_name="position")),
                (
                    "contact",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="numbers",
                        to="calls.contact",
                        verbose_name="contact",
                    ),
                ),
            ],
            options={
                "verbose_name": "number",
                "verbose_name_plural": "numbers",
                "ordering": ["position"],
                "indexes": [models.Index(fields=["line", "contact"], name="contact_number_line")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("contact", "position"), name="contact_number_place"
                    )
                ],
            },
        ),
        migrations.AlterField(
            "contact",
            "phone",
            models.CharField(
                help_text="The preferred one of the numbers. Stored as +50651234567.",
                max_length=40,
                verbose_name="phone",
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
