"""Hallucinations: a score's sounds one over the other into a file of any length, in constant memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from bowerbird.errors import BowerbirdError, UsageError, way_out
from bowerbird.latent.score import Change, Envelope, Score
from bowerbird.latent.space import Space, Spot
from bowerbird.progress import progress

__all__ = ["SUBTYPES", "render", "settled", "spots"]

SUBTYPES = {16: "PCM_16", 24: "PCM_24", 32: "FLOAT"}  # by bits
LOUDEST = 0.98  # true peak, of full scale
OVERSAMPLED = 4  # for true peaks (ITU-R BS.1770-4, annex 2)
BLOCK = 65536  # samples
LEVEL_S, MOST_GAIN_DB, SILENT_DB = 0.05, 12.0, -60.0
AS_IT_IS = Change()

Sound = NDArray[np.floating]  # (C, T)


def settled(space: Space, score: Score) -> Score:
    """The same score without names that people gave; UsageError says which point or change asks for what is not there."""
    if score.instrument and score.instrument != space.instrument.fingerprint:
        raise UsageError(
            f"the score is of the instrument {score.instrument} and this one is {space.instrument.fingerprint}; take that "
            'one, or empty the score\'s "instrument" to play it on another'
        )
    lasts_s = space.instrument.model.representation.samples / space.instrument.sample_rate
    if score.envelope.trim_s >= lasts_s:
        raise UsageError(f"trim_s of {score.envelope.trim_s:g} leaves nothing of sounds of {lasts_s:g} s; take less")
    points, changes = [], {}
    for number, point in enumerate(score.points):
        with _named(f"points[{number}]"):
            points.append(space.settled(point))
            here = space.at(points[-1])
    for place, change in score.changes.items():
        with _named(f"changes.{place}"):
            changes[place] = replace(change, moves=space.expanded(change.moves))
            space.changed(here, change.labels, change.moves)
    moved = any(point.moves for point in points) or any(change.moves for change in changes.values())
    found = {stage: basis.fingerprint for stage, basis in space.instrument.directions.items()} if moved else {}
    if anew := [stage for stage, one in score.directions.items() if found.get(stage, one) != one]:
        raise UsageError(
            f"the score goes along directions of {anew[0]} that were found anew since, so it would play otherwise; take the "
            'instrument as it was, or empty the score\'s "directions"'
        )
    return replace(score, points=points, changes=changes, directions=found)


@contextmanager
def _named(where: str) -> Iterator[None]:
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{where} of the score: {error}") from None


def spots(space: Space, score: Score, keys: list[Spot]) -> Iterator[Spot]:
    """Every place of a score in order."""
    for number in range(score.count):
        spot = space.between(keys, number / max(score.count - 1, 1), score.path, mapped=score.mapped)
        change = score.changes.get(str(number), AS_IT_IS)
        yield space.changed(spot, change.labels, change.moves)


def shaped(sound: Sound, envelope: Envelope, rate_hz: int) -> Sound:
    """(C, T) -> (C, T'), cut and with its level led from 0 over the attack, the decay and the sustain to 0."""
    sound = sound[:, round(envelope.trim_s * rate_hz) :]
    if envelope.length_s is not None:
        sound = sound[:, : round(envelope.length_s * rate_hz)]
    at = np.arange(sound.shape[1]) / rate_hz
    end = sound.shape[1] / rate_hz
    rise = np.minimum(at / envelope.attack_s, 1.0) if envelope.attack_s else np.ones_like(at)
    since = np.maximum(at - envelope.attack_s, 0.0)
    fall = np.minimum(since / envelope.decay_s, 1.0) if envelope.decay_s else (since > 0).astype(float)
    level = rise * (1 - (1 - envelope.sustain) * fall)
    if envelope.release_s:
        level *= np.clip((end - at) / envelope.release_s, 0.0, 1.0)
    return sound * level


def level_db(sound: Sound, rate_hz: int) -> float:
    """Of its loudest twentieth of a second."""
    size = max(1, round(LEVEL_S * rate_hz))
    power = np.square(np.pad(sound, ((0, 0), (0, -sound.shape[1] % size)))).mean(0).reshape(-1, size).mean(1)
    return float(10 * np.log10(power.max(initial=0.0) + 1e-12))


def render(space: Space, score: Score, path: Path, bits: int = 24, *, quiet: bool = False) -> dict[str, Any]:
    """Writes the score's sounds into the WAV file `path` and returns what was written; Ctrl-C ends it early.

    Rendered to a file of floats first, so that what is written last knows the true peak of all and nothing clips.
    """
    score, rate_hz = settled(space, score), space.instrument.sample_rate
    keys = [space.at(point) for point in score.points]
    raw = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with soundfile.SoundFile(
            raw, "w", rate_hz, space.instrument.model.representation.channels, "FLOAT", format="RF64"
        ) as file:
            count = 0
            with progress("sounds", score.count, quiet=quiet) as advance:
                for count, block in _overlapped(space, score, keys):
                    file.write(block.T)
                    advance(count, f"{file.frames / rate_hz:.0f} s")
        peak = _true_peak(raw)
        gain = min(1.0, LOUDEST / max(peak, 1e-9))
        samples = _copied(raw, path, SUBTYPES[bits], gain)
    except (OSError, soundfile.SoundFileError) as error:
        raise BowerbirdError(f"cannot write {path}: {error}; {way_out(error)}") from None
    finally:
        raw.unlink(missing_ok=True)
    return {
        "file": str(path),
        "sounds": count,
        "of": score.count,
        "seconds": round(samples / rate_hz, 3),
        "true_peak_db": round(float(20 * np.log10(max(peak * gain, 1e-9))), 2),
        "gain_db": round(float(20 * np.log10(gain)), 2),
    }


def _overlapped(space: Space, score: Score, keys: list[Spot]) -> Iterator[tuple[int, Sound]]:
    """After each sound how many there are and what is done of their sum, then the rest; on Ctrl-C what there is."""
    rate_hz, stride = space.instrument.sample_rate, score.steps + 1
    levels: list[float] = []
    if score.even:  # of what is heard of them
        levels = [level_db(shaped(sound, score.envelope, rate_hz), rate_hz) for sound, _ in space.play(iter(keys))]
    waiting = np.zeros((space.instrument.model.representation.channels, 0))
    begun = sounds = 0
    try:
        for number, (sound, _) in enumerate(space.play(spots(space, score, keys))):
            length_s = score.changes.get(str(number), AS_IT_IS).length_s
            envelope = score.envelope if length_s is None else replace(score.envelope, length_s=length_s)
            heard = shaped(sound.astype(np.float64), envelope, rate_hz)
            if score.even:
                heard *= _gain(levels, number / stride, level_db(heard, rate_hz))
            room = max(waiting.shape[1], heard.shape[1])
            waiting = np.pad(waiting, ((0, 0), (0, room - waiting.shape[1])))
            waiting[:, : heard.shape[1]] += heard
            following = round((number + 1) * score.spacing_s * rate_hz)
            done, begun = following - begun, following
            block = np.pad(waiting[:, :done], ((0, 0), (0, max(0, done - room))))
            waiting = waiting[:, done:]
            sounds = number + 1
            if sounds < score.count:
                yield sounds, block
            else:
                waiting = np.concatenate([block, waiting], 1)
    except KeyboardInterrupt:
        pass
    last = np.flatnonzero(np.abs(waiting).max(0, initial=0.0) > 0)
    yield sounds, waiting[:, : last[-1] + 1 if len(last) else 0]


def _gain(levels_db: list[float], place: float, own_db: float) -> float:
    """What brings a sound to the level between those of the key points around it."""
    wanted_db = float(np.interp(place, np.arange(len(levels_db)), levels_db))
    if min(wanted_db, own_db) < SILENT_DB:
        return 1.0
    return float(10 ** (np.clip(wanted_db - own_db, -MOST_GAIN_DB, MOST_GAIN_DB) / 20))


def _true_peak(raw: Path) -> float:
    with soundfile.SoundFile(raw) as file:
        if not file.frames:
            return 0.0
        finer = soxr.ResampleStream(file.samplerate, OVERSAMPLED * file.samplerate, file.channels, "float32")
        peak = 0.0
        for block in file.blocks(BLOCK, dtype="float32", always_2d=True):
            peak = max(peak, float(np.abs(block).max()), float(np.abs(finer.resample_chunk(block)).max(initial=0.0)))
        rest = finer.resample_chunk(np.zeros((0, file.channels), np.float32), last=True)
        return max(peak, float(np.abs(rest).max(initial=0.0)))


def _copied(raw: Path, path: Path, subtype: str, gain: float) -> int:
    """Writes `path` whole or not at all; returns the samples."""
    partial = path.with_name(f".{path.name}.copy")
    try:
        with soundfile.SoundFile(raw) as file:
            kind = "RF64" if file.frames * file.channels * 4 > 2**31 else "WAV"
            with soundfile.SoundFile(partial, "w", file.samplerate, file.channels, subtype, format=kind) as copy:
                for block in file.blocks(BLOCK, dtype="float64", always_2d=True):
                    copy.write(block * gain)
            frames = file.frames
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return int(frames)
