"""`prepare`: any folder of sounds -> a dataset, in parallel, one bad file among a thousand reported and skipped."""

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import bowerbird
from bowerbird.audio import UnreadableSound
from bowerbird.conditions import CONDITIONS
from bowerbird.data.captions import caption
from bowerbird.data.clean import CleanOptions, Piece, clean
from bowerbird.data.dataset import CAPTIONS, FORMAT, Dataset, manifest_fingerprint, shard_name
from bowerbird.data.duplicates import near_duplicates
from bowerbird.data.options import PrepareOptions, choose
from bowerbird.data.report import describe, report
from bowerbird.data.scan import Source, add_captions, scan
from bowerbird.data.split import set_apart
from bowerbird.encoders import encoder, located
from bowerbird.errors import BowerbirdError, UsageError, way_out
from bowerbird.interrupts import in_threads
from bowerbird.progress import progress

__all__ = ["prepare"]

FILES = {"dataset.json", "manifest.jsonl", "report.json", "report.txt", "captions.csv", CAPTIONS}
SHARD_SAMPLES = 2**26  # 256 MB


def prepare(folder: Path, target: Path, options: PrepareOptions, *, quiet: bool = False) -> Dataset:
    """Makes the dataset `target` from the sounds in `folder` and returns it.

    Nothing is left behind when it fails; an earlier dataset at `target` is replaced only when all went well.
    """
    found = scan(
        folder,
        options.labels,
        table=options.table,
        pattern=options.pattern,
        columns=options.columns,
        group=options.group,
    )
    if options.captions:
        found = add_captions(found, folder, options.captions)
    kinds = found.kinds | {name: name for name in options.measured}
    if "text" in kinds.values():
        options = replace(options, encoder=located(options.encoder))
        encoder(options.encoder)  # what is not installed is said at once
    elif options.encoder != "ngrams" or options.drop_words or options.keep_words:
        raise UsageError("--encoder, --drop-words and --keep-words are of texts; add --labels filename or --captions")
    target = target.resolve()
    if not _may_replace(target):
        raise UsageError(f"{target} exists and holds other things than a dataset; choose a new folder")
    partial, old = (target.with_name(f".{target.name}.{word}") for word in ("partial", "old"))
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        cleaning, why = choose(found.sources, options)
        _write(partial, found.sources, dict(found.skipped), kinds, cleaning, why, options, quiet)
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)
            target.rename(old)
        partial.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        reason = error.strerror or error
        raise BowerbirdError(f"cannot write {target}: {reason}; {way_out(error)}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        if old.exists() and not target.exists():  # the swap stopped half way
            old.rename(target)
    return Dataset(target)


def _may_replace(target: Path) -> bool:
    """Whether there is nothing at `target`, an empty folder, or a dataset and nothing else: no one's files are lost."""
    if not target.exists():
        return True
    names = {child.name for child in target.iterdir()} if target.is_dir() else {"a file"}
    ours = {name for name in names if name in FILES or fnmatch(name, "shard-*.f32")}
    return not names or ("dataset.json" in names and names == ours)


def _cleaned(sources: list[Source], options: CleanOptions) -> Iterator[tuple[Source, list[Piece] | str]]:
    """Each source with its pieces or the reason why there are none, in order; decoding runs in all cores."""

    def work(source: Source) -> tuple[Source, list[Piece] | str]:
        try:
            return source, clean(source.path, options)
        except UnreadableSound as reason:
            return source, str(reason)
        except (OSError, MemoryError, ValueError) as error:
            return source, f"not readable ({error})"

    return in_threads(work, sources)


def _store(
    target: Path,
    sources: list[Source],
    skipped: dict[str, str],
    cleaning: CleanOptions,
    options: PrepareOptions,
    quiet: bool,
) -> tuple[list[dict[str, Any]], list[str], NDArray[np.floating], list[int]]:
    """Writes the samples; of each sound its entry, its group and the shape that tells near-duplicates; samples per shard.

    Files that cannot be used are added to `skipped`; BowerbirdError where none can.
    """
    entries: list[dict[str, Any]] = []
    groups: list[str] = []
    shapes: list[NDArray[np.floating]] = []
    shard_samples: list[int] = []
    with ExitStack() as shard, progress("preparing", len(sources), quiet=quiet) as advance:
        file = None
        for done, (source, result) in enumerate(_cleaned(sources, cleaning), 1):
            advance(done, source.name)
            if isinstance(result, str):
                skipped[source.name] = result
                continue
            for piece in result:
                if file is None or shard_samples[-1] + piece.sound.size > SHARD_SAMPLES:
                    shard.close()
                    file = shard.enter_context((target / shard_name(len(shard_samples))).open("wb"))
                    shard_samples.append(0)
                file.write(piece.sound.astype("<f4").tobytes())
                place = {"shard": len(shard_samples) - 1, "offset": shard_samples[-1]}
                shard_samples[-1] += piece.sound.size
                entries.append({**_entry(source, piece, cleaning.sample_rate_hz, options), **place})
                groups.append(source.group or source.name)
                shapes.append(piece.signature)
    if not entries:
        reasons = Counter(skipped.values()).most_common(3)
        counted = ", ".join(f"{reason} ({count})" for reason, count in reasons)
        raise BowerbirdError(f"none of the {len(sources)} files holds a usable sound: {counted}")
    return entries, groups, np.stack(shapes), shard_samples


def _write(
    target: Path,
    sources: list[Source],
    skipped: dict[str, str],
    kinds: dict[str, str],
    cleaning: CleanOptions,
    why: list[str],
    options: PrepareOptions,
    quiet: bool,
) -> None:
    entries, groups, shapes, shard_samples = _store(target, sources, skipped, cleaning, options, quiet)
    duplicates = near_duplicates(shapes, [entry["digest"] for entry in entries])
    for number, group in enumerate(duplicates):
        for index in group:
            entries[index]["duplicates"] = number
    texts = [name for name, kind in kinds.items() if kind == "text"]
    marks: list[str] = []
    if texts:
        listed = options.drop_words or "", options.keep_words or ""
        marks = caption(target, texts, entries, shapes, options.encoder, *listed)
    for name in kinds:
        if not any(entry["labels"][name] for entry in entries):
            raise BowerbirdError(f"none of the sounds that can be used has a {name}; leave that label out")
    keep = [name for name, kind in kinds.items() if kind in ("category", "pitch")]
    set_apart(entries, groups, duplicates, options.validation, keep)
    facts = {
        "format": FORMAT,
        "made_by": f"bowerbird {bowerbird.__version__}",
        "sample_rate_hz": cleaning.sample_rate_hz,
        "channels": cleaning.channels,
        "samples": max(entry["samples"] for entry in entries),
        "sounds": len(entries),
        "seconds": round(sum(entry["samples"] for entry in entries) / cleaning.sample_rate_hz, 2),
        "conditions": kinds,
        "licences": dict(Counter(entry["licence"] for entry in entries if entry["licence"])),
        "prepared_with": {**asdict(cleaning), "labels": options.labels},
        "encoder": {"name": options.encoder, "fingerprint": encoder(options.encoder).fingerprint} if texts else None,
        "shard_samples": shard_samples,
        "fingerprint": manifest_fingerprint(entries),
    }
    lines = [json.dumps(entry, sort_keys=True, ensure_ascii=True) + "\n" for entry in entries]
    (target / "manifest.jsonl").write_text("".join(lines), encoding="utf-8")
    (target / "dataset.json").write_text(json.dumps(facts, indent=2), encoding="utf-8")
    found = report(facts, entries, skipped, why, duplicates, options.validation, marks)
    (target / "report.json").write_text(json.dumps(found, indent=2), encoding="utf-8")
    (target / "report.txt").write_text(describe(found), encoding="utf-8")


def _entry(source: Source, piece: Piece, rate_hz: int, options: PrepareOptions) -> dict[str, Any]:
    measured = {name: CONDITIONS[name].measure(piece.sound, rate_hz) for name in options.measured}
    return {
        "file": source.name,
        "start_s": piece.start_s,
        "samples": piece.sound.shape[1],
        "labels": source.labels | measured,
        "licence": source.licence or options.licence,
        "peak_db": piece.peak_db,
        "rms_db": piece.rms_db,
        "clipped": piece.clipped,
        "digest": piece.digest,
        "notes": piece.notes,
        "duplicates": None,
        "part": "train",
    }
