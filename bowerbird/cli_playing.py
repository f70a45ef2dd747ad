"""The commands that play an instrument: make, morph."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from bowerbird.asking import (
    InstrumentName,
    Json,
    Label,
    Move,
    Pitch,
    Quiet,
    Truncation,
    asked_of,
    moves_of,
    point_of,
    say,
    space_of,
)
from bowerbird.errors import UsageError

__all__ = ["playing_app"]

SCORELESS = {"instrument", "output", "score", "bits", "device", "as_json", "quiet"}  # what a score does not say
MOST_REMARKS = 8

playing_app = typer.Typer()


@playing_app.command()
def make(
    instrument: InstrumentName,
    text: Annotated[str | None, typer.Argument(help="What to make: words, where it learnt texts, or a label.")] = None,
    label: Label = None,
    pitch: Pitch = None,
    count: Annotated[int, typer.Option("-n", min=1, help="How many sounds.")] = 4,
    seed: Annotated[int, typer.Option(min=0, help="Sound k comes from seed + k.")] = 0,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the WAV files.")] = Path("made"),
    each_label: Annotated[bool, typer.Option(help="As many of every label (under the one asked), in folders.")] = False,
    prompts: Annotated[
        Path | None, typer.Option(help="As many of every line: texts, or a csv whose columns are labels.")
    ] = None,
    move: Move = None,
    truncation: Truncation = 1.0,
    like: Annotated[
        str | None, typer.Option(metavar="PLACE", help="Sounds like that of a seed (17) or of a place you named (@airy).")
    ] = None,
    distance: Annotated[float, typer.Option(min=0, max=1, help="From it: 0 the same, 1 nothing to do with it.")] = 0.5,
    corners: Annotated[
        str | None, typer.Option(metavar="A,B,C,D", help="A plane of n x n sounds between four places: 1,2,@airy,snare.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "cpu",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make new sounds: WAV files and a contact sheet."""
    if sum(map(bool, (prompts, each_label, like, corners))) > 1:
        raise UsageError("--prompts, --each-label, --like and --corners are ways of asking of their own; give one")
    from bowerbird.instrument import load
    from bowerbird.making import Bent, alike, fill, orders, plane, prompted

    player = load(instrument, device)
    space = space_of(player, instrument)
    asked, moves = asked_of(player, text, label, pitch), moves_of(move)
    if prompts:
        wanted = prompted(space, prompts, asked, count, seed, Bent(moves, truncation))
    elif like:
        wanted = alike(space, space.at(point_of(player, like, seed, asked, moves)), distance, count, seed, like)
    elif corners:
        wanted = plane(space, [point_of(player, one.strip(), seed, asked, moves) for one in corners.split(",")], count)
    else:
        wanted = orders(space, asked, count, seed, each_label, Bent(moves, truncation))
    distinct = {str(order.asked): order.asked for order in wanted}.values()
    said = [remark for asked in distinct for remark in player.remarks(asked)]
    if said:
        told = list(dict.fromkeys(said))
        more = [f"and {len(told) - MOST_REMARKS} more such remarks"] if len(told) > MOST_REMARKS else []
        print("\n".join([*told[:MOST_REMARKS], *more]), file=sys.stderr)
    files, sheet = fill(space, wanted, output, quiet=quiet)
    result = {"files": [str(file) for file in files], "sheet": str(sheet)}
    shown = "\n".join(str(file) for file in files[:12]) + (f"\nand {len(files) - 12} more" if len(files) > 12 else "")
    say(result, as_json, f"{shown}\ncontact sheet: {sheet}")


@playing_app.command()
def morph(
    context: typer.Context,
    instrument: InstrumentName,
    output: Annotated[Path, typer.Option("-o", "--output", help="The WAV file; score and spectrogram go beside it.")],
    point: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PLACE",
            help="A key point: a seed, a label, a text, name=label,…, 17,name=label,…, @ and a name of yours; repeat.",
        ),
    ] = None,
    points: Annotated[int, typer.Option(min=1, help="How many key points, where none is named.")] = 4,
    steps: Annotated[int, typer.Option(help="Sounds between two of them.")] = 7,
    spacing: Annotated[float, typer.Option(help="From one sound to the next, in seconds, with --tempo in beats.")] = 0.25,
    tempo: Annotated[float | None, typer.Option(help="Beats per minute.")] = None,
    path: Annotated[str, typer.Option(help="slerp, linear or spline.")] = "slerp",
    mapped: Annotated[bool, typer.Option(help="Through the first layer instead of latents.")] = False,
    even: Annotated[bool, typer.Option(help="Levels go evenly from key point to key point.")] = True,
    trim: Annotated[float, typer.Option(help="Seconds cut off the start of each sound.")] = 0.0,
    attack: Annotated[float, typer.Option(help="In seconds.")] = 0.0,
    decay: Annotated[float, typer.Option(help="In seconds.")] = 0.0,
    sustain: Annotated[float, typer.Option(help="Level after the decay, 0 to 1.")] = 1.0,
    release: Annotated[float, typer.Option(help="In seconds.")] = 0.02,
    length: Annotated[float | None, typer.Option(help="Of each sound in seconds. Default: all of it.")] = None,
    score: Annotated[Path | None, typer.Option(help="A score to play instead of all that; edit it as you like.")] = None,
    label: Label = None,
    pitch: Pitch = None,
    move: Move = None,
    truncation: Truncation = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Key points without a seed of their own take seed, seed + 1 …")] = 0,
    bits: Annotated[int, typer.Option(help="16, 24, or 32 (floats).")] = 24,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "cpu",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Walk from sound to sound: a hallucination as one WAV file, with its score."""
    from bowerbird.instrument import load
    from bowerbird.latent.morph import SUBTYPES, render, settled
    from bowerbird.latent.score import Envelope, Score, read_score
    from bowerbird.latent.strip import write_strip

    if output.suffix.lower() != ".wav":
        raise UsageError(f"{output} would be no WAV file; let its name end in .wav")
    if bits not in SUBTYPES:
        raise UsageError(f"a WAV of {bits} bits is not written; take {', '.join(map(str, SUBTYPES))}")
    player = load(instrument, device)
    space = space_of(player, instrument)
    if score is None:
        asked, moves = asked_of(player, None, label, pitch), moves_of(move)
        written = point or [str(seed + number) for number in range(points)]
        keys = [
            replace(point_of(player, one, seed + number, asked, moves), truncation=truncation)
            for number, one in enumerate(written)
        ]
        envelope = Envelope(trim, attack, decay, sustain, release, length)
        piece = Score(keys, steps, spacing, tempo, path, mapped, even, envelope, instrument=player.fingerprint)
    else:
        given = [name for name in context.params if getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"]
        if more := set(given) - SCORELESS:
            raise UsageError(f"a --score says all of that itself; edit it instead of giving --{min(more)}")
        piece = read_score(score)
    piece = settled(space, piece)  # what is saved plays the same whatever names stand for later
    done = render(space, piece, output, bits, quiet=quiet)
    piece.save(output.with_suffix(".score.json"))
    write_strip(output.with_suffix(".png"), output)
    files = {"score": str(output.with_suffix(".score.json")), "picture": str(output.with_suffix(".png"))}
    early = "" if done["sounds"] == done["of"] else f" (stopped: {done['of']} are in the score)"
    text = (
        f"{done['sounds']} sounds{early}, {done['seconds']:.1f} s, true peak {done['true_peak_db']:.1f} dB: {output}\n"
        f"score: {files['score']}\nspectrogram: {files['picture']}"
    )
    say(done | files, as_json, text)
