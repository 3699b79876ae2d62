"""Deliberate mistakes in what is said about messages: edits, deletions, receipts."""

from __future__ import annotations

from tests.simulation.mistakes import Mutant

OF_REMARKS = (
    Mutant(
        "anybody changes what anybody has said",
        "protocol/remarks.py",
        "    return envelope.author == message.author and envelope.at",
        "    return envelope.at",
        "I11",
    ),
    Mutant(
        "the first edit counts",
        "core/marks.py",
        "body=edits[-1].text.encode()",
        "body=edits[0].text.encode()",
        "I5 I11",
    ),
    Mutant(
        "no text is withheld",
        "store/memory.py",
        "        if bare is None:\n            return\n",
        "        if bare is None or envelope:\n            return\n",
        "I11",
    ),
    Mutant(
        "the last receipt counts",
        "core/receipts.py",
        "    read = max(before[1], receipt.read.get(device, 0))\n"
        "    return max(before[0], receipt.delivered.get(device, 0), read), read\n",
        "    read = receipt.read.get(device, before[1])\n"
        "    return max(receipt.delivered.get(device, before[0]), read), read\n",
        "I12",
    ),
    Mutant(
        "what has not come was read",
        "core/receipts.py",
        "    reached.came, reached.shown = max(reached.came, n), max(reached.shown, n)\n",
        "    reached.came, reached.shown = max(reached.came, n), max(reached.shown, n) + 1\n",
        "I12",
    ),
)
