"""What a browser test that failed leaves behind."""

import pytest

from tests.support.browsing import settle

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.once]


def test_evidence_is_kept_of_every_open_page(visit, live_people, tmp_path):
    context = visit.context(live_people.alice)
    desk, contacts = visit.tab(context), visit.tab(context, "/contacts/")
    visit.tab(context).close()
    settle(desk)
    desk.evaluate("console.info('it went well')")
    contacts.evaluate("console.error('it went wrong')")
    visit.ignore("it went wrong")

    kept = visit.keep_evidence(tmp_path / "evidence")

    assert [path.name for path in kept] == [
        f"{name}-{number}.{kind}"
        for number in (1, 2)
        for name, kind in (("console", "txt"), ("page", "html"), ("page", "png"))
    ]
    assert "info: it went well" in kept[0].read_text()
    assert "it went wrong" not in kept[0].read_text()
    assert 'id="timer"' in kept[1].read_text()
    assert kept[2].read_bytes().startswith(b"\x89PNG")
    lines = kept[3].read_text().splitlines()
    assert lines[0].endswith("/contacts/") and "error: it went wrong" in lines[1]
