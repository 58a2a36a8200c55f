"""`headlight report`: a bundle as plain HTML that opens from disk."""

import argparse
import sys
import time
from contextlib import closing
from pathlib import Path

from db.connection import open_bundle
from db.errors import UserError
from db.verify import check_contents

EXAMPLES = """examples:
  {prog} bundles/photos photos_report     then open photos_report/index.html in any browser
  {prog} photos.zip photos_report --replace

The report needs no server and no network: send the folder, zip it as the supplement of a paper, or copy it to
any web server. It has a page for every model and every head, charts, example images, maps, a search, and JSON
for programs. What it shows of the images are thumbnails and maps: ask whether you may pass them on.
docs/report.md explains its pages and files.
"""


def main(arguments: list[str] | None = None, prog: str = "headlight report") -> int:
    """Writes a report; returns the exit code, 1 if the bundle cannot be read or the report not written."""
    options = parser(prog).parse_args(arguments)
    started = time.monotonic()
    try:
        with closing(open_bundle(options.bundle)) as bundle:
            check_contents(bundle)
            from headlight.report.write import write_report  # slow; --help does not need it

            out = write_report(bundle, options.out, replace=options.replace)
    except (UserError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted: nothing was written", file=sys.stderr)
        return 130
    size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    print(f"{out / 'index.html'}  ({size / 1e6:,.1f} MB in {time.monotonic() - started:,.0f} s)")
    return 0


def parser(prog: str) -> argparse.ArgumentParser:
    about = argparse.ArgumentParser(
        prog=prog,
        description="Write a bundle as plain HTML: pages that open from disk, to send, print or publish.",
        epilog=EXAMPLES.format(prog=prog),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    about.add_argument("bundle", metavar="BUNDLE", help="directory of the bundle, or a zip of one")
    about.add_argument("out", metavar="OUT", type=Path, help="directory to write; it must not exist")
    about.add_argument("--replace", action="store_true", help="replace an older report at OUT")
    return about


if __name__ == "__main__":
    sys.exit(main())
