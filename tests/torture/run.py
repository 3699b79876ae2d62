"""One run: everybody talks, everything happens to them, all comes to rest, and what is left is judged."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from tests.torture.evidence import glance
from tests.torture.lines import Namespace, ProxyLine
from tests.torture.misdeeds import Misdeeds
from tests.torture.party import Party
from tests.torture.stage import HOST, ROOT, Stage
from tests.torture.table import Tally, write_tally

# The pause between two bursts of talk, at most: it makes the load, and nothing depends on it.
PAUSE_S = 0.08
MINUTE_S = 60.0


def act(folder: Path, minutes: float, seed: int) -> None:
    """Let it all happen; the evidence is in the folder afterwards, and the tally beside it."""
    tally = Tally(seed, minutes)
    talk, fate = random.Random(seed), random.Random(seed + 1)  # what is said changes nothing about what is done
    with ExitStack() as stack:
        stack.callback(write_tally, folder, tally)
        link = stack.enter_context(Namespace())
        tally.no_link = link.reason
        stage = stack.enter_context(Stage(folder, HOST if link.reason else "*"))
        proxy = ProxyLine(folder, stage.broker.port)
        stack.callback(proxy.clear)
        proxy.start()
        party = Party(stage, proxy, link, talk)
        party.begin()
        misdeeds = Misdeeds(stage, party, proxy, link, fate, tally)
        _go_on(party, misdeeds, talk, minutes, folder)
        misdeeds.end()
        party.come_to_rest()


def _go_on(party: Party, misdeeds: Misdeeds, chance: random.Random, minutes: float, folder: Path) -> None:
    """Talk and misdeeds, until the time is over; each minute a line that says how far it is."""
    began = told = time.monotonic()
    while (now := time.monotonic()) < began + minutes * MINUTE_S:
        party.speak()
        misdeeds.step()
        time.sleep(chance.uniform(0, PAUSE_S))
        if now >= told + MINUTE_S:
            told = now
            accepted = sum(glance(folder).broker.lasts.values())
            print(f"{(now - began) / MINUTE_S:.0f} minutes: {accepted:,} messages accepted", flush=True)


def judge(folder: Path) -> int:
    """What the checker says, on standard output; its exit code."""
    return subprocess.run(
        [sys.executable, "-m", "tests.torture.checker", str(folder)], cwd=ROOT, check=False
    ).returncode
