"""What fish completes."""

from __future__ import annotations

from collections.abc import Iterator

from install.lines import FILES, FOLDERS, HOSTS, Line, Option, Step

_KINDS = {FOLDERS: "-x -a '(__fish_complete_directories)'", FILES: "-r -F", HOSTS: "-x -a '(__fish_print_hostnames)'"}


def script(line: Line) -> str:
    """The completion of a program, a row for each option and each word of a command."""
    begin = f"complete -c {line.program}"
    options = [f"{begin} {_option(option)}" for option in line.options]
    words = [f"{begin} {row}" for step in line.steps for row in _offered(step)]
    head = f"# What fish completes for {line.program}; made from its own options by: make share"
    return "\n".join([head, f"{begin} -f", *options, *words]) + "\n"


def _option(option: Option) -> str:
    parts = [_form(form) for form in option.forms]
    if option.value:
        words = f"-x -a '{' '.join(option.words)}'" if option.words else "-x"
        parts.append(_KINDS.get(option.value, words))
    return " ".join([*parts, "-d", _quoted(option.told)])


def _form(form: str) -> str:
    if form.startswith("--"):
        return f"-l {form[2:]}"
    return f"-s {form[1]}" if form[2:] == "" else f"-o {form[1:]}"


def _offered(step: Step) -> Iterator[str]:
    """Rows that hold where these words stand, and none of those that may come next."""
    seen = [f"__fish_seen_subcommand_from {word}" for word in step.path]
    below = [f"not __fish_seen_subcommand_from {' '.join(step.words)}"] if step.words else []
    where = f"-n '{'; and '.join([*seen, *below])}'"
    for word, told in step.words.items():
        yield f"{where} -a {word} -d {_quoted(told)}"
    if step.path and FILES in step.values:
        yield f"{where} -F"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
