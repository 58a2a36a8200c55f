"""Command line for bundles: show, verify, diff, sign, zip, export."""

import argparse
import io
import sys
from pathlib import Path
from typing import Any

from db import signatures
from db.connection import Bundle, open_bundle, records
from db.errors import BundleDamaged, UserError, message_of, printable
from db.layout import SIGNATURE, sql_of
from db.manifest import read_manifest
from db.tolerances import TOLERANCE, VECTOR_TOLERANCE

MAX_DIFFERENCES_PRINTED = 50
"""Maximum number of printed differences; further ones are counted."""


def main(arguments: list[str] | None = None, prog: str = "python -m db.bundle") -> int:
    """Runs one command; returns 0 for success, 1 for problems or differences, 2 for an error."""
    options = _parser(prog).parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a path may not be UTF-8
    try:
        return options.command(options)
    except (UserError, OSError) as error:
        print(f"error: {message_of(error)}", file=sys.stderr)
        return 2


def show(options: argparse.Namespace) -> int:
    """Prints models, image set, text pool and size of a bundle."""
    bundle = open_bundle(options.bundle)
    facts = bundle.manifest
    (images,), (texts,) = (records(bundle, sql_of(name)) for name in ("image_set", "text_pool"))
    size = sum(entry["bytes"] for entry in facts["files"].values())
    _print(f"{options.bundle}: input_id {facts['input_id']}, made {facts['created_at']}, {size / 1e6:.1f} MB")
    counts = f"{images['images']} distinct in {images['files']} files, {images['failed']} failed"
    if images["flat"]:
        counts += f", {images['flat']} that use less than a tenth of their range"
    _print(f"images  {images['name']}: {counts}")
    _print(f"texts   {texts['name']}: {texts['texts']} ({texts['language']})")
    for model in records(bundle, sql_of("models")):
        control = f", a control of {model['control_of']}" if model["is_control"] else ""
        _print(
            f"model   {model['model_key']}: {model['model']}{control}, {_heads(bundle, model)}"
            f"{_precision(model)}"
        )
    if (bundle.path / SIGNATURE).is_file():
        _print("signed  see by whom: headlight bundle verify --signed-by KEYS (public keys, one a line)")
    if facts["max_sum_error"] is not None:
        _print(f'largest error of "contributions sum to the embedding": {facts["max_sum_error"]:.1e}')
    bundle.close()
    return 0


def verify(options: argparse.Namespace) -> int:
    """Prints damage and contradictions of a bundle, and who signed it if that is asked."""
    from db import verify as verification  # its libraries take longer to import than `show` takes

    found = verification.problems(options.bundle)
    for problem in found:
        _print(problem)
    _print(f"{options.bundle}: {'not sound. Copy or build it again.' if found else 'sound'}")
    if found or options.signed_by is None:
        return 1 if found else 0
    bundle = open_bundle(options.bundle)
    key = signatures.signer(bundle.path, options.signed_by)
    bundle.close()
    _print(f"signed by {key}" if key else f"not signed by any key of {options.signed_by}: do not trust it")
    return 0 if key else 1


def sign(options: argparse.Namespace) -> int:
    """Signs a bundle, after its files were compared with their checksums."""
    from db import verify as verification

    problems = verification.file_problems(options.bundle)
    if problems.damage:
        raise BundleDamaged(f"the bundle at {options.bundle} is damaged: {problems.damage[0]}. Not signed.")
    print(f"signed: {signatures.sign(options.bundle, options.key)}")
    return 0


def compare(options: argparse.Namespace) -> int:
    """Prints the differences of two bundles."""
    from db.diff import differences

    a, b = open_bundle(options.bundle), open_bundle(options.other)
    found = differences(a, b, options.tolerance, options.vector_tolerance)
    count = 0
    for count, difference in enumerate(found, 1):
        if count <= MAX_DIFFERENCES_PRINTED:
            _print(difference)
    if count > MAX_DIFFERENCES_PRINTED:
        _print(f"and {count - MAX_DIFFERENCES_PRINTED} more")
    _print(f"{count} differences" if count else "the same")
    a.close()
    b.close()
    return 1 if count else 0


def pack(options: argparse.Namespace) -> int:
    """Writes a bundle as a zip, which `open_bundle` reads directly."""
    from db import pack as packing

    read_manifest(options.bundle)  # a zip is not packed again
    bundle = open_bundle(options.bundle)
    out = packing.pack(bundle, options.out, replace=options.replace)
    bundle.close()
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")
    return 0


def export(options: argparse.Namespace) -> int:
    """Writes tables and views of a bundle as files."""
    from db.export import export_tables

    bundle = open_bundle(options.bundle)
    files = export_tables(bundle, options.out, kind=options.format, names=options.table)
    bundle.close()
    for file, count in files:
        _print(f"{file}: {count} rows, {file.stat().st_size / 1e6:.1f} MB")
    return 0


def _print(line: str) -> None:
    """Prints one line: texts of a bundle may come from a stranger."""
    print(printable(line).replace("\n", "\\n"))


def _heads(bundle: Bundle, model: dict[str, Any]) -> str:
    """Returns the number of heads of one model (a row of the table `model`) as text."""
    if not model["has_vectors"]:
        places = records(bundle, sql_of("head_places"), {"model_key": model["model_key"]})
        return f"{len(places)} heads, imported without vectors"
    layers = "?" if model["layers"] is None else model["layers"] - model["first_layer"]  # see `verify`
    return f"{layers} layers x {model['heads']} heads"


def _precision(model: dict[str, Any]) -> str:
    """Returns a precision other than float32, and its effect, as text."""
    if model["precision"] in (None, "float32"):
        return ""
    first_5, first_10 = (
        "?" if share is None else f"{share:.1%}" for share in (model["overlap_5"], model["overlap_10"])
    )
    return f", in {model['precision']} ({first_5} of first 5 and {first_10} of first 10 texts as in float32)"


def _parser(prog: str) -> argparse.ArgumentParser:
    more = '"headlight bundle merge" puts the models of several bundles into one; see its --help.'
    parser = argparse.ArgumentParser(prog=prog, description=__doc__, epilog=more)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for add in (_add_show, _add_verify, _add_diff, _add_sign, _add_zip, _add_export):
        add(commands)
    return parser


def _add_show(commands: Any) -> None:
    command = commands.add_parser("show", help="print models, images, texts and size")
    command.add_argument("bundle", type=Path, help="directory of a bundle, or a zip of one")
    command.set_defaults(command=show)


def _add_verify(commands: Any) -> None:
    command = commands.add_parser(
        "verify",
        help="check files, keys and vectors for damage",
        description="Checks format, SHA-256 of every file, keys between tables, and rows of the vectors. "
        "The exit code is 1 for problems.",
    )
    command.add_argument("bundle", type=Path, help="directory of a bundle, or a zip of one")
    command.add_argument(
        "--signed-by",
        type=Path,
        metavar="KEYS",
        help="also check that one of the public SSH keys in this file signed the bundle, e.g. a download of "
        "github.com/NAME.keys",
    )
    command.set_defaults(command=verify)


def _add_diff(commands: Any) -> None:
    command = commands.add_parser(
        "diff",
        help="compare tables and vectors of two bundles",
        description="Compares every table but run (times differ), sorted by key, and all vectors by id. "
        "Ends with 1 where they differ. Files are not compared: those of equal bundles differ.",
    )
    command.add_argument("bundle", type=Path, help="first bundle, a directory or a zip")
    command.add_argument("other", type=Path, help="second bundle")
    command.add_argument(
        "--tolerance",
        type=float,
        default=TOLERANCE,
        help="numbers of a table are equal where |x - y| <= T * (1 + max(|x|, |y|)); default %(default)g",
    )
    command.add_argument(
        "--vector-tolerance",
        type=float,
        default=VECTOR_TOLERANCE,
        help="numbers of a vector column are equal where |x - y| <= T * (RMS of the column + max(|x|, |y|)); "
        "float16 keeps 11 bits; default %(default)g",
    )
    command.set_defaults(command=compare)


def _add_sign(commands: Any) -> None:
    command = commands.add_parser(
        "sign",
        help="sign with your SSH key, so that others can check who made it",
        description="Compares all files with their checksums, then signs the manifest with ssh-keygen. "
        'Whoever has your public key checks it by "verify --signed-by KEYS".',
    )
    command.add_argument("bundle", type=Path, help="directory of a bundle")
    command.add_argument(
        "--key", type=Path, default=signatures.default_key(), help="private SSH key (default: %(default)s)"
    )
    command.set_defaults(command=sign)


def _add_zip(commands: Any) -> None:
    command = commands.add_parser(
        "zip",
        help="write one file, which opens like a directory",
        description="Writes the bundle, a data set card (README.md), and its tables as Parquet, for readers "
        "without Headlight, as one zip. A signature of the bundle holds for the zip too.",
    )
    command.add_argument("bundle", type=Path, help="directory of a bundle")
    command.add_argument("out", type=Path, help="file to write, e.g. demo.zip")
    command.add_argument("--replace", action="store_true", help="replace the file if it exists")
    command.set_defaults(command=pack)


def _add_export(commands: Any) -> None:
    command = commands.add_parser(
        "export",
        help="write its tables and views as Parquet or CSV",
        description="Writes one file for every table and view into a folder. In CSV a missing value is "
        "empty, a list is JSON, a picture is base64, and a text that a spreadsheet would run as a formula "
        "has an apostrophe before it; Parquet holds all values as they are.",
    )
    command.add_argument("bundle", type=Path, help="directory of a bundle, or a zip of one")
    command.add_argument("out", type=Path, help="folder to write into")
    command.add_argument(
        "--format", choices=("parquet", "csv"), default="parquet", help="default %(default)s"
    )
    command.add_argument(
        "--table", nargs="+", action="extend", default=[], metavar="NAME", help="only these; default all"
    )
    command.set_defaults(command=export)


if __name__ == "__main__":
    sys.exit(main())
