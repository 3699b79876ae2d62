"""Makes what lies in install/share: manual pages, and what shells complete. Start it with: make share"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from console import broker_options, client_options
from install import bash, fish, man, zsh
from install.lines import line

FOLDER = Path(__file__).resolve().parent
PROGRAMS = {"restante": client_options.make_parser, "restante-broker": broker_options.make_parser}


def pages() -> Iterator[tuple[Path, str]]:
    """Each file with what is to be in it."""
    share = FOLDER / "share"
    for program, make_parser in PROGRAMS.items():
        parser = make_parser(program)
        more = (FOLDER / f"{program}.roff").read_text("utf-8")
        yield share / "man" / "man1" / f"{program}.1", man.page(parser, more)
        yield share / "bash-completion" / "completions" / program, bash.script(line(parser))
        yield share / "zsh" / "site-functions" / f"_{program}", zsh.script(line(parser))
        yield share / "fish" / "vendor_completions.d" / f"{program}.fish", fish.script(line(parser))


if __name__ == "__main__":
    for path, text in pages():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
