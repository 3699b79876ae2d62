"""Permits: codes that let whoever has one make an account, or give theirs another password.

A permit is 80 random bits, written as 16 letters of base32 in groups of four. The broker keeps only its mark, a hash:
who reads its store learns no permit that could still be used.
"""

from __future__ import annotations

import base64
import hashlib

PERMIT_BYTES = 10
_GROUP_CHARS = 4
_MARK_BYTES = 16


def written(raw: bytes) -> str:
    """A permit's 10 bytes as people read it: abcd-efgh-ijkl-mnop."""
    letters = base64.b32encode(raw).decode().lower()
    return "-".join(letters[start : start + _GROUP_CHARS] for start in range(0, len(letters), _GROUP_CHARS))


def mark(permit: str) -> str:
    """The 26 letters that a permit is known by at the broker. Blanks, dashes and capitals make no difference."""
    letters = "".join(permit.replace("-", " ").split()).lower()
    digest = hashlib.blake2b(letters.encode("utf-8", "replace"), digest_size=_MARK_BYTES, person=b"restante-permit")
    return base64.b32encode(digest.digest()).decode().rstrip("=").lower()


def is_whole(typed: str) -> bool:
    """Whether somebody has typed a permit, and not how its mark begins."""
    return len("".join(typed.replace("-", " ").split())) == PERMIT_BYTES * 8 // 5
