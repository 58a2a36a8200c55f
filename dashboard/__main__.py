"""`python -m dashboard`: serve a bundle."""

import argparse
import contextlib
import os
import sys
import threading
from pathlib import Path

from dashboard import DEFAULT_BUNDLE
from db import vectors
from db.connection import open_bundle
from db.errors import StoreError

EXAMPLES = """examples:
  {prog}                    the demo bundle at http://localhost:8501
  {prog} bundles/mine       another one; those beside it are in the sidebar
  {prog} --port 8600 --address 0.0.0.0
                            let others on the network in

A bundle is made by "headlight demo" or "headlight run". Opening one needs neither torch nor weights; typing
your own texts and uploading images load the model once. The environment variable HEADLIGHT_BUNDLE sets the
default bundle.
"""


def main(arguments: list[str] | None = None, prog: str = "python -m dashboard") -> int:
    """Serves a bundle until it is stopped; returns the exit code, 1 if it cannot be opened."""
    options = parser(prog).parse_args(arguments)
    bundle = options.path or options.bundle
    try:
        open_bundle(bundle).close()
    except StoreError as error:
        print(f"Cannot open the bundle: {error}", file=sys.stderr)
        return 1
    print(
        f"Headlight serves {bundle} at http://{options.address}:{options.port} (stop with Ctrl-C)", flush=True
    )
    return serve(bundle, options.port, options.address)


def parser(prog: str = "python -m dashboard") -> argparse.ArgumentParser:
    about = argparse.ArgumentParser(
        prog=prog,
        description="Serve a bundle in the browser: leaderboard, heads, maps and neighbors.",
        epilog=EXAMPLES.format(prog=prog),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    about.add_argument("path", nargs="?", metavar="BUNDLE", help="the same as --bundle BUNDLE")
    about.add_argument(
        "--bundle",
        default=os.environ.get("HEADLIGHT_BUNDLE", DEFAULT_BUNDLE),
        help="directory of the bundle, or a zip of one (default: %(default)s)",
    )
    about.add_argument("--port", type=int, default=8501, help="port to serve at (default: %(default)s)")
    about.add_argument("--address", default="localhost", help="address to serve at (default: %(default)s)")
    return about


def serve(bundle: str, port: int, address: str) -> int:
    os.environ["HEADLIGHT_BUNDLE"] = bundle
    from streamlit.web import cli  # slow to import; --help and a wrong path do not need it

    threading.Thread(target=warm, args=(bundle,), daemon=True).start()

    app = Path(__file__).with_name("app.py")
    sys.argv = ["streamlit", "run", str(app), "--server.port", str(port), "--server.address", address]
    return cli.main() or 0


def warm(path: str) -> None:
    """Reads vectors while the user looks at the first page: their library takes seconds to import."""
    with contextlib.suppress(StoreError):
        bundle = open_bundle(path)
        vectors.head_spaces(bundle, bundle.model_keys[0])
        bundle.close()


if __name__ == "__main__":
    sys.exit(main())
