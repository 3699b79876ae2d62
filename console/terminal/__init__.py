"""The front end for a person at a terminal; the only place that knows prompt_toolkit.

``terminal.py`` is what the loop meets; ``turns.py`` waits, ``line.py`` is what is typed, ``canvas.py`` is what is
painted, with ``ink.py``, and alone touches private parts of prompt_toolkit.
"""
