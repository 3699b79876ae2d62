"""Bytes as a connection might say them: wild ones, and frames that are nearly right, which get further."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from atheris import FuzzedDataProvider

from protocol import frames, limits

TAGS = [kind.__struct_config__.tag for kind in frames.FRAMES]
TEXTS = ("", "alice", "bob", "#lobby", "#garden", "@alice", "@bob", "a2split1", "none", "a" * limits.DEVICE_CHARS)
NUMBERS = (0, 1, 2, 3, 64, 256, 257, limits.NUMBER_MAX, limits.NUMBER_MAX + 1, -1)
LONG_TEXT = 4 * limits.LOG_CHARS
DEPTH = 4
ACCOUNTS = ("alice", "bob", "carol", "dora")
FROM_CLIENT: tuple[frames.AnyFrame, ...] = (
    frames.Hello(limits.MAJOR_VERSION, limits.MINOR_VERSION, "alice", "a" * limits.DEVICE_CHARS, True, {}),
    *(frames.Post(n, [frames.Item(to, "none", b"text")] * 2) for n in (1, 3, 5) for to in ("#lobby", "bob", "#garden")),
    frames.Ack({"#lobby": 1, "@alice": 1}),
    frames.Ping({"#lobby": 2}),
    frames.AskWho(1),
    frames.AskContacts(1),
    frames.AddContact(1, "bob"),
    frames.RemoveContact(1, "bob"),
    frames.Join(1, "#garden"),
    frames.Leave(1, "#garden"),
    frames.Join(1, "#secret", True),
    frames.AskRooms(1),
    frames.AskMembers(1, "#garden"),
    frames.SetTopic(1, "#garden", "roses"),
    frames.Invite(1, "#secret", "bob"),
    frames.Expel(1, "#garden", "bob", True),
    frames.Unban(1, "#garden", "bob"),
    frames.AskAccount(1, "bob"),
    frames.AskPage(1, "#lobby", 0, 10),
    frames.Quit(),
    frames.AskDevices(1),
    frames.RevokeDevice(1, "a"),
    frames.ChangePassword(1, "a2split1", b"secret", b"new"),
)
FROM_BROKER: tuple[frames.AnyFrame, ...] = (
    frames.Accepted(1, [frames.Refusal(1, "no-such-room", "There is none.")]),
    frames.Deliver([frames.Run("#lobby", 1, [])]),
    frames.Stranger(),
    frames.Page(1, frames.Run("#lobby", 1, []), False),
)
FRAMES = FROM_CLIENT + FROM_BROKER


class Drawn:
    """What a fuzzer's bytes say, read as choices."""

    def __init__(self, data: bytes) -> None:
        self._provider = FuzzedDataProvider(data)

    @property
    def more(self) -> bool:
        """Whether there are choices left."""
        return bool(self._provider.remaining_bytes())

    def below(self, end: int) -> int:
        """A number from 0 on."""
        return int(self._provider.ConsumeIntInRange(0, end - 1))

    def one_of(self, things: Any) -> Any:
        """One of these."""
        return things[self.below(len(things))]

    def wild(self) -> bytes:
        """Any bytes."""
        return bytes(self._provider.ConsumeBytes(self.below(200)))

    def value(self, depth: int = DEPTH) -> Any:
        """Anything that MessagePack can say."""
        if depth and not self.below(3):
            some = [self.value(depth - 1) for _ in range(self.below(4))]
            return {self.one_of(TEXTS): each for each in some} if self.below(2) else some
        simple: tuple[Callable[[], Any], ...] = (
            lambda: self._provider.ConsumeInt(8),
            lambda: self._provider.ConsumeUnicodeNoSurrogates(self.below(LONG_TEXT)),
            lambda: self.one_of(NUMBERS),
            lambda: self.one_of(TEXTS),
            lambda: self.one_of((None, True, 0.5)),
            self.wild,
        )
        return self.one_of(simple)()

    def nearly(self, frame: frames.AnyFrame) -> bytes:
        """A frame's bytes, with a few of its fields replaced, or a byte of it, or neither."""
        fields = msgspec.msgpack.decode(frames.encode(frame))
        for _ in range(self.below(3)):
            fields[self.below(len(fields))] = self.value()
        if not self.below(8):
            fields[0] = self.one_of(TAGS)
        packed = bytearray(msgspec.msgpack.encode(fields))
        if not self.below(8):
            packed[self.below(len(packed))] = self.below(256)
        return bytes(packed)
