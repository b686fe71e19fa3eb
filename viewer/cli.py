"""The command line: the viewer by default, and the commands that need no window.

Nothing heavy is imported before it is needed: `-h` answers at once, and the viewer's window comes up before torch.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import io
import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import NoReturn

from gaussian_core import Cancelled, UserError, __version__
from gaussian_core.writing.atomic import drop_unfinished
from viewer.model.endings import endings

FAILED, CANCELLED = 1, 130
INTERRUPTED = "interrupted, no file is left half written"
PIPE_CLOSED = 141  # what a shell says of a program that SIGPIPE ended
NEGATIVE_NUMBERS = re.compile(r"-[\d.][-+\d.,e]*")  # that, or several with commas


@dataclass(frozen=True)
class Command:
    """module: has `add_arguments(parser)` and `run(args, stop) -> exit code`; imported when the command is named."""

    name: str
    help: str
    module: str


COMMANDS = (
    Command(
        "render",
        "draw a picture or a field at any scale into an image file",
        "viewer.commands.render",
    ),
    Command(
        "figure",
        "draw one region by several methods side by side, with PSNR and SSIM",
        "viewer.commands.figure",
    ),
    Command("build", "turn a picture into a field and save it", "viewer.commands.build"),
    Command("fit", "fit Gaussians to one picture by gradient descent", "viewer.commands.fit"),
    Command(
        "evaluate",
        "measure how close enlargements come to the originals",
        "gaussian_core.evaluation.command",
    ),
    Command("train", "train the learned field on pictures", "gaussian_core.training.command"),
    Command(
        "ablate",
        "what each part of the learned field is worth: short trainings, one table",
        "gaussian_core.training.ablation_command",
    ),
    Command("bench", "time frames and fields on this machine", "viewer.commands.bench"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; the exit code is returned: 0, 1 for a failure, 2 for wrong usage, 3 where a damaged picture was
    drawn as far as there was any of it, 130 when interrupted (also where what was reached is kept), 141 when nobody
    reads any more what it prints."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    command = next((c for c in COMMANDS if arguments[:1] == [c.name]), None)
    try:
        if command is None:
            return _view(arguments)
        return _run(command, arguments[1:])
    except UserError as error:
        return _fail(str(error), FAILED)
    except (Cancelled, KeyboardInterrupt):
        return _fail(INTERRUPTED, CANCELLED)
    except OSError as error:
        return PIPE_CLOSED if _is_of_closed_pipe(error) else _fail(_reason(error), FAILED)
    except MemoryError:
        return _fail(
            "out of memory: close other programs, or ask for less at once, as by a smaller --scale or a --region",
            FAILED,
        )


def run_program() -> NoReturn:
    """The program: main(), and out. A window that was closed leaves at once: its threads are daemons, its files are
    whole or dropped, and the interpreter would spend most of a second on taking torch and Qt apart."""
    if (
        signal.getsignal(signal.SIGINT) is signal.default_int_handler
    ):  # it is ignored in the background
        signal.signal(signal.SIGINT, _leave)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as stderr is: no name of a file ends it
    try:
        code = main()
    except SystemExit as asked:  # help, or wrong usage
        code = asked.code if isinstance(asked.code, int) else FAILED
    code = _delivered(code)
    if "PySide6.QtWidgets" in sys.modules:
        drop_unfinished()
        logging.shutdown()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # a program without a console has none
                stream.flush()
        os._exit(code)
    raise SystemExit(code)


def _leave(signum: int, frame: object) -> NoReturn:
    """Ctrl-C before there is anything to stop and to clean up. Not by an exception: while libraries are loaded they
    swallow it, or make a page of text of it."""
    with suppress(OSError):
        os.write(2, f"{_program()}: {INTERRUPTED}\n".encode())
    os._exit(CANCELLED)


def _delivered(code: int) -> int:
    """Flush what was printed; the exit code, where that fails another one."""
    if sys.stdout is None:  # a program without a console
        return code
    try:
        sys.stdout.flush()
    except OSError as error:
        # Python would try again on its way out, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if code != 0:  # it has been said
            return code
        if _is_of_closed_pipe(error):
            return PIPE_CLOSED
        return _fail(f"cannot print what was done: {_reason(error)}", FAILED)
    return code


def _is_of_closed_pipe(error: OSError) -> bool:
    """Windows has another name for it, which of a file would come with the file's."""
    unnamed = sys.platform == "win32" and error.errno == errno.EINVAL and not error.filename
    return isinstance(error, BrokenPipeError) or unnamed


def _reason(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror or error}"


def _fail(message: str, code: int) -> int:
    print(f"{_program()}: {' '.join(message.split())}", file=sys.stderr)
    return code


def _program() -> str:
    return os.path.basename(sys.argv[0]) or "gaussian-zoom"


def _run(command: Command, arguments: list[str]) -> int:
    module = importlib.import_module(command.module)
    parser = argparse.ArgumentParser(
        prog=f"{_program()} {command.name}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    options = parser.parse_args(_with_negatives(arguments))
    with stop_on_interrupt() as stop:
        code = int(module.run(options, stop))
        # A training and a fit keep what they have reached; a script is to know that this is not all.
        return CANCELLED if code == 0 and stop() else code


def _with_negatives(arguments: list[str]) -> list[str]:
    """Numbers that begin with a minus are joined to the option ahead of them: argparse takes several for an option of
    that name, and one alone for what it is."""
    joined: list[str] = []
    for argument in arguments:
        ahead = joined[-1] if joined else ""
        if NEGATIVE_NUMBERS.fullmatch(argument) and ahead.startswith("--") and "=" not in ahead:
            joined[-1] = f"{ahead}={argument}"
        else:
            joined.append(argument)
    return joined


@contextmanager
def stop_on_interrupt() -> Iterator[Callable[[], bool]]:
    """A `stop` callable that turns true at Ctrl-C (or a request to terminate), so that work ends between two tiles
    and cleans up. A second Ctrl-C interrupts at once."""
    asked = threading.Event()
    # torchrun hands on what the terminal has sent to its processes already: that is no second one.
    in_group = "TORCHELASTIC_RUN_ID" in os.environ

    def ask(signum: int, frame: object) -> None:
        if asked.is_set() and not in_group:
            raise KeyboardInterrupt
        asked.set()

    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set  # signals can be handled in the main thread only
        return
    before = {number: signal.signal(number, ask) for number in endings()}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _view(arguments: list[str]) -> int:
    from gaussian_core.models.config import NAMES_OR_FILE
    from viewer.model.methods import DEFAULT, OFFERED

    parser = argparse.ArgumentParser(
        prog=_program(),
        usage="%(prog)s [IMAGE] | %(prog)s COMMAND ... | %(prog)s -h",
        description="Zoom into a picture as a continuous field of 2D Gaussians.",
        epilog=_commands_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"gaussian-zoom {__version__}")
    parser.add_argument(
        "image",
        metavar="IMAGE",
        nargs="?",
        help="a picture, a field, or a folder, whose first picture opens; without one, the sample",
    )
    parser.add_argument(
        "--method",
        choices=[method.name for method in OFFERED],
        help=f"how fields are made from now on (default: as chosen last, at first {DEFAULT})",
    )
    parser.add_argument(
        "--weights",
        metavar=NAMES_OR_FILE,
        help="make fields by these weights: shipped ones of ContinuousSR by name, from now on, or a file, this time: our "
        ".safetensors, or the authors' .pth of ContinuousSR, LIIF or GaussianSR",
    )
    parser.add_argument(
        "--compare",
        metavar="FILE",
        help="hold it against another picture of the same scene, of any size: its original, or what another program "
        "made of it",
    )
    options = parser.parse_args(arguments)
    if _has_no_display():
        return _fail(
            "there is no display to open a window on; to draw into a file instead: "
            f"{_program()} render IMAGE OUT --scale S",
            FAILED,
        )
    # The name is not spelled as an import: the window's modules need Qt, which a headless machine may lack.
    return int(
        importlib.import_module("viewer.ui.app").run(
            options.image, options.method, options.weights, options.compare
        )
    )


def _commands_help() -> str:
    width = max(len(c.name) for c in COMMANDS) + 2
    lines = [f"  {c.name:<{width}}{c.help}" for c in COMMANDS]
    return "\n".join(["commands:", *lines, "", f"Help on one: {_program()} COMMAND -h"])


def _has_no_display() -> bool:
    """Qt would abort the process here with a page of text. Other systems always have a display of their own."""
    if not sys.platform.startswith("linux"):
        return False
    return not any(os.environ.get(n) for n in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))
