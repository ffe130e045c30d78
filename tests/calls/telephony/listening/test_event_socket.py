"""FreeSWITCH's event socket as bytes: cut into messages, however they come; and how to get in."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from calls.providers.base import Unreachable
from calls.providers.freeswitch.event_socket.esl import Reader, encode
from calls.providers.freeswitch.event_socket.tracker import Tracker
from calls.providers.freeswitch.event_socket.where import Where
from calls.providers.lasting import Garbled, Refused
from calls.simulation.freeswitch.wire import ACCEPTED, GREETING, answer_of, message_of, reply_of
from tests.support.freeswitch import stream

WHOLE = stream("01-answered-hold")


@given(st.integers(1, 4000))
def test_pieces_of_any_size_are_the_same_messages(size):
    reader, found = Reader(), []
    for place in range(0, len(WHOLE), size):
        found += reader.feed(WHOLE[place : place + size])
    assert [(m.kind, m.fields, m.body) for m in found] == [
        (m.kind, m.fields, m.body) for m in Reader().feed(WHOLE)
    ]


def test_values_are_decoded_and_a_text_behind_an_event_is_kept():
    fields = {"Event-Name": "CHANNEL_CREATE", "Caller-Caller-ID-Name": "José: 100 %\nPérez"}
    for as_json in (False, True):
        (one,) = Reader().feed(message_of(fields, body="+OK\n\nmore", as_json=as_json))
        assert one.get("Caller-Caller-ID-Name") == fields["Caller-Caller-ID-Name"]
        assert (one.event, one.body) == ("CHANNEL_CREATE", "+OK\n\nmore")
    (one,) = Reader().feed(_framed(b"Event-Name: X\nName: Jos%E9\n\n"))
    assert one.get("Name") == "José"


def _framed(raw, kind="text/event-plain"):
    return f"Content-Length: {len(raw)}\r\nContent-Type: {kind}\r\n\r\n".encode() + raw


@given(st.integers(0, len(WHOLE)))
@example(158_434)
def test_a_message_that_broke_off_takes_nothing_of_the_next_connection_along(place):
    found = Reader().feed(WHOLE[:place] + GREETING + ACCEPTED + answer_of("4711"))
    assert [one.kind for one in found[-3:]] == ["auth/request", "command/reply", "api/response"]


@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Type: x\nContent-Length: many\n\n",
        b"Content-Type: x\nContent-Length: 999999999\n\n",
        b"x" * 70_000,
        _framed(b"[1]", "text/event-json"),
        _framed(b"{", "text/event-json"),
    ],
)
def test_what_cannot_be_a_message_is_said_to_be_none(raw):
    with pytest.raises(Garbled):
        Reader().feed(raw)


HEADS = [b"Content-Type: text/event-plain\n", b"Content-Type: text/event-json\n", b"\n\n", GREETING]
PIECES = st.one_of(
    st.binary(max_size=200),
    st.sampled_from(HEADS),
    st.integers(0, len(WHOLE) - 400).map(lambda place: WHOLE[place : place + 400]),
    st.dictionaries(
        st.sampled_from(
            (
                *("Event-Name", "Unique-ID", "Event-Sequence", "Caller-Channel-Created-Time"),
                *("Other-Leg-Unique-ID", "Channel-Name", "variable_hold_events", "Call-Direction"),
            )
        ),
        st.one_of(st.text(max_size=30), st.just("CHANNEL_CREATE"), st.just("a"), st.just("1" * 16)),
    ).map(message_of),
    st.recursive(st.none() | st.text(max_size=5), st.lists).map(
        lambda rows: answer_of('{"row_count":1,"rows":' + str(rows).replace("'", '"') + "}")
    ),
)


@given(st.lists(PIECES, max_size=12))
@example([message_of({"Event-Name": "CHANNEL_CREATE", "Unique-ID": "u" * 500})])
@example([answer_of('{"row_count":1,"rows":[{"uuid":["a"],"created_epoch":{}}]}')])
def test_no_bytes_do_anything_but_make_messages_or_are_refused_in_words(pieces):
    reader, follower = Reader(), Tracker()
    try:
        for piece in pieces:
            for message in reader.feed(piece):
                follower.read(message, 1_767_607_200_000)
    except Garbled as error:
        assert str(error)
    follower.finish()


def test_no_command_smuggles_in_a_line():
    with pytest.raises(ValueError, match="line break"):
        encode("api uuid_exists a\n\napi fsctl shutdown")
    where = Where("127.0.0.1", 8021, ("secret",))
    rows = '{"row_count":1,"rows":[{"uuid":"a b\\n\\napi fsctl shutdown"}]}'
    (listed,) = Reader().feed(answer_of(rows))
    assert where.follow_up(listed) == b"api uuid_dump abapifsctlshutdown json\n\n"


# --- Getting in -----------------------------------------------------------------------------------


def entered(where, *answers):
    """What is sent on the way in, if these messages come."""
    steps, sent = where.log_in(where.secrets[0]), []
    sent.append(next(steps))
    for answer in Reader().feed(b"".join(answers)):
        try:
            sent.append(steps.send(answer))
        except StopIteration:
            break
    return b"".join(sent).decode()


def test_the_way_in_with_a_password_and_as_a_user():
    where = Where("127.0.0.1", 8021, ("secret",))
    came = message_of({"Event-Name": "HEARTBEAT"})
    sent = entered(where, GREETING, ACCEPTED, came, reply_of("+OK event listener enabled plain"))
    assert sent.startswith("auth secret\n\nevent plain CHANNEL_CREATE ")
    where = Where("127.0.0.1", 8021, ("secret",), user="calls@pbx")
    assert entered(where, GREETING) == "userauth calls@pbx:secret\n\n"


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ((GREETING, reply_of("-ERR invalid")), "the password is wrong"),
        ((GREETING, ACCEPTED, reply_of("-ERR no keywords")), "refused: -ERR no keywords"),
        ((b"Content-Type: text/rude-rejection\n\n",), "access list"),
        ((GREETING, b"Content-Type: text/disconnect-notice\n\n"), "closed the connection"),
    ],
)
def test_why_we_are_not_let_in(answers, why):
    with pytest.raises(Refused, match=why):
        entered(Where("127.0.0.1", 8021, ("secret",)), *answers)


def test_what_is_no_freeswitch_is_told():
    with pytest.raises(Garbled, match="no event socket"):
        entered(Where("127.0.0.1", 8021, ("secret",)), b"SSH-2.0-OpenSSH_9.2\r\n\r\n")


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({}, "host"),
        ({"host": "pbx", "port": "many"}, "port"),
        ({"host": "pbx", "port": "0"}, "port"),
    ],
)
def test_an_account_that_is_not_set_up(settings, why):
    with pytest.raises(Unreachable, match=why):
        Where.of_account(settings, ("secret",))
