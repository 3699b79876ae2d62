"""Error codes: what each means, in one sentence of English with its places named.

A sentence says what happened, what was not done, and what to do next. The broker sends code and sentence;
a client that knows the code may say it in the reader's language. docs/CODES.md lists all of them.
"""

from __future__ import annotations

SENTENCES = {
    # a frame or a session
    "malformed": "that was no frame of this protocol ({why}); it was dropped: check the client",
    "wrong-direction": "{frame} is said by brokers, not to them; it was dropped: check the client",
    "version": "the broker speaks version {broker} of the protocol and the client {client}; upgrade the {older}",
    "closing": "the broker is going down; what you send is kept and goes out when it is back",
    "replaced": "this device logged in a second time, from a copy of its folder; this session has ended",
    "busy": "the broker is busy checking passwords; try again in {seconds} s",
    "revoked": "this device was revoked; nothing was sent: remove its folder, then log in with the password",
    "too-many-sends": "more than {limit} messages were on their way; these were not taken: send them again",
    "too-many-bytes": "more than {limit} bytes were on their way; these were not taken: send them again",
    "too-many-sessions": "{limit} sessions from {address} are the most; end one, or try again in {seconds} s",
    "too-many-questions": "more than {limit} questions came at once; this one was dropped: ask again in {seconds} s",
    # accounts
    "bad-name": "{name} can't be a name: {why}; choose another",
    "name-taken": "the name {name} is taken; give its password, or choose another name",
    "wrong-password": "wrong password for {name}; nothing was sent",
    "wrong-old-password": "that is not the password of {name}; nothing was changed: /passwd asks again",
    "permit-needed": "there is no account {name}, and this broker makes new ones by invitation only; nothing was sent:"
    " ask its operator for a code, then use --invite CODE",
    "bad-permit": "the code is not for {name}, was used already, or is over; nothing was sent: ask the operator for"
    " another one",
    "account-closed": "the account {name} was closed by the broker's operator; nobody is let in as it, and nothing is"
    " sent to it: ask them about it",
    "account-barred": "the account {name} is banned until {until}; nobody is let in as it before: come back then",
    "registration-closed": "wrong name or password for {name}, and this broker makes no new accounts; ask its operator",
    "damaged-account": "the broker's record of {name} is damaged; ask its operator to restore a backup",
    "damaged-device": "what the broker keeps of this device of {name} is damaged; it goes on under another id",
    "no-account": "there is no account {name} here yet, and without a password none was made; give one",
    "scheme": "the broker does not know the password scheme {scheme}; upgrade the broker or the client",
    "too-many-hellos": "this device logged in too often; it was not looked at: try again in {seconds} s",
    "too-many-logins": "too many passwords were tried; this one was not looked at: try again in {seconds} s",
    "too-many-accounts": "{limit} accounts were made from {address} within an hour, which is the most;"
    " none was made: try again in {seconds} s",
    "other-account": "this device's key belongs to another account than {name}; nothing was sent: use another --data",
    "weak-credential": "a credential of scheme {scheme} has {size} bytes; nothing was changed: check the client",
    "no-such-device": "{device} is none of your devices, or several; nothing was revoked: /devices lists them",
    "too-many-devices": "{name} has {limit} devices, which is the most; remove one before adding another",
    # sends
    "no-such-account": "there is no account {name}; the message was not sent to anyone",
    "no-such-room": "there is no room {room}; the message was not sent to anyone",
    "not-a-member": "you are not a member of {room}; join it first",
    "bad-remark": "what was sent about an earlier message can't be read; it was dropped: check the client",
    "store-full": "the broker's disk is full; the message stays in your outbox and goes out when there is room",
    "store-down": "the broker can't write just now; the message stays in your outbox and goes out by itself",
    # questions
    "unknown-account": "there is no account {name}; check the spelling",
    "own-name": "{name} is yourself; that is for the others",
    "already-contact": "{name} is one of your contacts already",
    "not-a-contact": "{name} is not one of your contacts",
    "too-many-contacts": "you have {limit} contacts, which is the most; remove one before adding another",
    "too-many-rooms": "you are in {limit} rooms, which is the most; leave one before joining another",
    "already-member": "you are in {room} already",
    "lobby": "#lobby is everyone's; nobody leaves it, names its topic, invites or removes there",
    "room-closed": "{room} was closed by the broker's operator; you did not join: choose another name",
    "not-invited": "{room} is private, and you are not invited; ask one of its members",
    "not-private": "{room} is there already, and it is not private; you did not join: choose another name",
    "banned": "{name} is banned from {room}; only the one who made it can change that",
    "not-the-owner": "only the one who made {room} removes and bans there; nothing was done",
    "not-inside": "{name} is not in {room}; nothing was done",
    "not-banned": "{name} is not banned from {room}",
    "already-inside": "{name} is in {room} already",
    "too-many-invitations": "{name} has {limit} invitations to answer, which is the most; try again later",
    "unknown-room": "there is no room {room}; check the spelling, or /join makes it",
    "no-such-log": "{log} is not one of your conversations",
    # what an operator asked
    "account-exists": "there is an account {name} already; nothing was made: choose another name",
    "no-permit": "no code, or more than one, begins with {mark}; nothing was taken back: invites lists them",
    "no-device-of": "no device of {name} begins with {device}, or several do; nothing was done: devices lists them",
    "not-barred": "{name} is neither banned nor closed; nothing was changed",
    "room-not-closed": "{room} is not closed; nothing was changed",
    "not-the-brokers": "{name} is somebody's account; nothing was sent: announce as another name, with --as NAME",
    # what a client says to its own people about a question
    "key-changed": "the key of the broker at {broker} is not the one that is known; nothing was sent",
    "other-broker": "the broker at {broker} calls itself by the id of another one, whose key is {key};"
    " nothing was sent: ask the operator for the key, then use --accept-key",
    "no-terminal": "passwords are asked for on a terminal, and there is none; nothing was changed",
    "not-given": "no new password was given; nothing was changed",
    "no-room": "{place} is no room; name one, or go to one with /to",
    "not-ignored": "you don't ignore {name}",
    "no-message": "there is no such message here; nothing was changed: /history shows what there is",
    "too-late": "that was said more than a day ago; nothing was changed: say it anew",
    "not-accepted-yet": "a message of yours is still on its way; nothing was changed: try again when it has arrived",
    "sends-only": "this run does not receive, so it can't know which message is meant; nothing was changed: use --json",
    "not-connected": "the broker is not there; nothing was asked: try again when it is back",
    "no-answer": "the connection was lost before the answer came; ask again",
}
"""Every code that a core gives; docs/CODES.md says which of them go over the wire."""


class Told(Exception):
    """What people are told of: an English sentence with named places, and what stands in them.

    The text of the exception is both together, in English; who shows it may say it in the reader's language. A place
    called ``cure`` holds the end of a sentence, in English too.
    """

    def __init__(self, sentence: str, **places: object) -> None:
        super().__init__(sentence.format(**places))
        self.sentence = sentence
        self.places = places


def sentence(code: str, **places: object) -> str:
    """The English sentence for a code. KeyError if the code or a place is missing: that is our own bug."""
    return SENTENCES[code].format(**places)
