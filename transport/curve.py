"""CURVE (ZeroMQ RFC 26): the only way in which both programs speak. There is no other mode to fall back to."""

from __future__ import annotations

import zmq
from zmq.utils import z85

from protocol import keys
from protocol.errors import Told
from protocol.keys import KeyPair

# Older libraries can be attacked before anybody is authenticated (CVE-2019-13132 and what 4.3.3 to 4.3.5 fixed).
OLDEST_LIBZMQ = (4, 3, 5)


class NoCurve(Told):
    """This ZeroMQ can't encrypt, or can't be trusted with it."""


def check_library() -> None:
    """NoCurve unless ZeroMQ is recent and can encrypt."""
    if not zmq.has("curve"):
        raise NoCurve(
            "this ZeroMQ can't encrypt, it has no CURVE; nothing is sent unencrypted: install pyzmq as pinned"
        )
    version = zmq.zmq_version_info()
    if version < OLDEST_LIBZMQ:
        found, oldest = (".".join(map(str, each)) for each in (version, OLDEST_LIBZMQ))
        raise NoCurve(
            "ZeroMQ {found} is here, {oldest} is needed; nothing is sent unencrypted: install pyzmq as pinned",
            found=found,
            oldest=oldest,
        )


def make_pair() -> KeyPair:
    """A new pair of keys, from the operating system's randomness."""
    public, secret = zmq.curve_keypair()
    return KeyPair(keys.written(z85.decode(public)), z85.decode(secret))


def public_of(secret: bytes) -> str:
    """The public key that belongs to a secret one."""
    return keys.written(z85.decode(zmq.curve_public(z85.encode(secret))))


def serve(socket: zmq.Socket[bytes], pair: KeyPair, domain: bytes) -> None:
    """Let a socket accept whoever knows this public key, and the ZAP handler lets in. Before it binds."""
    socket.curve_server = True
    socket.curve_secretkey = pair.secret
    socket.zap_domain = domain
    socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)


def speak(socket: zmq.Socket[bytes], pair: KeyPair, broker: str) -> None:
    """Let a socket speak as this pair to whoever owns this public key, and to nobody else. Before it connects."""
    socket.curve_serverkey = keys.raw(broker)
    socket.curve_publickey = keys.raw(pair.public)
    socket.curve_secretkey = pair.secret
