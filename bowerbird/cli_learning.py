"""The commands that need sounds to learn from: prepare, train, evaluate, textmap."""

import json
import sys
import tempfile
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Annotated

import typer

from bowerbird.asking import InstrumentName, Json, Quiet, say
from bowerbird.errors import BowerbirdError, UsageError

__all__ = ["learning_app"]

SampleRate = Annotated[int | None, typer.Option(help="In Hz, 8000 to 48000. Default: the commonest of the files.")]
Seconds = Annotated[float | None, typer.Option(help="Length of the longest sound. Default: what most files fit in.")]
Labels = Annotated[
    str | None,
    typer.Option(help="folder, filename (texts, or a --pattern), folder,filename, csv, nsynth, none; else folder."),
]

learning_app = typer.Typer()


@learning_app.command()
def prepare(
    sounds: Annotated[Path, typer.Argument(help="A folder of sounds, nested as you like.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The dataset folder to make.")],
    sample_rate: SampleRate = None,
    seconds: Seconds = None,
    channels: Annotated[int | None, typer.Option(help="1 or 2. Default: as most files.")] = None,
    slices: Annotated[
        str | None, typer.Option("--slice", help="Long files: start (the first piece) or even (all pieces).")
    ] = None,
    level: Annotated[str, typer.Option(help="keep, or peak: every file's peak to -1 dBFS.")] = "keep",
    trim: Annotated[bool, typer.Option(help="Cut silence 60 dB under the peak at both ends.")] = True,
    labels: Labels = None,
    table: Annotated[Path | None, typer.Option("--csv", help="Table for --labels csv. Default: the folder's own.")] = None,
    pattern: Annotated[str | None, typer.Option(help="Of --labels filename, such as '{class}_{speaker}_{take}'.")] = None,
    columns: Annotated[
        str | None, typer.Option(help="Label columns, coarse to fine, several by commas: class/subclass,pitch.")
    ] = None,
    group: Annotated[str | None, typer.Option(help="Column whose equal values stay together in a split.")] = None,
    validation: Annotated[float, typer.Option(help="Share of sounds set apart, 0 to 0.9.")] = 0.0,
    licence: Annotated[str | None, typer.Option(help="Licence of sounds whose table names none.")] = None,
    measure: Annotated[str | None, typer.Option(help="Labels read off the sounds too: brightness.")] = None,
    captions: Annotated[Path | None, typer.Option(help="Table of texts (file, text) beside other labels.")] = None,
    encoder: Annotated[
        str, typer.Option(help="Of texts: ngrams (spelling alone), sentence:HUB_ID_OR_FOLDER, vectors:FILE.npz.")
    ] = "ngrams",
    drop_words: Annotated[str | None, typer.Option(help="Words to leave out of captions, by commas.")] = None,
    keep_words: Annotated[str | None, typer.Option(help="Words to keep in captions.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a dataset of a folder of sounds."""
    from bowerbird.data.dataset import Dataset
    from bowerbird.data.options import PrepareOptions
    from bowerbird.data.prepare import prepare as make_dataset

    options = PrepareOptions(
        sample_rate, seconds, channels, slices, level, trim, labels or _source_of_labels(table, pattern), table, pattern,
        columns, group, validation, licence, measure, captions, encoder, drop_words, keep_words,
    )  # fmt: skip
    before = None
    with suppress(BowerbirdError):  # nothing there, or nothing that can be used
        before = Dataset(output)
    dataset = make_dataset(sounds, output, options, quiet=quiet)
    if before and before.fingerprint != dataset.fingerprint:
        print(f"replaced the dataset of {len(before)} sounds that was there", file=sys.stderr)
    found = json.loads((output / "report.json").read_text(encoding="utf-8"))
    text = (output / "report.txt").read_text(encoding="utf-8")
    say({"dataset": output, "fingerprint": dataset.fingerprint, **found}, as_json, f"{text}dataset: {output}")


def _source_of_labels(table: Path | None, pattern: str | None) -> str:
    return "csv" if table else "filename" if pattern else "folder"


@learning_app.command()
def train(
    sounds: Annotated[Path, typer.Argument(metavar="DATASET|SOUNDS", help="A prepared dataset or a folder of sounds.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The run's folder; an unfinished run goes on.")],
    preset: Annotated[str, typer.Option(help="standard, quick (minutes); baselines: gansynth, wavegan.")] = "standard",
    config: Annotated[Path | None, typer.Option(help="A JSON file of settings over the preset.")] = None,
    minutes: Annotated[float | None, typer.Option(help="How long to train; preparing comes on top.")] = None,
    examples: Annotated[int | None, typer.Option(help="How long to train, in examples seen.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    seed: Annotated[int | None, typer.Option(help="Seed of everything random.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any setting; repeat.")] = None,
    dry_run: Annotated[bool, typer.Option(help="Print the configuration and stop.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train an instrument; the same command again goes on; Ctrl-C ends with a playable one."""
    if minutes is not None and examples is not None:
        raise UsageError("give --minutes or --examples, not both")
    from bowerbird.config import to_json
    from bowerbird.data.dataset import Dataset
    from bowerbird.data.options import PrepareOptions
    from bowerbird.data.prepare import prepare as make_dataset
    from bowerbird.machine import choose_device
    from bowerbird.presets import check_settings, configure
    from bowerbird.training.folder import check_folder, claimed
    from bowerbird.training.loop import train as run

    asked = {"minutes": minutes, "examples": examples, "seed": seed}
    pairs = [*(settings or []), *(f"{key}={value}" for key, value in asked.items() if value is not None)]
    check_folder(output)
    choose_device(device)
    check_settings(preset, config, pairs)
    if output.resolve().is_relative_to(sounds.resolve()):
        raise UsageError(
            f"{output} lies inside {sounds}, where its previews would be taken for sounds; choose another folder"
        )
    with tempfile.TemporaryDirectory() as scratch, nullcontext() if dry_run else claimed(output):
        if (sounds / "dataset.json").is_file():
            dataset = Dataset(sounds)
        else:
            # Prepared at every start, which is quick: new or changed sounds are noticed instead of passed over.
            target = Path(scratch) / "dataset" if dry_run else output / "dataset"
            dataset = make_dataset(sounds, target, PrepareOptions(), quiet=quiet)
            if not (as_json or dry_run):
                print((target / "report.txt").read_text(encoding="utf-8"), end="")
        model, training, why = configure(dataset, preset, config, pairs)
        if dry_run:
            shown = to_json(model)
            del shown["joint"]  # a row for every combination of labels
            print(json.dumps({"model": shown, "train": to_json(training)}, indent=2))
            return
        if not (as_json or quiet):
            print("\n".join(f"chosen: {reason}" for reason in why))
        outcome = run(dataset, output, model, training, device, quiet=quiet)
    ending = "done" if outcome.finished else "stopped; the same command goes on"
    if not outcome.new:
        ending = "nothing to do, all of it is trained; a greater --minutes or --examples goes on"
    elif outcome.finished and outcome.improving:
        ending = "done, still getting better (a greater --minutes or --examples goes on)"
    text = (
        f"{ending}: {outcome.seen} examples in {outcome.elapsed_s / 60:.1f} min\n"
        f"instrument: {outcome.instrument}, the best of the run, at {outcome.best_at} examples\n"
        f"preview: {outcome.preview}\nhear it: bowerbird make {output} -n 8"
    )
    say(vars(outcome), as_json, text)


@learning_app.command()
def evaluate(
    instrument: InstrumentName,
    dataset: Annotated[Path, typer.Argument(help="The dataset it was trained on.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the report.")] = Path("evaluation"),
    seed: Annotated[int, typer.Option(min=0, help="Seed of the sounds that are judged.")] = 0,
    embedding: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Also by a CLAP model (a hub id or a folder) or PANNs (their .pth file)."),
    ] = None,
    queries: Annotated[
        Path | None, typer.Option(help="What people type, with the class they mean: a csv with columns text and class.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "cpu",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say how good an instrument is: figures, verdicts, and a page with sounds."""
    from bowerbird.data.dataset import Dataset
    from bowerbird.evaluation.measure import evaluate as listen
    from bowerbird.evaluation.page import write_report
    from bowerbird.evaluation.queries import read_queries
    from bowerbird.instrument import load

    player = load(instrument, device)
    typed = read_queries(queries) if queries else None
    found = listen(player, Dataset(dataset), seed, embedding, typed, quiet=quiet)
    result, text = write_report(output, f"{instrument} beside {dataset}", found, player)
    say(result, as_json, text)


@learning_app.command()
def textmap(
    dataset: Annotated[Path, typer.Argument(help="A dataset with captions.")],
    queries: Annotated[Path, typer.Option(help="What people type: a line each, or a csv with columns text and class.")],
    instrument: Annotated[str | None, typer.Argument(help="A run's folder (both networks) or an instrument file.")] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the page and the picture.")] = Path("textmap"),
    as_json: Json = False,
) -> None:
    """Map captions and what people type: a page and a picture, as encoded and as the networks see them."""
    from bowerbird.data.dataset import Dataset
    from bowerbird.evaluation.queries import read_queries
    from bowerbird.evaluation.textmap import in_words
    from bowerbird.evaluation.textmap import textmap as draw

    figures = draw(Dataset(dataset), read_queries(queries), output, instrument)
    lines = [f"{space}: {in_words(found)}" for space, found in figures.items()]
    say(
        {"spaces": figures, "page": output / "textmap.html"},
        as_json,
        "\n".join([*lines, f"look: {output / 'textmap.html'}"]),
    )
