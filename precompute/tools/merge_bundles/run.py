"""Runs the steps of a merge in order: check the bundles, copy, rank, match, write."""

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

from db import merge, queries, rewrite
from db.atomic_directory import check_free
from db.connection import Bundle, open_bundle
from db.merge import MergeRefused
from db.rewrite import inherited_facts, open_copy
from precompute.runtime import progress, work_files
from precompute.runtime.run_row import package_versions, run_row
from precompute.tools.merge_bundles import matches, ranks
from precompute.tools.merge_bundles.options import MergeTask

STAGE = "merge"
"""Name of the stage in the table `run`."""

OPTIONS = ("picks", "replicates", "rotations", "seed")
"""Options of a run that models must share to be compared."""

_PACKAGES = ("torch", "numpy", "scipy")


def run(task: MergeTask) -> Path:
    """Writes the bundle and returns its path.

    Raises:
        MergeRefused: the bundles do not fit together.
        StoreError: a bundle cannot be read, or the new one exists or cannot be written.
    """
    check_free(task.out, replace=task.replace)
    started, clock = datetime.now(UTC), time.perf_counter()
    bundles = [open_bundle(path) for path in task.bundles]
    for first, second in combinations(bundles, 2):
        check_options(first, second)
        merge.check_addable(first, second)
    names = sorted(bundle.manifest["input_id"] for bundle in bundles)
    with open_copy(
        bundles[0], task.out, input_id=work_files.key_of(STAGE, names), replace=task.replace
    ) as writer:
        known = bundles[0].model_keys
        for bundle in bundles[1:]:
            added = merge.new_models(known, bundle)
            merge.add_models(writer, bundle, added)
            known = [*known, *added]
        if other_size := _of_other_size(bundles):
            merge.remove_metric(writer, merge.OF_SMALLEST, other_size)
            progress.say(_left_out(other_size))
        merge.write_ranks(writer, ranks.rank_rows(merge.ranked_values(writer)))
        writer.write("head_match", matches.match_rows(bundles, seed=int(_options(bundles[0]).get("seed", 0))))
        row = run_row(
            "", STAGE, {"merged": names}, package_versions(_PACKAGES), started, time.perf_counter() - clock
        )
        rewrite.remove(writer, "run", row[["model_key", "stage"]])  # of an earlier merge
        writer.write("run", row)
        writer.finish(inherited_facts(bundles[0]) | {"merged_from": names})
    progress.say(f"done: {task.out}\nopen it with: headlight view {task.out}")
    return task.out


def check_options(first: Bundle, second: Bundle) -> None:
    """Compares the options by which models were described. Raises MergeRefused."""
    a, b = _options(first), _options(second)
    changed = [
        f"--{name} {a[name]} and {b[name]}"
        for name in OPTIONS
        if name in a and name in b and a[name] != b[name]
    ]
    if changed:
        raise MergeRefused(
            f"{first.path} and {second.path} were made with different options: {', '.join(changed)}. "
            "Their numbers cannot be compared. Build one of them again."
        )


def _options(bundle: Bundle) -> dict:
    """Returns the options of the run that made a bundle; none for an imported one."""
    rows = [json.loads(text) for text in queries.runs(bundle)["options"]]
    return next((options for options in rows if "rotations" in options), {})


def _of_other_size(bundles: Sequence[Bundle]) -> list[str]:
    """Returns the models whose smallest neighbor on the leaderboard is another one now."""
    smallest: dict[str, int] = {}
    for bundle in bundles:
        count = min(len(queries.head_places(bundle, model_key=key)) for key in bundle.model_keys)
        for key in bundle.model_keys:
            smallest.setdefault(key, count)
    return sorted(key for key, count in smallest.items() if count != min(smallest.values()))


def _left_out(model_keys: Sequence[str]) -> str:
    return (
        f"left out: shared labels at the size of the smallest model, for {', '.join(model_keys)}. Another "
        "model is the smallest now, and what this metric needs is in work files alone: for it, give all "
        "models to one headlight run."
    )
