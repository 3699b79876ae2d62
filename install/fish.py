"""What fish completes."""

from __future__ import annotations

from collections.abc import Iterator

from install.lines import FILES, FOLDERS, HOSTS, Line, Option

_KINDS = {FOLDERS: "-x -a '(__fish_complete_directories)'", FILES: "-r -F", HOSTS: "-x -a '(__fish_print_hostnames)'"}


def script(program: str, lines: list[Line]) -> str:
    """The completion of a program, a row for each option of each line."""
    purposes = {line.path: line.purpose for line in lines}
    rows = [f"# What fish completes for {program}; made from its own options by: make share"]
    for line in lines:
        begin = f"complete -c {program}{_where(line)}"
        rows += [f"{begin} {_option(option)}" for option in line.options]
        rows += [f"{begin} -f -a {word} -d {_quoted(purposes[*line.path, word])}" for word in line.commands]
        rows += [] if line.commands else [f"{begin} {arguments}" for arguments in _arguments(line)]
    return "\n".join(rows) + "\n"


def _where(line: Line) -> str:
    """The condition under which a line is the one that is typed."""
    seen = [f"__fish_seen_subcommand_from {word}" for word in line.path]
    below = [f"not __fish_seen_subcommand_from {' '.join(line.commands)}"] if line.commands else []
    return f" -n '{'; and '.join([*seen, *below])}'" if seen or below else ""


def _option(option: Option) -> str:
    parts = [_form(form) for form in option.forms]
    if option.value:
        words = f" -a '{' '.join(option.value.words)}'" if option.value.words else ""
        parts.append(_KINDS.get(option.value.name, "-x" + words))
    return " ".join([*parts, "-d", _quoted(option.told)])


def _form(form: str) -> str:
    if form.startswith("--"):
        return f"-l {form[2:]}"
    return f"-s {form[1]}" if form[2:] == "" else f"-o {form[1:]}"


def _arguments(line: Line) -> Iterator[str]:
    if not any(place.name == FILES for place in line.arguments):
        yield "-f"
    words = " ".join(word for place in line.arguments for word in place.words)
    if words:
        yield f"-a '{words}'"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
