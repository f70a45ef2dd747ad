"""What the benches share: a result file with the machine it was measured on, a subprocess per variant."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def variant(bench: str, *words: object, pin: str | None = None, timeout_s: int = 3600) -> dict[str, Any]:
    """Runs `python -m bench.NAME WORDS` in a fresh interpreter, on the cores `pin`; returns the JSON of its last line."""
    command = [sys.executable, "-m", f"bench.{bench}", *map(str, words)]
    if pin is not None:
        command = ["taskset", "-c", pin, *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def publish(name: str, result: dict[str, Any]) -> None:
    """Prints a result and keeps it in bench/results/NAME.json."""
    from bowerbird.machine import describe_machine

    result = {"date": time.strftime("%Y-%m-%d"), "machine": describe_machine(), **result}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
