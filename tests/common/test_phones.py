"""Numbers as they are told, the form that is dialled, and the line that they are compared by."""

import itertools

import phonenumbers
import pytest

from common.phones import (
    digits_of,
    line_of,
    national_digits,
    spellings_of,
    to_e164,
    two_digit_codes,
    typed_digits,
)

# All of a row are one phone, as told in the region.
ONE_PHONE = [
    [
        ("+525512345678", "CR"),
        ("+52 1 55 1234 5678", "CR"),
        ("0052 1 55 1234 5678", "CR"),
        ("5215512345678", "CR"),  # without its +, as phone systems tell it
        ("55 1234 5678", "MX"),
        ("1 55 1234 5678", "MX"),
        ("044 55 1234 5678", "MX"),
        ("045 55 1234 5678", "MX"),
        ("01 55 1234 5678", "MX"),
        ("+52 044 55 1234 5678", "CR"),
        ("52 55 1234-5678", "CR"),  # without its +, as people tell it
        ("52 (1) 55 1234 5678", "CR"),
    ],
    [
        ("+5491123456780", "CR"),
        ("+541123456780", "CR"),
        ("+54 9 11 15 2345 6780", "CR"),
        ("+54 11 15 2345-6780", "CR"),
        ("5491123456780", "CR"),
        ("011 15-2345-6780", "AR"),
        ("11 15 2345 6780", "AR"),
        ("9 11 2345 6780", "AR"),
        ("11 2345 6780", "AR"),
    ],
    [
        ("+54 9 351 123 4567", "CR"),
        ("+54 9 351 15 123 4567", "CR"),
        ("+54 9 0351 15 123 4567", "CR"),
        ("+54 9 0351 123-4567", "CR"),
        ("+54 (0) 351 15 123 4567", "CR"),
        ("0351 15-123-4567", "AR"),
        ("351 123 4567", "AR"),
    ],
    [("+54 9 2901 123456", "CR"), ("+54 9 2901 15 123456", "CR"), ("02901 15 123456", "AR")],
    [
        ("+5511987654321", "CR"),
        ("+551187654321", "CR"),
        ("+55 (011) 98765 4321", "CR"),
        ("11 8765-4321", "BR"),
        ("0 15 11 98765-4321", "BR"),  # with a carrier
        ("551187654321", "CR"),
    ],
    [("+55 31 8765 1234", "CR"), ("+55 31 98765 1234", "CR")],
    [("+57 1 234 5678", "CR"), ("+57 601 234 5678", "CR")],
    [
        ("+12125552002", "CR"),
        ("1-212-555-2002", "CR"),
        ("1 (212) 555‑2002", "CR"),
        ("1.212.555.2002", "ES"),
        ("212-555-2002", "US"),
    ],
    [("+34612345004", "CR"), ("+34 (0) 612 34 50 04", "CR"), ("0034(0)612345004", "CR")],
    [
        ("+50688887777", "CR"),
        ("\u202a+506 8888\u200b7777\u202c", "CR"),
        ("\ufeff8888\u2060-7777", "CR"),
        ("8️8️8️8️7️7️7️7️", "CR"),
        ("\u200e(506)\u00a08888\u00ad7777\u200f", "CR"),
        ("８８８８ ７７７７", "CR"),
        ("☎️ 8888-7777", "CR"),
    ],
]
# Each of a row is another phone.
OTHERS = [
    ["+551132654321", "+5511932654321"],  # on the wall in São Paulo, and a mobile
    ["+525512345678", "+525512345679", "+15512345678"],
    ["+541123456780", "+551123456780", "+34911123456"],
    ["+5512345678", "+5219812345678"],
]


@pytest.mark.parametrize("told", ONE_PHONE)
def test_one_phone_has_one_line_however_it_is_told(told):
    lines = {line_of(number, region) for number, region in told}
    assert len(lines) == 1 and lines != {""}
    (line,) = lines
    assert line_of(line) == line
    numbers = {to_e164(number, region) for number, region in told}
    assert numbers <= set(spellings_of(line)) and {line_of(number) for number in numbers} == lines


@pytest.mark.parametrize("numbers", OTHERS)
def test_another_phone_has_another_line(numbers):
    for one, other in itertools.combinations(numbers, 2):
        assert line_of(one) != line_of(other)


def test_a_number_is_kept_as_it_is_dialled():
    assert to_e164("+54 9 11 2345 6780") == "+5491123456780"  # from abroad, it needs the 9
    assert to_e164("+55 11 8765 4321") == "+551187654321"
    assert to_e164("+52 1 55 1234 5678") == "+525512345678"  # there is no such number any more
    assert spellings_of("1001") == ["1001"]


@pytest.mark.parametrize("text", ["", "ana", "701", "*43", "anonymous", "12345678901234567890"])
def test_what_is_no_number_has_no_line(text):
    assert (to_e164(text), line_of(text)) == ("", "")


def test_digits_without_a_country_are_abroad_only_where_there_is_such_a_number():
    assert to_e164("34612345678") == "+34612345678"
    assert to_e164("99999999999") == ""
    assert to_e164("1-111-555-2002") == ""
    assert to_e164("5512-3456 / 5512-3457") == ""
    assert to_e164("+39 (0) 6 1234 5678") == "+390612345678"  # the 0 is a part of it
    assert to_e164("01152345678012") == ""


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("5215512345678", "525512345678"),
        ("+52 1 55 12", "525512"),
        ("1 55 1234 5678", "525512345678"),
        ("044 55 1234 5678", "525512345678"),
        ("+54 9 11 23", "541123"),
        ("9 11 2345 6780", "541123456780"),
        ("55118765", "5511987654321"),
        ("11 8765 4321", "5511987654321"),
        ("0 8888 7777", "50688887777"),
    ],
)
def test_typed_digits_are_looked_for_as_the_line_has_them(typed, line):
    assert any(digits in line for digits in typed_digits(typed))


def test_few_digits_are_not_looked_for():
    assert typed_digits("12") == typed_digits("ana") == []
    assert typed_digits("0001") == ["0001"]


def test_digits_and_what_a_country_dials_itself():
    assert digits_of("(８) 7-²x९") == "879"
    assert national_digits("+50688887777") == "88887777"
    assert national_digits("1001") == ""
    assert "34" in two_digit_codes() and "50" not in two_digit_codes()


def examples(region):
    kinds = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)
    found = (phonenumbers.example_number_for_type(region, kind) for kind in kinds)
    return [number for number in found if number is not None]


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_every_country_s_numbers_are_read_as_that_country_writes_them(region):
    formats = phonenumbers.PhoneNumberFormat
    for number in examples(region):
        e164 = phonenumbers.format_number(number, formats.E164)
        line = line_of(e164, "CR")
        assert line and line_of(line, region) == line and e164 in spellings_of(line)
        for form in (formats.INTERNATIONAL, formats.RFC3966, formats.NATIONAL):
            assert line_of(phonenumbers.format_number(number, form), region) == line
        in_it = national_digits(e164)
        assert e164 == f"+{number.country_code}{in_it}"
        code = str(number.country_code)
        assert (code in two_digit_codes()) is (len(code) == 2)


def test_two_numbers_of_a_country_are_two_lines():
    numbers = {
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        for region in phonenumbers.SUPPORTED_REGIONS - {"AR"}  # whose two examples are one phone
        for number in examples(region)
    }
    assert len({line_of(number) for number in numbers}) == len(numbers)
