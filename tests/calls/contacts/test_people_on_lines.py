"""Who is on a line is found without comparing all who are."""

from hypothesis import given
from hypothesis import strategies as st

from calls.contacts.people import PeopleOnLines, is_alike, words_of_name

WORDS = ("Ana", "Eva", "Luis", "Mora", "Paz", "Solís")
NAMES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4)
PEOPLE = st.lists(st.tuples(NAMES.map(" ".join), st.sampled_from(["+1", "+2"])), max_size=8)


@given(PEOPLE, NAMES.map(" ".join), st.sampled_from([["+1"], ["+2", "+1"], ["+3"]]))
def test_somebody_of_a_like_name_is_found_where_there_is_one(people, name, lines):
    known: PeopleOnLines[int] = PeopleOnLines()
    for place, (other, line) in enumerate(people):
        known.add([line], words_of_name(other), place)
    alike = {
        place
        for place, (other, line) in enumerate(people)
        if line in lines and is_alike(words_of_name(name), words_of_name(other))
    }
    found = known.find(lines, words_of_name(name))
    assert found in alike if alike else found is None


def test_capitals_accents_and_the_order_of_names_do_not_matter():
    assert is_alike(words_of_name("MORA SOLIS, Elena"), words_of_name("Elena Mora Solís"))
    assert is_alike(words_of_name("Elena Mora"), words_of_name("Elena Mora Solís"))
    assert not is_alike(words_of_name("Juan Mora Solís"), words_of_name("Elena Mora Solís"))
    assert not is_alike(words_of_name("☎"), words_of_name("★"))
