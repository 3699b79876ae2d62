"""The last rows: what is on its way, the line that is typed, a hint, and how things stand."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import accumulate
from typing import Any, cast

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition
from prompt_toolkit.layout import BufferControl, ConditionalContainer, FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.layout.processors import BeforeInput, Processor, Transformation, TransformationInput
from prompt_toolkit.layout.utils import explode_text_fragments
from prompt_toolkit.widgets import SearchToolbar

from console.rows import Fragments

PROMPT_ROWS = 6
HINT_ROWS = 3
# The toolkit adds up code points, terminals draw clusters: what has no width of its own is not drawn while it is typed.
_UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0e\ufe0f\ufeff\U0001f3fb-\U0001f3ff]")


class _Unseen(Processor):
    """Joiners, selectors and skin tones are in the buffer, not on the screen."""

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        """See Processor."""
        fragments = explode_text_fragments(transformation_input.fragments)
        seen = [not _UNSEEN.match(fragment[1]) for fragment in fragments]
        if all(seen):
            return Transformation(transformation_input.fragments)
        there = list(accumulate(seen, initial=0))
        back = [*(at for at, is_seen in enumerate(seen) if is_seen), len(seen)]
        return Transformation(
            [fragment for fragment, is_seen in zip(fragments, seen, strict=True) if is_seen],
            source_to_display=lambda at: there[min(at, len(seen))],
            display_to_source=lambda at: back[min(at, len(back) - 1)],
        )


def layout(
    buffer: Buffer,
    pending: Callable[[], list[str]],
    prompt: Callable[[], Fragments],
    hint: Callable[[], str],
    status: Callable[[], Fragments],
) -> Layout:
    """The rows, from top to bottom; each is asked for what it shows whenever it is painted."""
    search = SearchToolbar()
    control = BufferControl(
        buffer,
        input_processors=[_Unseen(), BeforeInput(cast(Any, prompt))],
        search_buffer_control=search.control,
        preview_search=True,
    )
    waiting = Window(
        FormattedTextControl(lambda: [("class:waits", "\n".join(pending()))]),
        height=lambda: Dimension(min=0, preferred=len(pending()), max=len(pending())),
    )
    hinted = Window(
        FormattedTextControl(lambda: [("class:note", hint())]),
        wrap_lines=True,
        dont_extend_height=True,
        height=Dimension(min=1, max=HINT_ROWS),
    )
    line = Window(control, wrap_lines=True, dont_extend_height=True, height=Dimension(min=1, max=PROMPT_ROWS))
    parts: list[Any] = [
        ConditionalContainer(waiting, Condition(lambda: bool(pending()))),
        line,
        ConditionalContainer(hinted, Condition(lambda: bool(hint()))),
        search,
        Window(FormattedTextControl(cast(Any, status)), height=1),
    ]
    return Layout(HSplit(parts), focused_element=line)
