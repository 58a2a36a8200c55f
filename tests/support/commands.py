"""Command lines of a run."""

from tests.conftest import CONTROL


def command(scene_folder, pool_file, bundle, *words: str) -> list[str]:
    paths = ["--images", str(scene_folder), "--texts", str(pool_file), "--bundle", str(bundle)]
    known = ["--metadata", str(scene_folder / "attributes.csv"), "--no-controls", "--model", CONTROL]
    few = ["--layers", "2", "--picks", "6", "--rotations", "19", "--replicates", "2", "--gallery-images", "8"]
    return [*words, *paths, *known, *few, "--workers", "0", "--shard-size", "8", "--batch-size", "1"]
