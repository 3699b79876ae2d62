"""IRC: ngIRCd and InspIRCd. They keep nothing, so PRIVMSG is all there is to say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.tongue import MARK, ROOM, Line, body, found

_NGIRCD = """\
[Global]
Name = irc.bench.local
Listen = 127.0.0.1
Ports = {port}
Info = bench
ServerUID = 0
ServerGID = 0
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxPenaltyTime = 0
MaxNickLength = 30
[Options]
DNS = no
Ident = no
PAM = no
SyslogFacility = local1
"""

_INSPIRCD = """\
<server name="irc.bench.local" description="bench" network="Bench">
<admin name="bench" nick="bench" email="bench@bench.local">
<bind address="127.0.0.1" port="{port}" type="clients">
<connect allow="*" timeout="60" pingfreq="300" threshold="4000000" commandrate="4000000000" fakelag="no"
 hardsendq="1073741824" softsendq="1073741824" recvq="67108864" localmax="10000" globalmax="10000" maxconnwarn="no"
 resolvehostnames="no" maxchans="100">
<performance netbuffersize="65534" softlimit="15000" somaxconn="4096" quietbursts="yes">
<pid file="{folder}/pid">
<path configdir="{folder}" datadir="{folder}" logdir="{folder}">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="{folder}/log">
"""


class Irc:
    """What both have in common; ``window`` keeps within what a server holds for a reader before it hangs up."""

    promise = "none"
    stores = acknowledges = False
    fans = True
    batch = 1

    def __init__(self, name: str, program: str, window: int) -> None:
        self.name, self.program, self.window = name, program, window

    def command(self, folder: Path, port: int, accounts: Sequence[str]) -> list[str]:
        """In the foreground, with no limits on rates."""
        program, config = str(found(self.program)), folder / "config"
        if self.program == "ngircd":
            config.write_text(_NGIRCD.format(port=port))
            return [program, "--nodaemon", "--config", str(config)]
        config.write_text(_INSPIRCD.format(port=port, folder=folder))
        return [program, "--nofork", "--nolog", "--runasroot", "--config", str(config)]

    def enter(self, line: Line, reads: bool) -> None:
        """Register, and join the room: an outsider could not speak there."""
        line.sock.sendall(f"NICK {line.account}\r\nUSER {line.account} 0 * :bench\r\n".encode())
        heard = b""
        while b" 376 " not in heard and b" 422 " not in heard:
            heard += line.wait(b"\r\n")
            if b"PING " in heard:
                cookie = heard.rpartition(b"PING ")[2].split(b"\r\n")[0]
                line.sock.sendall(b"PONG " + cookie + b"\r\n")
                heard = b""
        line.ask(f"JOIN #{ROOM}\r\n".encode(), b" 366 ")

    def publish(self, line: Line, count: int, size: int) -> bytes:
        """PRIVMSG."""
        to = f"#{ROOM}" if line.to == ROOM else line.to
        return (f"PRIVMSG {to} :".encode() + body(size) + b"\r\n") * count

    def take(self, line: Line, data: bytes) -> None:
        """Count."""
        line.got += data.count(MARK)
        if b"PING " in data:
            line.out += b"PONG :irc.bench.local\r\n"
