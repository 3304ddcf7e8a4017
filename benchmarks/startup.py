"""Start-up of `forensics --help` against a bare interpreter.

    python -m benchmarks.startup [--repeats 15]

Fresh processes, interleaved; medians of wall time and the median of the ratios pair by pair.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "forensics --help": [sys.executable, "-m", "forensics", "--help"],
    "forensics scan --help": [sys.executable, "-m", "forensics", "scan", "--help"],
    "import forensics": [sys.executable, "-c", "import forensics"],
}


def seconds(command: list[str]) -> float:
    """Return the wall time of one process."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args().repeats
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(repeats + 1):
        for name, command in COMMANDS.items():
            times[name].append(seconds(command))
    bare = times["python -c pass"][1:]  # the first round warms the disk cache
    print(f"{'command':26s}{'median':>10s}{'ratio':>8s}")
    for name, values in times.items():
        ratio = statistics.median(a / b for a, b in zip(values[1:], bare, strict=True))
        print(f"{name:26s}{1000 * statistics.median(values[1:]):7.0f} ms{ratio:8.1f}")


if __name__ == "__main__":
    main()
