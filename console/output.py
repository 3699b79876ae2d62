"""What happened becomes lines for people.

No clock and no time zone in here: the time and the way to write it are passed in. What other people wrote goes
through ``sanitise``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from console import remark_words, remarked, words
from console.sanitise import clean, clean_line
from console.spoken import is_action, marked, possible, rfc3339, send_id, spoken_text
from core import shown
from core.marks import is_remark
from core.shown import Shown
from protocol import keys, names
from protocol.frames import Envelope

OUT = "out"
ERR = "err"
Line = tuple[str, str]
"""Where a line goes (OUT, ERR), and the line without its end."""


class Plain:
    """Lines as people read them: messages for stdout, everything else for stderr.

    ``local`` writes a time (Unix, ms) as HH:MM, ``day`` its date. With ``ascii_only`` the gutter is one that every
    terminal has. ``place`` is where one is: messages of other rooms say where they were written.
    """

    def __init__(
        self,
        local: Callable[[int], str],
        ascii_only: bool = False,
        day: Callable[[int], str] | None = None,
        place: str = names.LOBBY,
    ) -> None:
        self._local = local
        self._day = day or _day
        self._plain_rooms = names.LOBBY, place.casefold()
        self._gutter = "| " if ascii_only else "│ "
        self._met = False  # the broker was there once in this run

    def lines(self, event: Shown, at: int) -> list[Line]:
        """What to write for this, maybe nothing. ``at`` is now (Unix, ms), for what bears no time of its own."""
        if isinstance(event, shown.Messages):
            return [line for envelope in event.envelopes for line in self._message(envelope, event, at)]
        if isinstance(event, shown.Found):
            return self._found(event, at)
        if isinstance(event, shown.Place):
            self._plain_rooms = names.LOBBY, event.to.casefold()
        return [line for sentence in self.sentences(event) for line in self._timed(ERR, at, "* ", sentence)]

    def sentences(self, event: Shown) -> list[str]:
        """What to say about this, but for messages."""
        if isinstance(event, shown.Online | shown.Offline):
            return self._link(event)
        return _TOLD[type(event)](event)

    def _message(self, envelope: Envelope, run: shown.Messages, now: int) -> list[Line]:
        """The room stands before who speaks, unless it is the lobby or where one is; and the day, if it is over."""
        if is_remark(envelope):
            head, text = remarked.line(envelope, _whom(envelope), run.targets, lambda at: self._local(possible(at)))
            if not text:
                return []
        else:
            head, text = _spoken(envelope)
            text += remarked.behind(run.marks.get(send_id(envelope)))
        place = "" if envelope.to.casefold() in self._plain_rooms else _room(envelope)
        day = self._day(possible(envelope.at))
        is_over = run.mine and day != self._day(possible(now))
        return self._timed(OUT, envelope.at, place + head, text, day + " " if is_over else "")

    def _found(self, event: shown.Found, at: int) -> list[Line]:
        """Each with its day and place, and then whether that was all."""
        lines = []
        for _, _, envelope in event.items:
            head, text = _spoken(envelope)
            day = self._day(possible(envelope.at)) + " "
            behind = remarked.behind(event.marks.get(send_id(envelope)))
            lines += self._timed(OUT, envelope.at, _room(envelope) + head, text + behind, day)
        told = found_sentence(event)
        return lines + (self._timed(ERR, at, "* ", told) if told else [])

    def _timed(self, stream: str, at: int, head: str, text: str, day: str = "") -> list[Line]:
        """Further lines stand behind the gutter, so that no text can pass for a line of somebody else's."""
        stamp = day + self._local(possible(at)) + " "
        first, *further = clean(text).split("\n")
        margin = " " * len(stamp) + self._gutter
        return [(stream, stamp + head + first), *((stream, margin + line) for line in further)]

    def _link(self, event: shown.Online | shown.Offline) -> list[str]:
        if isinstance(event, shown.Online):
            self._met = True
            return _greeting(event)
        if not event.first:
            return []
        return [words.OFFLINE() if self._met else words.unreached(clean_line(event.reason))]


def found_sentence(event: shown.Found) -> str:
    """Whether a search has found all that there is; "" if there is nothing to say."""
    if event.items and not event.more:
        return ""
    told = words.MORE_FOUND if event.more else words.NOTHING_FOUND
    return told(count=len(event.items), words=clean_line(event.words))


def _spoken(envelope: Envelope) -> tuple[str, str]:
    """Who says it to whom, and what; an action bears a mark of its own, which no notice has."""
    whom = _whom(envelope)
    return f"~ {whom} " if is_action(envelope) else f"{whom}: ", spoken_text(envelope)


def _room(envelope: Envelope) -> str:
    """The room, as it stands before who speaks; nothing for a private message, which says it behind."""
    return clean_line(envelope.to) + " " if envelope.to.startswith("#") else ""


def _whom(envelope: Envelope) -> str:
    author, to = marked(envelope, clean_line(envelope.author)), clean_line(envelope.to)
    return author if envelope.to.startswith("#") else f"{author} -> {to}"


# ---- for people: sentences -------------------------------------------------------------------------------


def _greeting(event: shown.Online) -> list[str]:
    account = clean_line(event.account)
    made = [words.REGISTERED(account=account)] if event.registered else []
    hello = words.WELCOME(account=account) if event.first else words.AGAIN()
    return [*made, hello, *([words.waiting(event.waiting)] if event.waiting else [])]


def _refusal(event: shown.Refused) -> list[str]:
    why = words.said(event.code, event.text)
    if event.line:
        why = words.LINE(line=event.line, text=why)
    return [why, *([words.NOT_SENT(message=_as_typed(event.to, event.body))] if event.body else [])]


def _status(event: shown.Status) -> list[str]:
    link = words.CONNECTED if event.online else words.NOT_CONNECTED
    return [
        words.WHO_AM_I(account=clean_line(event.account), device=clean_line(event.device)),
        link(broker=clean_line(event.broker)),
        words.PLACE(to=clean_line(event.place)),
        words.outbox(event.outbox),
    ]


def _contacts(event: shown.Contacts) -> list[str]:
    """Whom one could add is told only if there is somebody: the first of a new broker is alone there."""
    possible = words.POSSIBLE_AND_MORE if event.more else words.POSSIBLE
    could = [possible(names=words.listed(_cleaned(event.possible), 0))] if event.possible else []
    return [*could, words.CONTACTS(names=words.listed(_cleaned(event.contacts), 0))]


def _outside(event: shown.Outside) -> list[str]:
    sentence = (words.BANNED if event.banned else words.REMOVED) if event.by else words.OUTSIDE
    return [sentence(room=clean_line(event.room), by=clean_line(event.by))]


def _inside(event: shown.Inside) -> list[str]:
    sentence = words.INSIDE_AND_TOPIC if event.topic else words.INSIDE
    return [sentence(room=clean_line(event.room), topic=clean_line(event.topic))]


def _rooms(event: shown.Rooms) -> list[str]:
    rows = [
        words.ROOM(
            room=clean_line(each.room),
            members=words.members(each.members),
            marks=(words.INSIDE_MARK() if each.inside else words.INVITED_MARK() if each.invited else "")
            + (words.PRIVATE_MARK() if each.private else ""),
            topic=words.TOPIC_MARK(topic=clean_line(each.topic)) if each.topic else "",
        )
        for each in event.rooms
    ]
    more = [words.MORE_ROOMS(after=clean_line(event.after))] if event.after else []
    return [*rows, *more] or [words.NO_ROOMS()]


def _members(event: shown.Members) -> list[str]:
    private = words.PRIVATE_MARK() if event.private else ""
    here, away = _cleaned(event.here), _cleaned(event.away)
    first = words.MEMBERS_HERE(room=clean_line(event.room), private=private, names=words.listed(here, 0))
    rest = [words.MEMBERS_AWAY(names=words.listed(away, event.more))] if away or event.more else []
    return [first, *rest, *([words.OWNER(owner=clean_line(event.owner))] if event.owner else [])]


def _topic(event: shown.Topic) -> list[str]:
    told = (words.NEW_TOPIC, words.TOPIC_GONE) if event.by else (words.TOPIC, words.NO_TOPIC)
    sentence = told[not event.topic]
    return [sentence(room=clean_line(event.room), topic=clean_line(event.topic), by=clean_line(event.by))]


def _news(event: shown.News) -> list[str]:
    sentence = words.INVITED if event.mine and event.what == "invited" else words.NEWS[event.what]
    room, by, account = _cleaned((event.room, event.by, event.account))
    return [sentence(room=room, by=by, account=account)]


def _profile(event: shown.Profile) -> list[str]:
    sentence = words.PROFILE_HERE if event.here else words.PROFILE_AWAY
    rooms = ", ".join(_cleaned(event.rooms)) or words.NO_SHARED()
    return [sentence(account=clean_line(event.account), date=_day(event.made_at), rooms=rooms)]


def _unread(event: shown.Unread) -> list[str]:
    rows = [words.UNREAD(place=clean_line(to), count=words.messages(count)) for to, count in event.items]
    return rows or [words.NOTHING_UNREAD()]


def _muted(event: shown.Muted) -> list[str]:
    return [words.MUTED(places=", ".join(_cleaned(event.places))) if event.places else words.NOTHING_MUTED()]


def _as_typed(to: str, body: str) -> str:
    return body if to in ("", names.LOBBY) else f"{clean_line(to)}: {body}"


def _devices(event: shown.Devices) -> list[str]:
    return [
        words.DEVICE(
            device=clean_line(each.device),
            name=clean_line(each.name) or words.NO_NAME(),
            first=_day(each.first_at),
            seen=words.HERE_NOW() if each.here else _day(each.seen_at),
            address=clean_line(each.address),
            this=words.THIS_DEVICE() if each.device == event.this else "",
        )
        for each in event.devices
    ]


def _day(at: int) -> str:
    return rfc3339(at)[:10]


def _key_changed(event: shown.KeyChanged) -> str:
    """For comparing by eye: one below the other, in groups."""
    return words.KEY_CHANGED(
        broker=clean_line(event.broker),
        known=words.GIVEN() if event.given else words.REMEMBERED(),
        key=keys.grouped(event.key),
        since="" if not event.since else words.SINCE(date=clean_line(event.since)),
        offered=keys.grouped(event.offered),
        account=clean_line(event.account),
    )


def _cleaned(accounts: Iterable[str]) -> list[str]:
    return [clean_line(account) for account in accounts]


_TOLD: dict[type[Shown], Callable[[Any], list[str]]] = {
    shown.Sent: lambda event: [],
    shown.Receipted: lambda event: [],
    shown.TellsRead: lambda event: [(remark_words.TELLS_READ if event.on else remark_words.TELLS_NOT_READ)()],
    shown.Refused: _refusal,
    shown.Came: lambda event: words.came(_cleaned(event.accounts), event.more, clean_line(event.room)),
    shown.Went: lambda event: words.went(_cleaned(event.accounts), event.more, clean_line(event.room)),
    shown.Who: lambda event: [words.HERE(names=words.listed(_cleaned(event.accounts), event.more))],
    shown.Contacts: _contacts,
    shown.Inside: _inside,
    shown.Outside: _outside,
    shown.Rooms: _rooms,
    shown.Members: _members,
    shown.Topic: _topic,
    shown.News: _news,
    shown.Profile: _profile,
    shown.Ignored: lambda event: [words.IGNORED(names=words.listed(_cleaned(event.accounts), 0))],
    shown.Unread: _unread,
    shown.Muted: _muted,
    shown.Place: lambda event: [words.PLACE(to=clean_line(event.to))],
    shown.Status: _status,
    shown.Outbox: lambda event: [words.outbox(len(event.items)), *(_as_typed(*item) for item in event.items)],
    shown.Gone: lambda event: [words.gone(event.log, event.messages)],
    shown.PutBack: lambda event: words.put_back(event.again, event.gone),
    shown.Notice: lambda event: [words.notice(event.text)],
    shown.Devices: _devices,
    shown.Met: lambda event: [words.MET(broker=clean_line(event.broker), key=keys.grouped(event.key))],
    shown.Bye: lambda event: [words.said(event.code, event.text)],
    shown.KeyChanged: lambda event: [_key_changed(event)],
}
