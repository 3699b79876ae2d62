"""What zsh completes."""

from __future__ import annotations

from install.lines import FILES, FOLDERS, HOSTS, Line, Option, Place

_KINDS = {FOLDERS: "_files -/", FILES: "_files", HOSTS: "_hosts"}


def script(program: str, lines: list[Line]) -> str:
    """The completion of a program: a function for each line, the program's own last, which is then called."""
    functions = [
        "\n".join([f"{_function(program, line.path)}() {{", *_body(program, line), "}"]) for line in reversed(lines)
    ]
    head = f"#compdef {program}\n# Made from the options of {program} by: make share"
    return "\n".join([head, *functions, f'{_function(program, ())} "$@"']) + "\n"


def _function(program: str, path: tuple[str, ...]) -> str:
    return "_" + "_".join([program, *path]).replace("-", "_")


def _body(program: str, line: Line) -> list[str]:
    specs = [_option(option) for option in line.options]
    if not line.commands:
        specs += [f"'::{place.name}:{_action(place)}'" for place in line.arguments]
        return [f"    _arguments {_joined(specs)}"]
    specs += [f"':COMMAND:({' '.join(line.commands)})'", "'*::rest:->rest'"]
    return [
        "    local curcontext=$curcontext state line",
        f"    _arguments -C {_joined(specs)}",
        "    case $state:$line[1] in",
        *(f"        rest:{word}) {_function(program, (*line.path, word))} ;;" for word in line.commands),
        "    esac",
    ]


def _joined(specs: list[str]) -> str:
    return "".join(f"\\\n        {spec} " for spec in specs).rstrip()


def _option(option: Option) -> str:
    told = option.told.replace("'", "'\\''").replace("[", "\\[").replace("]", "\\]")
    taken = f"{':' if option.needed else '::'}{option.value.name}:{_action(option.value)}" if option.value else ""
    others = f"({' '.join(option.forms)})" if len(option.forms) > 1 else ""
    return " ".join(f"'{others}{form}[{told}]{taken}'" for form in option.forms)


def _action(place: Place) -> str:
    return _KINDS.get(place.name, f"({' '.join(place.words)})" if place.words else " ")
