"""The command line: parse, call one function of the library, show what it says.

Exit codes: 0 clean, 1 issues in the user's files, 2 wrong usage, 3 a bug of ours. Results go to stdout, messages to stderr.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from typing import Any

import typer

from gfdocs import garbage
from gfdocs.cli.commands import app
from gfdocs.cli.show import MessageFormat, show_issues
from gfdocs.cli.words import find_language, in_own_language, say
from gfdocs.errors import DataError, GfdocsError

__all__ = ["app", "find_language", "main", "run"]

# the class of all wrong usage; Typer brings its own click or takes an installed one, so only its public subclass is named
_UsageError: Any = typer.BadParameter.__bases__[0]


INTERRUPTED = 130  # 128 + SIGINT


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    garbage.relax()
    code = run(arguments)
    garbage.leave()
    sys.exit(code)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 clean, 1 issues, 2 usage, 3 our bug."""
    form = _message_format(sys.argv[1:] if arguments is None else arguments)
    try:
        result = app(args=list(arguments) if arguments is not None else None, standalone_mode=False)
        if result == INTERRUPTED:  # what Typer makes of Ctrl-C
            _say_stopped()
        return int(result or 0)
    except typer.Exit as leaving:
        return leaving.exit_code
    except _UsageError as error:
        print(_wrong_usage(error), end="", file=sys.stderr)
        return 2
    except (typer.Abort, KeyboardInterrupt):
        _say_stopped()
        return INTERRUPTED
    except GfdocsError as error:
        show_issues(error.issues, form)
        if isinstance(error, DataError) and form is MessageFormat.text:
            print(say("nothing was written", "没有写出任何文件"), file=sys.stderr)
        return 1
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except Exception:  # the one place where a fault of ours ends
        import traceback

        traceback.print_exc()
        print(say("this is a fault of gfdocs, please report it with the lines above", "这是 gfdocs 的缺陷，请附上以上内容反馈"), file=sys.stderr)  # fmt: skip
        return 3


def _say_stopped() -> None:
    print(say("stopped; the same command goes on from here", "已中止；再次运行同一命令即可继续"), file=sys.stderr)


def _message_format(arguments: Sequence[str]) -> MessageFormat:
    words = " ".join(arguments)
    return MessageFormat.json if "--format json" in words or "--format=json" in words else MessageFormat.text


def _wrong_usage(error: Any) -> str:
    """Return what Typer says of a wrong call, in the language of the command line."""
    told = io.StringIO()
    error.show(told)
    return in_own_language(told.getvalue())
