"""Migrations write of the numbers that were there before what the code writes of new ones."""

from importlib import import_module

import pytest
from django.db import connection

from common.phones import line_of, to_e164

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

contacts = import_module("calls.migrations.0011_contact_numbers")
calls = import_module("calls.migrations.0012_call_phone_line")

# As a call kept them: as told, and in E.164 as far as it could be read then.
STORED = [
    ("", ""),
    ("1001", ""),
    ("+525512345678", "+525512345678"),
    ("+5215512345678", ""),
    ("+52 1 (55) 1234-5678", ""),
    ("+52\u00a01\u00a055.1234.5678", ""),
    ("+52 1 55 1234 567", "+521551234567"),
    ("+5491123456789", "+5491123456789"),
    ("+541123456789", "+541123456789"),
    ("011 15-2345-6789", "+5491123456789"),
    ("+5511987654321", "+5511987654321"),
    ("+551187654321", "+551187654321"),
    ("+551132654321", "+551132654321"),
    ("+5711234567", "+5711234567"),
    ("+5712345678", "+5712345678"),
    ("+573101234567", "+573101234567"),
    ("8888-7777", "+50688887777"),
    ("+34612345678", "+34612345678"),
    ("+551198765432", "+551198765432"),
]


@pytest.mark.parametrize(("told", "e164"), STORED)
def test_a_call_has_the_number_and_the_line_that_it_would_have_today(told, e164):
    row = "(SELECT CAST(%s AS varchar) AS contact_phone, CAST(%s AS varchar) AS phone_e164) AS c"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {calls.NUMBER}, {calls.LINE} FROM {row}", [told, e164])
        assert cursor.fetchone() == (e164 or to_e164(told), line_of(e164 or told))


@pytest.mark.parametrize("phone", [e164 or told for told, e164 in STORED])
def test_a_contact_has_the_number_and_the_line_that_it_would_have_today(phone):
    number = contacts.mended(phone)
    assert number == (to_e164(phone) or phone)
    assert contacts.line_of(number) == (line_of(phone) or phone)
