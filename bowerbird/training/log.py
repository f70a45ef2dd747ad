"""Metrics as JSON lines and for TensorBoard, one line of `group/name` values per interval."""

import json
import math
import warnings
from pathlib import Path

from bowerbird.instrument_file import write_whole

__all__ = ["MetricsLog"]


class MetricsLog:
    """Appends to metrics.jsonl and tensorboard/ in a run's folder.

    What an interrupted sitting wrote beyond the checkpoint it resumes from is dropped.
    """

    def __init__(self, folder: Path, seen: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # TensorBoard's own imports are none of the user's business
            from torch.utils.tensorboard import SummaryWriter
        self.path = folder / "metrics.jsonl"
        self.drop_after(seen)
        self.board = SummaryWriter(str(folder / "tensorboard"), purge_step=seen + 1 if seen else None)

    def drop_after(self, seen: int) -> None:
        """Forgets the lines beyond `seen` examples, and half a line that a kill left."""
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        kept = [line for line in lines if _seen(line) <= seen]
        if kept != lines:
            write_whole(self.path, "".join(f"{line}\n" for line in kept).encode())

    def last(self, seen: float = math.inf) -> dict[str, float]:
        """The losses and scores of the last line up to `seen` examples."""
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        lines = [line for line in lines if "loss/" in line and _seen(line) <= seen]
        values: dict[str, float] = json.loads(lines[-1]) if lines else {}
        return {name: value for name, value in values.items() if name.split("/")[0] in ("loss", "score")}

    def write(self, seen: int, values: dict[str, float]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"seen": seen, **{name: round(value, 6) for name, value in values.items()}}) + "\n")
        for name, value in values.items():
            self.board.add_scalar(name, value, seen)

    def close(self) -> None:
        self.board.close()


def _seen(line: str) -> float:
    """The examples seen at a line; a half-written last line counts as beyond everything."""
    try:
        return float(json.loads(line)["seen"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
