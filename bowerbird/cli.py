"""The command line: one verb per command. Errors are one sentence on stderr; exit 0 done, 1 failed, 2 wrong command."""

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

import bowerbird
from bowerbird.asking import Json, Quiet, say
from bowerbird.cli_learning import learning_app
from bowerbird.cli_playing import playing_app
from bowerbird.cli_space import space_app
from bowerbird.errors import BowerbirdError, way_out

__all__ = ["app", "main"]

app = typer.Typer(
    help="Learns a folder of sounds and sings back new ones.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

about_app = typer.Typer()
for commands in (learning_app, playing_app, space_app, about_app):  # in the order of the help page
    app.add_typer(commands)

INTERRUPTED = "interrupted; the same command starts again"


def _version(wanted: bool) -> None:
    if wanted:
        print(f"bowerbird {bowerbird.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
) -> None:
    pass


@about_app.command()
def kit(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the sounds.")],
    count: Annotated[int, typer.Option("-n", min=1, help="Sounds per class.")] = 60,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the demo sounds: a synthesised drum kit, public domain."""
    from bowerbird.data.kit import write_kit

    classes = write_kit(output, count, seed, quiet=quiet)
    say({"folder": output, "classes": classes}, as_json, f"{count} sounds each of {', '.join(classes)}: {output}")


@about_app.command()
def show(
    file: Annotated[Path, typer.Argument(help="An instrument, a run's folder or a dataset.")], as_json: Json = False
) -> None:
    """Tell what an instrument, run or dataset is."""
    from bowerbird.showing import tell

    facts, text = tell(file)
    say(facts, as_json, text)


@about_app.command()
def doctor(as_json: Json = False) -> None:
    """Tell what this machine can do and what is missing."""
    from bowerbird.doctor import examine

    facts, text = examine()
    say(facts, as_json, text)


def main() -> None:
    """Runs the command and turns errors into one sentence and an exit code."""
    arguments = sys.argv[1:] or ["--help"]
    debug = "--debug" in arguments
    try:
        code = app(arguments, standalone_mode=False) or 0
    except BowerbirdError as error:
        _fail(error, str(error), error.exit_code, debug)
    except typer.TyperException as error:
        said = error.format_message().rstrip(".")
        way = "--help lists what the command takes"
        way = f"put several words in quotes, or {way}" if "unexpected extra argument" in said else way
        _fail(error, f"{said}; {way}", 2, debug)
    except OSError as error:
        place = f"{error.filename or 'a file'}: {error.strerror or error}"
        _fail(error, f"cannot write or read {place}; {way_out(error)}", 1, debug)
    except (KeyboardInterrupt, typer.Abort) as error:
        _fail(error, INTERRUPTED, 1, debug)
    if code == 130:  # how typer reports Ctrl-C
        _fail(KeyboardInterrupt(), INTERRUPTED, 1, debug)
    sys.exit(code)


def _fail(error: BaseException, sentence: str, exit_code: int, debug: bool) -> NoReturn:
    if debug:
        raise error
    print(f"bowerbird: {' '.join(sentence.split())}", file=sys.stderr)
    sys.exit(exit_code)


if __name__ == "__main__":
    main()
