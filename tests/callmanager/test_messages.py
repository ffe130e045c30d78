"""`make messages` changes what changed: the rest of a catalogue keeps its order and its dress."""

import difflib

from scripts.messages import merged

HEAD = 'msgid ""\nmsgstr ""\n"POT-Creation-Date: {date}\\n"'
OLD = [
    'msgid "one"\nmsgstr "uno"',
    'msgctxt "call"\nmsgid "two"\nmsgstr ""\n"do"\n"s"',
    '#, python-format\nmsgid "%(n)d three"\nmsgstr "tres"',
    'msgid "four"\nmsgstr "cuatro"',
]


def catalogue(date, *entries):
    return "\n\n".join([HEAD.format(date=date), *entries]) + "\n"


BEFORE = catalogue("2026-01-01", *OLD)


def changes(after):
    lines = difflib.ndiff(BEFORE.splitlines(), merged(BEFORE, after).splitlines())
    return [line for line in lines if line[0] in "+-" and line.strip() not in "+-"]


def test_another_order_other_line_breaks_and_another_date_change_nothing():
    moved = [OLD[3], 'msgctxt "call"\nmsgid "two"\nmsgstr "dos"', OLD[0], OLD[2]]
    assert merged(BEFORE, catalogue("2026-02-02", *moved)) == BEFORE


def test_a_new_text_follows_its_neighbour_and_one_that_is_gone_goes():
    after = catalogue(
        "2026-02-02",
        *('msgid "zero"\nmsgstr ""', OLD[2], 'msgid "new"\nmsgstr ""', OLD[0], OLD[1]),
        '#~ msgid "old"\n#~ msgstr "viejo"',
    )
    kept = ('msgid "zero"\nmsgstr ""', *OLD[:3], 'msgid "new"\nmsgstr ""')
    assert merged(BEFORE, after) == catalogue("2026-01-01", *kept)


def test_a_text_that_must_be_looked_at_again_is_marked():
    doubtful = OLD[0].replace("msgid", "#, fuzzy\nmsgid")
    assert changes(catalogue("2026-02-02", doubtful, *OLD[1:])) == ["+ #, fuzzy"]
