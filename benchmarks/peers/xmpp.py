"""XMPP: Prosody. Messages for those who are away go to a file for each account, unsynced."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.tongue import MARK, Line, body, found

_CONFIG = """\
run_as_root = true
daemonize = false
pidfile = "{folder}/pid"
data_path = "{folder}"
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
storage = "internal"
storage_archive_item_limit = 1000000000
modules_enabled = {{ "saslauth", "roster", "ping", "offline" }}
modules_disabled = {{ "s2s", "tls" }}
log = {{ error = "{folder}/log" }}
VirtualHost "localhost"
"""
_STREAM = b"<stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
# A question whose answer tells that everything before it was handled; its id occurs nowhere else.
_PING = b"<iq type='get' id='^'><ping xmlns='urn:xmpp:ping'/></iq>"


class Prosody:
    """Accounts of one host that write to one another."""

    name = "Prosody"
    promise = "offline store, no sync"
    program = "prosody"
    window = 256
    stores = acknowledges = True
    fans = False
    batch = 32

    def command(self, folder: Path, port: int, accounts: Sequence[str]) -> list[str]:
        """With its accounts as files."""
        config = folder / "config.lua"
        config.write_text(_CONFIG.format(port=port, folder=folder))
        home = folder / "localhost" / "accounts"
        home.mkdir(parents=True)
        for account in accounts:
            (home / f"{account}.dat").write_text('return { ["password"] = "bench" };\n')
        return [str(found(self.program)), "-F", "--config", str(config)]

    def enter(self, line: Line, reads: bool) -> None:
        """Log in and bind; who reads says that it is there."""
        secret = base64.b64encode(f"\0{line.account}\0bench".encode())
        line.ask(_STREAM, b"</stream:features>")
        line.ask(
            b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + secret + b"</auth>", b"<success"
        )
        line.ask(_STREAM, b"</stream:features>")
        bind = b"<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
        line.ask(bind, b"</iq>")
        if reads:
            line.sock.sendall(b"<presence/>")

    def publish(self, line: Line, count: int, size: int) -> bytes:
        """Messages, and after each batch the question."""
        one = f"<message to='{line.to}@localhost' type='chat'><body>".encode() + body(size) + b"</body></message>"
        return (one * self.batch + _PING) * (count // self.batch)

    def take(self, line: Line, data: bytes) -> None:
        """Count."""
        line.got += data.count(MARK)
        line.accepted += data.count(b"^") * self.batch
