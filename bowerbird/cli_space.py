"""The commands of the space inside an instrument: directions, keep, find, map."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    say,
)
from bowerbird.errors import UsageError, known

if TYPE_CHECKING:  # help is shown without torch
    import numpy as np
    from numpy.typing import NDArray

    from bowerbird.latent.space import Space

__all__ = ["space_app"]

NEAREST = 3  # sounds that are named

space_app = typer.Typer()


@space_app.command()
def directions(
    instrument: InstrumentName,
    layer: Annotated[str | None, typer.Option(help="Default: the first. --layers lists them.")] = None,
    layers: Annotated[bool, typer.Option("--layers", help="List the layers and stop.")] = False,
    samples: Annotated[int, typer.Option(min=2, help="How many sounds' worth of the layer are looked at.")] = 8192,
    estimator: Annotated[str, typer.Option(help="randomised, full, incremental (any number), factorised (weights).")] = (
        "randomised"
    ),
    components: Annotated[int, typer.Option(min=1, help="How many directions are kept.")] = 64,
    over: Annotated[str, typer.Option(help="What varies: latent (labels stay), labels or both.")] = "latent",
    describe: Annotated[bool, typer.Option(help="Make sliders and say what each direction does.")] = True,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    again: Annotated[bool, typer.Option("--again", help="Find them anew where there are some of that layer.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find directions in the space, and sliders for what is heard; they are written into the instrument."""
    from bowerbird.instrument import INSTRUMENT_NAME, load
    from bowerbird.latent.basis import describe_basis
    from bowerbird.latent.directions import find_directions
    from bowerbird.latent.sliders import add_sliders, describe_directions
    from bowerbird.latent.space import Space
    from bowerbird.latent.strip import write_directions

    player = load(instrument)
    space = Space(player)
    if layers:
        say({"layers": player.generator.stages}, as_json, "\n".join(player.generator.stages))
        return
    stage = layer or player.generator.stages[0]
    if stage in player.directions and not again:
        raise UsageError(
            f"{instrument} has directions of {stage}; --again finds them anew, and then scores, places and "
            "directions of yours that go along the old ones no longer mean the same"
        )
    chosen = {"samples": samples, "estimator": estimator, "components": components, "over": over, "seed": seed}
    basis = find_directions(space, stage, **chosen, quiet=quiet)  # type: ignore[arg-type]
    if describe:
        basis = describe_directions(space, add_sliders(space, basis, seed, quiet=quiet), seed, quiet=quiet)
    player.directions[stage] = basis
    path = Path(instrument) / INSTRUMENT_NAME if Path(instrument).is_dir() else Path(instrument)
    player.save(path)
    sheet = path.with_suffix(f".{stage}.png")
    write_directions(sheet, space, stage, seed)
    say({"layer": stage, **basis.facts, "sheet": str(sheet)}, as_json, f"{describe_basis(basis)}\nlook: {sheet}")


@space_app.command()
def keep(
    instrument: InstrumentName,
    name: Annotated[str | None, typer.Argument(help="What to call it. Without a name what is kept is listed.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of a place; without a seed the moves are a direction.")] = None,
    label: Label = None,
    pitch: Pitch = None,
    move: Move = None,
    truncation: Truncation = 1.0,
    forget: Annotated[bool, typer.Option("--forget", help="Take the name away.")] = False,
    as_json: Json = False,
) -> None:
    """Name a place (a favourite) or a direction of your own, in a small file beside the instrument."""
    from bowerbird.instrument import load
    from bowerbird.latent.places import places_beside
    from bowerbird.latent.score import Point
    from bowerbird.latent.space import Space

    player = load(instrument)
    places = places_beside(Path(instrument), player.fingerprint)
    space, moves = Space(player, places), moves_of(move)
    if name is not None:
        if forget and not (places.points.pop(name, None) or places.directions.pop(name, None)):
            raise UsageError(f'nothing is named "{name}" in {places.path}; {known([*places.points, *places.directions])}')
        if not forget:
            places.check_new(name)
        if not forget and seed is not None:
            point = Point(seed, space.instrument.choose(asked_of(player, None, label, pitch), seed=seed), moves, truncation)
            space.at(point)  # what is not there is said now
            places.points[name] = point
        elif not forget:
            if not moves:
                raise UsageError(f'"{name}" would be nothing; give --seed for a place or --move for a direction')
            space.spot(0, moves=moves)
            places.directions[name] = space.expanded(moves)
        places.save()
    lines = [
        ", ".join([f"@{one}: seed {point.seed}", *_pairs(point.labels), *_pairs(point.moves)])
        for one, point in places.points.items()
    ]
    lines += [f"{one}: {', '.join(_pairs(moves))}" for one, moves in places.directions.items()]
    result = {"file": str(places.path), "points": list(places.points), "directions": places.directions}
    say(result, as_json, "\n".join([*(lines or ["nothing is kept yet"]), f"in {places.path}"]))


def _pairs(values: dict[str, str] | dict[str, float]) -> list[str]:
    return [
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}" for name, value in values.items() if value
    ]


@space_app.command()
def find(
    instrument: InstrumentName,
    sound: Annotated[Path, typer.Argument(help="A sound of yours.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for what is found and its variations.")] = Path(
        "found"
    ),
    count: Annotated[int, typer.Option("-n", min=0, help="Variations of it.")] = 8,
    distance: Annotated[float, typer.Option(min=0, max=1, help="Of those: 0 the same, 1 nothing to do with it.")] = 0.5,
    label: Label = None,
    pitch: Pitch = None,
    name: Annotated[str | None, typer.Option("--keep", help="Keep the place under this name, for @NAME.")] = None,
    dataset: Annotated[Path | None, typer.Option(help="Also name the training sounds nearest to it.")] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find a sound of yours in the space, and make variations of it."""
    from bowerbird.instrument import load
    from bowerbird.latent.places import places_beside
    from bowerbird.latent.projection import fitted, pictured, project
    from bowerbird.latent.score import Point
    from bowerbird.latent.space import Space
    from bowerbird.making import around, fill

    player = load(instrument)
    places = places_beside(Path(instrument), player.fingerprint)
    if name:
        places.check_new(name)
    space = Space(player, places)
    wanted = fitted(space, sound)
    found = project(space, wanted, asked_of(player, None, label, pitch), seed, quiet=quiet)
    near = [] if dataset is None else _nearest_in(space, dataset, wanted)
    above = {sound.name: [pictured(space, wanted)]}
    files, sheet = fill(space, around(space, found.spot, distance, count, seed, sound.stem), output, above, quiet=quiet)
    if name:
        places.points[name] = Point(seed, dict(found.spot.labels), z=found.spot.z.tolist())
        places.save()
    closer = float((found.random > found.distance).mean())
    made = [(seed + int(number), float(found.random[number])) for number in found.random.argsort()[:NEAREST]]
    result = {
        "files": list(map(str, files)), "sheet": str(sheet), "labels": dict(found.spot.labels), "distance": found.distance,
        "closer_than_random": closer, "generated": made, "training": near,
    }  # fmt: skip
    lines = [
        f"found at {found.distance:.3f}, closer than {closer:.1%} of random places (the nearest {found.random.min():.3f})",
        *(f"generated sound at {apart:.3f}: --seed {one} of the same labels" for one, apart in made),
        *(f"training sound at {apart:.3f}: {file}" for file, apart in near),
        *(["kept as @" + name] if name else []),
        f"it and {count} variations: {output}, contact sheet {sheet}",
    ]
    say(result, as_json, "\n".join(lines))


def _nearest_in(space: "Space", folder: Path, wanted: "NDArray[np.float32]") -> list[tuple[str, float]]:
    from bowerbird.data.dataset import Dataset
    from bowerbird.latent.projection import nearest

    dataset = Dataset(folder)
    form = space.instrument.model.representation
    if (dataset.sample_rate_hz, dataset.channels, dataset.samples) != (form.sample_rate_hz, form.channels, form.samples):
        raise UsageError(
            f"{folder} holds sounds of another rate or length than the instrument's; give the one it learnt from"
        )
    rows = dataset.part("train")
    return [
        (dataset.entries[rows[at]]["file"], apart) for at, apart in nearest(space, wanted, dataset.batches(rows), NEAREST)
    ]


@space_app.command("map")
def draw(
    instrument: InstrumentName,
    output: Annotated[Path, typer.Option("-o", "--output", help="The page; a PNG goes beside it.")] = Path("map.html"),
    count: Annotated[int, typer.Option("-n", help="How many sounds.")] = 400,
    label: Label = None,
    pitch: Pitch = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "cpu",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw a map of the space: a page on which every point is heard."""
    from bowerbird.instrument import load
    from bowerbird.latent.atlas import draw_map
    from bowerbird.latent.space import Space

    player = load(instrument, device)
    path = output.with_suffix("")
    said = draw_map(Space(player), path, count, asked_of(player, None, label, pitch), seed, quiet=quiet)
    files = {"page": str(path.with_suffix(".html")), "picture": str(path.with_suffix(".png"))}
    say({**files, "points": said}, as_json, f"{count} sounds: {files['page']}\nas a picture: {files['picture']}")
