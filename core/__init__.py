"""What is decided: the broker and the client as pure state machines.

Each takes what has happened (``events``) and answers what is to be done (``commands``). Time and randomness
are arguments; nothing here does I/O. ``core.broker`` and ``core.client`` never import each other.
"""
