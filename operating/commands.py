"""A command from the line to its exit code."""

from __future__ import annotations

from console.broker_options import Settings
from console.language import told, worded
from operating import files, orders
from operating.telling import EXIT_DAMAGED, EXIT_LOCKED, EXIT_UNWRITABLE, Refused, fail
from store.portable import BadLine
from transport.control import NoControl

EXIT_INTERRUPTED = 130


def carry_out(settings: Settings) -> int:
    """Do what the command line asks; the exit code. Locked, StoreError or OSError as a running broker has them."""
    try:
        if settings.command in files.COMMANDS:
            return files.COMMANDS[settings.command](settings)
        return orders.carry_out(settings)
    except Refused as refused:
        code, sentence = refused.args
        return fail(int(code), sentence)
    except (NoControl, BadLine) as error:
        return fail(EXIT_LOCKED if isinstance(error, NoControl) else EXIT_DAMAGED, told(error))
    except BrokenPipeError:
        return fail(EXIT_UNWRITABLE, worded("nobody reads the answer any more"))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
