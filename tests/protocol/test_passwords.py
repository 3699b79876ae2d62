"""Passwords: fixed vectors for the client's key, and what the broker makes of it."""

from __future__ import annotations

import argon2
import pytest

from protocol import passwords

BROKER = bytes(range(16))
AUTH = bytes.fromhex("c25f0f835fc556fc2e98a2d610fec81f76d0e72148177b225c8ce4aeaadf3ea0")
STORED = "$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$93WfU5EUSjtWdzqLJXpIYOLKjFbG99H8pdRHdwstnG4"
OLDER = "$argon2id$v=19$m=8192,t=1,p=1$AAECAwQFBgcICQoLDA0ODw$"


@pytest.mark.parametrize(
    ("password", "account", "broker", "auth"),
    [
        ("correct horse", "alice", BROKER, AUTH.hex()),
        ("пароль", "боб", b"\xff" * 16, "835dd8862b1246abfd4d1230d6b37a028234a98375bb6a226650bd873eb64c50"),
    ],
)
def test_the_key_is_the_same_in_every_version(password: str, account: str, broker: bytes, auth: str) -> None:
    assert passwords.derive(password, account, broker).hex() == auth


def test_the_key_depends_on_password_account_and_broker() -> None:
    keys = {
        passwords.derive("correct horse", "alice", BROKER),
        passwords.derive("correct horse ", "alice", BROKER),
        passwords.derive("correct horse", "bob", BROKER),
        passwords.derive("correct horse", "alice", bytes(16)),
    }
    assert {len(key) for key in keys} == {passwords.AUTH_BYTES}
    assert len(keys) == 4


def test_the_key_does_not_depend_on_how_a_letter_was_composed() -> None:
    assert passwords.derive("caf\u00e9", "alice", BROKER) == passwords.derive("cafe\u0301", "alice", BROKER)


def test_a_password_with_a_lone_surrogate_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        passwords.derive("\udcff", "alice", BROKER)


def test_a_hash_stored_years_ago_still_lets_its_key_in() -> None:
    assert passwords.verify(STORED, AUTH)
    assert not passwords.verify(STORED, AUTH[::-1])
    assert not passwords.verify(STORED, b"")


def test_a_new_hash_fits_its_key_only_and_differs_each_time() -> None:
    stored = passwords.hash_secret(AUTH)
    assert passwords.verify(stored, AUTH)
    assert not passwords.verify(stored, bytes(32))
    assert stored != passwords.hash_secret(AUTH)


def test_a_hash_is_outdated_if_its_parameters_are_not_todays() -> None:
    assert not passwords.outdated(STORED)
    assert passwords.outdated(OLDER + "93WfU5EUSjtWdzqLJXpIYOLKjFbG99H8pdRHdwstnG4")


def test_nobodys_hash_costs_what_a_real_one_costs_and_fits_nothing() -> None:
    assert argon2.extract_parameters(passwords.DUMMY) == argon2.extract_parameters(passwords.hash_secret(AUTH))
    assert not passwords.verify(passwords.DUMMY, AUTH)
    assert not passwords.verify(passwords.DUMMY, b"")


@pytest.mark.parametrize(
    "broken",
    ["", "x", STORED[:-1], STORED + "$", STORED.replace("t=2", "t=x"), STORED.replace("m=19456", "m=1"), "\ud800"],
)
def test_a_broken_hash_is_no_wrong_password(broken: str) -> None:
    with pytest.raises(passwords.DamagedHash):
        passwords.verify(broken, AUTH)


@pytest.mark.parametrize("broken", ["", "x", STORED.replace("t=2", "t=x"), STORED.replace(",p=1", ""), "\ud800"])
def test_a_broken_hash_is_not_merely_outdated(broken: str) -> None:
    with pytest.raises(passwords.DamagedHash):
        passwords.outdated(broken)
