"""vCards (2.1, 3.0 and 4.0) as the programs that people have write them, as rows of text."""

import quopri
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final
from urllib.parse import unquote

_BEGIN: Final = "BEGIN:VCARD"
_END: Final = "END:VCARD"
_QUOTED_PRINTABLE: Final = re.compile(r"[^:]*;(?:ENCODING=)?QUOTED-PRINTABLE\b", re.I)
_NAME: Final = re.compile(r"(?:([\w-]+)\.)?([\w-]+)")
_PARAMETER: Final = re.compile(r"(?:\"[^\"]*\"|[^\";])+")
_COMPONENT: Final = re.compile(r"((?:[^;\\]|\\.|\\$)*)(?:;|$)", re.S)
_ESCAPED: Final = re.compile(r"\\([\\,;:nN])")
_MOST_NUMBERS: Final = 50  # of one card
_NOT_PREFERRED: Final = 1000  # behind any PREF, of which three digits are read
_KEPT: Final = {
    *("FN", "N", "ORG", "NICKNAME", "TEL", "UID", "KIND"),
    *("X-ABLABEL", "X-ADDRESSBOOKSERVER-KIND"),
}
# Stands in a quoted-printable value where the line was broken; no file that is read has it.
_BREAK: Final = "\x00"
# What a TYPE says of a number, the more telling first.
_KINDS: Final = {
    "FAX": "fax",
    "CELL": "mobile",
    "IPHONE": "mobile",
    "MOBILE": "mobile",
    "MAIN": "main",
    "WORK": "work",
    "HOME": "home",
}


@dataclass
class _Property:
    """One line of a card, its value as it stands there."""

    group: str
    name: str
    parameters: dict[str, list[str]]  # names and values in capitals
    raw: str

    @property
    def value(self) -> str:
        """The value as one text."""
        return _unescaped(self._decoded)

    @property
    def components(self) -> list[str]:
        """The value of a property that has several, such as N and ORG."""
        return [_unescaped(part).strip() for part in _COMPONENT.findall(self._decoded)]

    @property
    def _decoded(self) -> str:
        if "QUOTED-PRINTABLE" not in self.parameters.get("ENCODING", ()):
            return self.raw
        data = _BLANK_AT_BREAK.sub(_without_fold, quopri.decodestring(self.raw.encode()))
        for charset in (*self.parameters.get("CHARSET", ()), "utf-8", "cp1252"):
            try:
                return data.decode(charset)
            except (LookupError, ValueError):  # some codecs raise more than UnicodeDecodeError
                continue
        return data.decode("utf-8", "replace")


@dataclass
class _Card:
    properties: list[_Property] = field(default_factory=list)
    is_whole: bool = False  # its end has been seen

    def all(self, name: str) -> list[_Property]:
        return [one for one in self.properties if one.name == name]

    def first(self, name: str) -> str:
        """The most preferred, else first, value of the property that says anything; "" for none."""
        said = sorted(self.all(name), key=_rank)
        return next(filter(None, (one.value.strip() for one in said)), "")


def rows_of(text: str, most: int) -> Iterator[list[str]]:
    """A head of our own, then a row a card: name, preferred number, company and id, kind of the
    number, then the other numbers and their kinds. A card that was cut off or says nothing becomes
    a row without name and number, which is told as a fault. Groups of cards are left out, and
    what comes after the first `most` cards."""
    cards = (card for card in _cards(text) if not _is_group(card))
    rows = [_row(card) for card in islice(cards, most)]
    others = (max(map(len, rows), default=0) - 5) // 2
    head = ["name", "phone", "company", "reference", "phone type"]
    yield head + [name for n in range(2, others + 2) for name in (f"phone {n}", f"phone {n} type")]
    yield from rows


def _row(card: _Card) -> list[str]:
    company = _company_of(card)
    name = _name_of(card, company)
    (phone, kind), *others = _numbers_of(card) or [("", "")]
    if not card.is_whole or not (name or phone):
        return ["", "", "", f"{name}…", ""]
    row = [name, phone, company, card.first("UID"), kind]
    return row + [cell for number in others for cell in number]


def _is_group(card: _Card) -> bool:
    kind = card.first("KIND") or card.first("X-ADDRESSBOOKSERVER-KIND")
    return kind.lower() == "group"


# --- What a card says ---------------------------------------------------------------------------


def _name_of(card: _Card, company: str) -> str:
    """FN, else N, else the organisation, else the nickname."""
    return card.first("FN") or _structured_name(card) or company or card.first("NICKNAME")


def _structured_name(card: _Card) -> str:
    for one in card.all("N"):
        family, given, additional, _prefix, suffix = (one.components + [""] * 5)[:5]
        name = " ".join(filter(None, (given, additional, family, suffix)))
        if name:
            return name
    return ""


def _company_of(card: _Card) -> str:
    return next((one.components[0] for one in card.all("ORG") if one.components[0]), "")


def _numbers_of(card: _Card) -> list[tuple[str, str]]:
    """Its numbers with their kinds: first the preferred ones in the order of their PREF, or, if it
    prefers none, a mobile, or at least no fax; then the others as they stand there."""
    numbers = [one for one in card.all("TEL") if _number_in(one)][:_MOST_NUMBERS]
    labels = {one.group: _label_in(one) for one in card.all("X-ABLABEL") if one.group}
    preferred = sorted(filter(_is_preferred, numbers), key=_preference)
    if not preferred and numbers:
        preferred = [min(numbers, key=lambda one: _likelihood(_kind_of(one, labels)))]
    others = [one for one in numbers if one not in preferred]
    return [(_number_in(one), _kind_of(one, labels)) for one in (*preferred, *others)]


def _number_in(one: _Property) -> str:
    text = one.value.strip()
    scheme, colon, rest = text.partition(":")
    return unquote(rest).strip() if colon and scheme.lower() in ("tel", "callto") else text


def _label_in(one: _Property) -> str:
    """Apple's own labels are written `_$!<Main>!$_`."""
    return one.value.strip().removeprefix("_$!<").removesuffix(">!$_")


def _kind_of(one: _Property, labels: dict[str, str]) -> str:
    said = one.parameters.get("TYPE", ())
    kinds = [kind for word, kind in _KINDS.items() if word in said]
    return [*kinds, labels.get(one.group, "")][0]


def _likelihood(kind: str) -> int:
    return 0 if kind == "mobile" else 2 if kind == "fax" else 1


def _is_preferred(one: _Property) -> bool:
    return "PREF" in one.parameters or "PREF" in one.parameters.get("TYPE", ())


def _preference(one: _Property) -> int:
    said = "".join(one.parameters.get("PREF", ()))[:3]
    return int(said) if said.isascii() and said.isdigit() else 1  # from 1, the most, to 100


def _rank(one: _Property) -> int:
    return _preference(one) if _is_preferred(one) else _NOT_PREFERRED


# --- Reading ------------------------------------------------------------------------------------


def _cards(text: str) -> Iterator[_Card]:
    """The cards of a file. One within another (AGENT of vCard 2.1) is somebody else: left out."""
    card, depth, before = None, 0, ""
    for line in _logical_lines(re.split(r"\r\n|\r|\n", text)):
        mark = line.strip().upper()
        if mark == _BEGIN and not before.startswith("AGENT"):
            if card is not None:
                yield card  # it was cut off
            card, depth = _Card(), 1
        elif mark == _BEGIN:
            depth += 1
        elif mark == _END:
            depth -= 1
            if card is not None and depth == 0:
                card.is_whole = True
                yield card
                card = None
        elif card is not None and depth == 1:
            card.properties += _property(line)
        before = mark
    if card is not None:
        yield card


def _property(line: str) -> list[_Property]:
    """The property of a line; none if it is of no interest, or no property at all."""
    named = _NAME.match(line)
    if named is None or named[2].upper() not in _KEPT:
        return []
    before, value = _divided(line)
    parameters: dict[str, list[str]] = {}
    for parameter in _PARAMETER.findall(before[named.end() :]):
        name, _equals, said = parameter.upper().rpartition("=")
        if not name:  # vCard 2.1 leaves the names out
            name = "ENCODING" if said in ("QUOTED-PRINTABLE", "BASE64") else "TYPE"
        parameters.setdefault(name, []).extend(said.replace('"', "").split(","))
    return [_Property((named[1] or "").lower(), named[2].upper(), parameters, value)]


def _divided(line: str) -> tuple[str, str]:
    """What stands before and after the first colon that is not in quotes."""
    is_quoted = False
    for place, char in enumerate(line):
        if char == '"':
            is_quoted = not is_quoted
        elif char == ":" and not is_quoted:
            return line[:place], line[place + 1 :]
    before, _colon, value = line.partition(":")
    return before, value


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], text)


def _logical_lines(lines: Iterable[str]) -> Iterator[str]:
    """Lines as they were before they were folded (a blank begins what goes on) or broken
    (quoted-printable: = ends what goes on). Programs that do both put a blank where a value
    has none, so a blank after a break counts only if others of the file begin without."""
    whole = list(_unfolded(lines))
    begins = {place[1:2] for line in whole for place in re.findall(f"{_BREAK}.?", line, re.S)}
    blanks = begins & {" ", "\t"}
    breaks = sum(line.count(_BREAK) for line in whole)
    for line in whole:
        if begins - blanks:
            yield line.replace(_BREAK, "")
        elif breaks > 1:
            yield re.sub(f"{_BREAK}[ \t]?", "", line)
        else:
            yield line  # nothing but the value itself can tell


def _unfolded(lines: Iterable[str]) -> Iterator[str]:
    """The same, with a mark at each break and the blank, if any, after it."""
    parts: list[str] = []
    is_broken = False
    for line in lines:
        if is_broken:
            parts[-1] = parts[-1][:-1]
            parts += [_BREAK, line]
        elif line[:1] in (" ", "\t") and parts:
            parts.append(line[1:])
        elif line:
            yield "".join(parts)
            parts = [line]
        is_broken = bool(line.endswith("=") and parts and _QUOTED_PRINTABLE.match(parts[0]))
    yield "".join(parts)


# A break, and the blank after it, with the character that follows: a word of its own, if that is a
# capital; the rest of one, if not.
_BLANK_AT_BREAK: Final = re.compile(rb"\x00([ \t]?)(?=([\x20-\x7f]|[\xc2-\xf4][\x80-\xbf]+)?)")


def _without_fold(found: re.Match[bytes]) -> bytes:
    following = (found[2] or b"").decode("utf-8", "ignore")
    return found[1] if following.isupper() else b""
