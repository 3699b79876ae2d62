"""Passwords, scheme ``a2split1``: the client makes a key of the password, the broker keeps a hash of that key.

The password itself never leaves the client, which does the costly part of the work. The broker's part is cheap,
and what it stores lets nobody in: it is a hash of what a client shows, not what a client shows. A client takes
no parameter from the network, or a broker could ask for a cheap key and guess passwords with it.

Pure but for hash_secret: its salt is drawn by argon2.
"""

from __future__ import annotations

import base64
import hashlib
import unicodedata

from argon2 import PasswordHasher, Type, low_level
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from . import limits

SCHEME = "a2split1"

# The key that a client shows is exactly this long.
AUTH_BYTES = 32
# A salt only has to differ from every other one; 128 bits are enough for that.
_SALT_BYTES = 16
# What Argon2 gives, here and at the broker: as strong as any key.
_HASH_BYTES = 32

# The client's part, paid once at a login with a password: a good tenth of a second, and 64 MiB that a guesser
# needs for each guess as well.
_CLIENT_PASSES = 3
_CLIENT_MEMORY_KIB = 64 * limits.KIB
_CLIENT_LANES = 4

# The broker's part, paid by one thread for everybody: the least that OWASP advises for Argon2id.
_BROKER_PASSES = 2
_BROKER_MEMORY_KIB = 19 * limits.KIB
_BROKER_LANES = 1

_hasher = PasswordHasher(_BROKER_PASSES, _BROKER_MEMORY_KIB, _BROKER_LANES, _HASH_BYTES, _SALT_BYTES, type=Type.ID)


class DamagedHash(ValueError):
    """A stored hash that is none: a broken row of the store, not a wrong password."""


def derive(password: str, account_key: str, broker: bytes) -> bytes:
    """The key that proves who one is: AUTH_BYTES bytes, sent as Hello's credential.

    ``account_key`` is the account's name in compared form, ``broker`` the broker's id. However a password was
    composed on the keyboard, the key is the same. ValueError if it holds a lone surrogate.
    """
    place = broker + b"\0" + account_key.encode()
    salt = hashlib.blake2b(place, digest_size=_SALT_BYTES, person=b"restante-login").digest()
    master = low_level.hash_secret_raw(
        unicodedata.normalize("NFC", password).encode(),
        salt,
        time_cost=_CLIENT_PASSES,
        memory_cost=_CLIENT_MEMORY_KIB,
        parallelism=_CLIENT_LANES,
        hash_len=_HASH_BYTES,
        type=Type.ID,
    )
    return hashlib.blake2b(b"restante/auth/v1", key=master, digest_size=AUTH_BYTES).digest()


def hash_secret(auth: bytes) -> str:
    """What the broker stores for a key: another text each time, for it has a salt of its own."""
    return _hasher.hash(auth)


def verify(stored: str, auth: bytes) -> bool:
    """Whether the stored hash is this key's; DamagedHash if it is no hash at all."""
    try:
        return low_level.verify_secret(stored.encode(), auth, Type.ID)
    except VerifyMismatchError:
        return False
    except (VerificationError, InvalidHashError, UnicodeEncodeError) as error:
        raise DamagedHash(str(error)) from None


def outdated(stored: str) -> bool:
    """Whether a hash was made with other parameters than today's; DamagedHash if it is no hash at all."""
    try:
        return _hasher.check_needs_rehash(stored)
    except InvalidHashError:
        raise DamagedHash("no Argon2 hash") from None


def _unpadded(raw: bytes) -> str:
    return base64.b64encode(raw).decode().rstrip("=")


DUMMY = (
    f"$argon2id$v={low_level.ARGON2_VERSION}$m={_BROKER_MEMORY_KIB},t={_BROKER_PASSES},p={_BROKER_LANES}"
    f"${_unpadded(bytes(_SALT_BYTES))}${_unpadded(bytes(_HASH_BYTES))}"
)
"""Nobody's hash. To check a key against it takes as long as against a real one, so that the time of a refusal
does not tell whether a name exists."""
