"""How people ask on the command line: labels, moves and places as they type them, and how results are said."""

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bowerbird.errors import BowerbirdError, UsageError

if TYPE_CHECKING:  # help is shown without torch
    from bowerbird.instrument import Instrument
    from bowerbird.latent.score import Point
    from bowerbird.latent.space import Space

__all__ = [
    "InstrumentName", "Json", "Label", "Move", "Pitch", "Quiet", "Truncation", "asked_of", "moves_of", "point_of", "say",
    "space_of",
]  # fmt: skip

InstrumentName = Annotated[str, typer.Argument(metavar="INSTRUMENT", help="An instrument file or a run's folder.")]
Label = Annotated[list[str] | None, typer.Option("--label", "-l", metavar="NAME=VALUE", help="A label; repeat for several.")]
Pitch = Annotated[str | None, typer.Option(help="A MIDI number or a note: the same as --label pitch=60.")]
Move = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=AMOUNT", help="Along a direction: brightness=1.5, 3=-2, widen:3=1, one of yours; repeat."),
]
Truncation = Annotated[float, typer.Option(help="1 as it is, towards 0 nearer to the mean of its labels.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress.")]


def say(result: dict[str, Any], as_json: bool, text: str) -> None:
    """The result on stdout, for scripts or for people."""
    print(json.dumps(result, default=str) if as_json else text.rstrip("\n"))


def asked_of(
    player: "Instrument", text: str | None, label: Sequence[str] | None, pitch: str | None = None
) -> dict[str, str]:
    """A text, NAME=VALUE pairs (a value alone as `Instrument.asked` takes it) and a pitch -> labels by condition."""
    from bowerbird.midi import PITCH

    asked = dict(player.asked(text))
    for pair in [*(label or []), *([f"{PITCH}={pitch}"] if pitch is not None else [])]:
        name, equals, value = pair.partition("=")
        if not equals:
            ((name, value),) = player.asked(name).items()
        if asked.get(name, value) != value:
            raise UsageError(
                f'the label "{name}" is asked for twice: "{asked[name]}" and "{value}"; give one, or several tags by commas'
            )
        asked[name] = value
    return asked


def space_of(player: "Instrument", instrument: str) -> "Space":
    """The space of an instrument with what people named in it; a sidecar that cannot be used is told and left alone."""
    from bowerbird.latent.places import places_beside
    from bowerbird.latent.space import Space

    try:
        return Space(player, places_beside(Path(instrument), player.fingerprint))
    except BowerbirdError as error:
        print(f"bowerbird: {error} (going on without it)", file=sys.stderr)
        return Space(player)


def moves_of(written: Sequence[str] | None) -> dict[str, float]:
    """NAME=AMOUNT -> amounts by name; UsageError where one is none."""
    moves: dict[str, float] = {}
    for one in written or []:
        name, _, amount = one.rpartition("=")
        try:
            moves[name] = moves.get(name, 0.0) + float(amount)
        except ValueError:
            name = ""
        if not name:
            raise UsageError(f'--move "{one}" is not NAME=AMOUNT; write for example brightness=1.5 or 3=-2')
    return moves


def point_of(player: "Instrument", written: str, seed: int, asked: dict[str, str], moves: dict[str, float]) -> "Point":
    """A place as people write it: a seed (17), a named one (@airy), labels (kick, "wood door", class=kick,pitch=60), or a
    seed with labels (17,class=kick)."""
    from bowerbird.latent.score import Point

    if written.startswith("@"):
        return Point(labels=asked, moves=moves, name=written[1:])
    if written.isdecimal():
        return Point(int(written), asked, moves)
    names = "|".join(map(re.escape, player.labels)) or "(?!)"
    if with_seed := re.match(f"([0-9]+),(?=(?:{names})=)", written):
        seed, written = int(with_seed[1]), written[with_seed.end() :]
    named = re.match(f"({names})=", written)
    own = asked_of(player, None, re.split(f",(?=(?:{names})=)", written)) if named else dict(player.asked(written))
    return Point(seed, {**asked, **own}, moves)
