"""Runs every benchmark in sequence, each in its own process: `python -m bench`, or `make bench`.

Results are compared with stated targets, measured in one run on this machine; no test depends on them.
"""

import subprocess
import sys

BENCHMARKS = ("textspan", "labels", "replicates", "neighbors", "decomposition", "whole", "pages")


def main() -> int:
    """Runs all benchmarks; the exit code is 0 if every target is met."""
    missed = []
    for name in BENCHMARKS:
        print(f"\n== {name} (python -m bench.{name} --help for its options)", flush=True)
        if subprocess.run([sys.executable, "-m", f"bench.{name}"]).returncode:
            missed.append(name)
    print(f"\n{'all targets met' if not missed else 'targets missed: ' + ', '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
