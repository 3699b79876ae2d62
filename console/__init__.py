"""What is seen: typed lines become intents, and what happened becomes lines for people or JSON for scripts.

Pure: no terminal, no clock, no files. ``sanitise`` stands before everything that other people wrote, ``menu``
holds what can be asked for, ``input`` reads lines, ``order`` and ``output`` write them, ``words`` has the sentences,
and ``language`` says them.
"""
