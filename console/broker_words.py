"""The sentences that the broker says by itself to whoever watches it; those of its commands stand in operating/."""

from __future__ import annotations

from collections.abc import Mapping

from console.language import Sentence

LISTENING = Sentence("listening on {place}, key {key}")
METRICS = Sentence("metrics on {place}")
DEMO = Sentence("demo accounts {accounts}; their password is {password}")
DAMAGED = Sentence("message {seq} of {log} is damaged on disk; an empty one stands in its place")
LOCKED = Sentence("another broker works on {folder}; stop it, or choose a folder with --data")
UNWRITABLE = Sentence("can't write to {folder}: {why}; choose a folder with --data")
NOTES = {
    "registered": Sentence("{account} registered from {address}"),
    "joined": Sentence("{account} joined from {address}"),
    "left": Sentence("{account} left from {address}"),
    "gone": Sentence("{account} gone from {address}"),
    "revoked": Sentence("{account} revoked a device from {address}"),
    "password-changed": Sentence("{account} changed the password from {address}"),
    "store-failed": Sentence("the store can't be written ({code}); what comes waits until it can"),
}


def note(what: str, fields: Mapping[str, object]) -> str:
    """What the broker's core notes; a code that has no sentence stands for itself."""
    if what not in NOTES:
        return what
    return NOTES[what](**{"address" if name == "from" else name: field for name, field in fields.items()})
