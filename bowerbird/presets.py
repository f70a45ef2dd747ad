"""Presets: named functions from a dataset to the two configurations."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import torch

from bowerbird.conditions import CONDITIONS
from bowerbird.conditions.interface import Condition
from bowerbird.conditions.joint import Joint
from bowerbird.conditions.pitch import Pitch
from bowerbird.conditions.text import Text
from bowerbird.config import PARTS, ModelConfig, TrainConfig, changed
from bowerbird.data.dataset import Dataset
from bowerbird.errors import UsageError, known
from bowerbird.instrument import generator_of
from bowerbird.midi import PITCH, midi_number
from bowerbird.networks import NETWORKS
from bowerbird.networks.progressive import ProgressiveOptions
from bowerbird.networks.residual import ResidualOptions
from bowerbird.networks.wavegan import WaveganOptions
from bowerbird.objectives import OBJECTIVES, PENALTIES
from bowerbird.representations import MEASURED, REPRESENTATIONS
from bowerbird.representations.log_magnitude import LogMagnitude
from bowerbird.representations.mel_frequency import MelFrequency
from bowerbird.representations.waveform import Waveform
from bowerbird.seeds import numpy_random
from bowerbird.tracker import hear_pitch

__all__ = ["PRESETS", "Choice", "configure"]

FEW, MOST_VARIANTS = 400, 4  # of 100 sounds alone training drifts away, with copies it goes on (docs/log.md)
# Copies of each sound of known pitch, and how far they go, in semitones: without them those between are not learnt.
TRANSPOSED, LEAST_TRANSPOSED, MOST_TRANSPOSED = 2, 0.5, 3.0
MODE_SEEKING = 1.0
STEADY_CENTS, STEADY_SHARE, LISTENED = 4.0, 0.5, 100


class Choice(NamedTuple):
    """The two configurations, and in words why what was chosen was chosen."""

    model: ModelConfig
    train: TrainConfig
    why: tuple[str, ...]


def standard(dataset: Dataset) -> Choice:
    """A few hundred to a few thousand sounds, half an hour or more on two cores."""
    pitched, why = _pitched(dataset)
    representation = _measured(dataset, LogMagnitude, pitched=pitched)
    shape = representation.shape
    window_ms, hop_ms = (1000 * n / dataset.sample_rate_hz for n in (representation.n_fft, representation.hop))
    words = f"{why}: {shape.rows} bands of log magnitude, {shape.frames} windows of {window_ms:.0f} ms {hop_ms:.1f} ms apart"
    return Choice(
        ModelConfig(representation, ResidualOptions(), *_conditions(dataset)), _trained(dataset, pitched), (words,)
    )


def _trained(dataset: Dataset, pitched: bool) -> TrainConfig:
    """An hour; few sounds are learnt with altered copies, and sounds of known pitch with copies of the pitches between.

    A text nearly names its sound, so that sounds of one text would be alike: they are told to differ (docs/log.md).
    """
    apart = MODE_SEEKING if "text" in dataset.kinds.values() else 0.0
    variants = min(MOST_VARIANTS, FEW // max(len(dataset.part("train")), 1))
    if PITCH in dataset.conditions:
        pitches = sorted({midi_number(one[PITCH]) for one in dataset.labels(dataset.part("train")) if one[PITCH]})
        widest = max((high - low for low, high in pairwise(pitches)), default=0.0)
        half = min(max(widest / 2, LEAST_TRANSPOSED), MOST_TRANSPOSED)
        return TrainConfig(
            minutes=60.0, variants=max(variants, TRANSPOSED), vary_semitones=half, vary_stretch=0.0, vary_gain_db=0.0,
            vary_equaliser_db=0.0, mode_seeking_weight=apart,
        )  # fmt: skip
    semitones = 0.0 if pitched else TrainConfig.vary_semitones
    return TrainConfig(minutes=60.0, variants=variants, vary_semitones=semitones, mode_seeking_weight=apart)


def quick(dataset: Dataset) -> Choice:
    """A smaller network that can be heard after a few minutes."""
    choice = standard(dataset)
    model = replace(choice.model, network=ResidualOptions(width=32, widest=128))
    return choice._replace(model=model, train=replace(choice.train, minutes=5.0, preview_minutes=1.0, checks=6))


def gansynth(dataset: Dataset) -> Choice:
    """A baseline after Engel et al. 2019: mel instantaneous frequency, a growing network, WGAN-GP."""
    pitched, why = _pitched(dataset)
    network = ProgressiveOptions(width=8, widest=64)  # four times as wide, two cores take 5 s for each sound
    model = ModelConfig(_measured(dataset, MelFrequency, pitched=pitched), network, *_conditions(dataset))
    train = _plain(learning_rate=8e-4, batch_size=8, ema_examples=1000.0)
    return Choice(model, train, (why,))


def wavegan(dataset: Dataset) -> Choice:
    """A baseline after Donahue et al. 2019: samples, one-dimensional convolutions, WGAN-GP."""
    model = ModelConfig(_measured(dataset, Waveform, pitched=False), WaveganOptions(), *_conditions(dataset))
    return Choice(model, _plain(learning_rate=1e-4, augment=1.0, augment_rise=0.0), ())


def _plain(**settings: Any) -> TrainConfig:
    """Training as before the devices against small sets and ignored latents."""
    unaided = TrainConfig(
        minutes=60.0, objective="wasserstein", penalty="interpolated", penalty_weight=10.0, penalty_every=1,
        checks=0, augment=0.0, mismatch_weight=0.0, anchor_weight=0.0, feature_weight=0.0, anchor_dimensions=0, balance=0.0,
        decay_fraction=0.0,
    )  # fmt: skip
    return replace(unaided, **settings)


PRESETS: dict[str, Callable[[Dataset], Choice]] = {
    "standard": standard,
    "quick": quick,
    "gansynth": gansynth,
    "wavegan": wavegan,
}


def _pitched(dataset: Dataset) -> tuple[bool, str]:
    """Whether the sounds are steady tones, and how that was found."""
    if PITCH in dataset.conditions:
        return True, "the sounds are labelled by pitch"
    chosen = numpy_random(0, "pitched").permutation(dataset.part("train"))[:LISTENED].tolist()
    wobbles = [hear_pitch(dataset.padded([index]), dataset.sample_rate_hz).wobble_cents[0] for index in chosen]
    share = sum(wobble < STEADY_CENTS for wobble in wobbles) / max(len(wobbles), 1)
    kind = "steady tones" if share >= STEADY_SHARE else "not steady tones"
    return share >= STEADY_SHARE, f"{kind} ({share:.0%} hold a pitch)"


def _measured(dataset: Dataset, kind: type[Any], *, pitched: bool) -> Any:
    """A representation suited to the dataset, with its levels measured."""
    return _fitted(dataset, _suited(dataset, kind, pitched=pitched))


def _suited(dataset: Dataset, kind: type[Any], *, pitched: bool) -> Any:
    return kind.suited(dataset.sample_rate_hz, dataset.channels, dataset.samples, pitched=pitched)


def _fitted(dataset: Dataset, representation: Any) -> Any:
    return representation.fit(torch.from_numpy(batch) for batch in dataset.batches(dataset.part("train")))


def _conditions(dataset: Dataset) -> tuple[tuple[Condition, ...], Joint]:
    labels = dataset.labels(dataset.part("train"))
    conditions = []
    for name, kind in dataset.kinds.items():
        said = [one[name] for one in labels]
        by = dataset.encoder, dataset.encoder_fingerprint
        conditions.append(Text.fit(name, said, *by) if kind == "text" else CONDITIONS[kind].fit(name, said))
    return tuple(conditions), Joint.fit(labels, dataset.conditions)


def configure(dataset: Dataset, preset: str, file: Path | None, settings: Sequence[str]) -> Choice:
    """Preset, then the JSON `file`, then `settings` ("key=value"); UsageError for what is unknown or out of range."""
    check_settings(preset, file, settings)
    choice = PRESETS[preset](dataset)
    model, train = _with_settings(
        choice.model,
        choice.train,
        _pairs(file, settings),
        lambda kind: _suited(dataset, kind, pitched=_pitched(dataset)[0]),
    )
    drawn = [key for key, _ in _pairs(file, settings) if key.partition(".")[0] == "representation"]
    if drawn:  # levels depend on window and bands
        model = replace(model, representation=_fitted(dataset, model.representation))
    if model.steering.shared and model.steering.generators == 1:
        raise UsageError("steering.shared=true is of several generators; add --set steering.generators=4")
    if train.variants:
        reached = (replace(c, reach=train.vary_semitones) if isinstance(c, Pitch) else c for c in model.conditions)
        model = replace(model, conditions=tuple(reached))
    with torch.device("meta"):  # UsageError where the network cannot draw such pictures
        generator_of(model)
    why = () if drawn else choice.why
    if train.variants:
        kind = "transposed" if PITCH in dataset.conditions else "altered"
        why += (f"{train.variants} {kind} copies of each of the {len(dataset.part('train'))} sounds are learnt as well",)
    if train.mode_seeking_weight and "text" in dataset.kinds.values():
        why += ("sounds of one text are told to differ (mode_seeking_weight)",)
    return Choice(model, train, why)


def check_settings(preset: str, file: Path | None, settings: Sequence[str]) -> None:
    """UsageError for most of what `configure` would refuse, before there is a dataset to measure a representation on."""
    if preset not in PRESETS:
        raise UsageError(f'there is no preset "{preset}"; {known(PRESETS)}')
    pairs = _pairs(file, settings)
    fresh = preset in ("standard", "quick") and not any(key in PARTS for key, _ in pairs)
    early = [(key, value) for key, value in pairs if key in PARTS or fresh or "." not in key]
    early = [(key, value) for key, value in early if not key.startswith("representation.")]
    stand_in = ModelConfig(LogMagnitude.suited(44100, 1, 44100), ResidualOptions())
    _with_settings(stand_in, TrainConfig(), early, lambda kind: kind.suited(44100, 1, 44100))


def _pairs(file: Path | None, settings: Sequence[str]) -> list[tuple[str, Any]]:
    """Whole parts first, so that what is set of them is not lost."""
    pairs = [*(_read(file).items() if file else ()), *(_pair(text) for text in settings)]
    return sorted(pairs, key=lambda pair: pair[0] not in PARTS)


def _with_settings(
    model: ModelConfig, train: TrainConfig, pairs: Sequence[tuple[str, Any]], represent: Callable[[Any], Any]
) -> tuple[ModelConfig, TrainConfig]:
    for key, value in pairs:
        if key == "network":
            model = replace(model, network=_member("network", NETWORKS, value).options())
        elif key == "representation":
            model = replace(model, representation=represent(_member(key, REPRESENTATIONS, value)))
        elif key.partition(".")[0] in PARTS:
            model = changed(model, key, value)
        else:
            train = changed(train, key, value)
            if key == "minutes" and value is not None:
                train = replace(train, examples=None)
            if key == "examples" and value is not None:
                train = replace(train, minutes=None)
    if model.steering.augmented and not model.steering.reduction:
        raise UsageError("steering.augmented draws around a reduced condition; set steering.reduction too, such as 128")
    _member("objective", OBJECTIVES, train.objective)
    _member("penalty", PENALTIES, train.penalty)
    return model, train


def _member(what: str, table: dict[str, Any], name: Any) -> Any:
    if name not in table:
        raise UsageError(f'there is no {what} "{name}"; {known(table)}')
    return table[name]


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f'--set takes key=value, not "{text}"; for example --set batch_size=32')
    return key.strip(), value.strip()


def _read(file: Path) -> dict[str, Any]:
    """Settings by dotted name; what `--dry-run` prints is read too, without what is measured on the data."""
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"there is no configuration file {file}") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} is not a JSON file of settings: {error}") from None
    if not isinstance(values, dict):
        raise UsageError(f"{file} must hold a JSON object of settings")
    printed = bool(values) and values.keys() <= {"model", "train"} and all(isinstance(v, dict) for v in values.values())
    flat = _flat({**values.get("train", {}), **values.get("model", {})} if printed else values)
    measured = {"conditions", "joint.rows", "joint.counts", *(f"representation.{name}" for name in MEASURED)}
    named = {f"{part}.kind": part for part in PARTS}
    return {named.get(key, key): value for key, value in flat.items() if not (printed and key in measured)}


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat.update(_flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value})
    return flat
