"""A collection as one page to print: plain HTML without scripts, fonts or pictures from elsewhere."""

from collections.abc import Sequence
from html import escape
from urllib.parse import urlencode

from dashboard import images
from dashboard.data.collection import Shown

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>Headlight collection</title>
<style>
  body {{ max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #0b1016; background: #fff;
    font: 1rem/1.45 system-ui, sans-serif; overflow-wrap: anywhere; }}
  h1 {{ font-size: 1.5rem; margin: 0; }}
  article {{ display: flex; gap: 1rem; padding: 1rem 0; border-top: 1px solid #c9d1d9; break-inside: avoid; }}
  article img {{ width: 8rem; height: 8rem; object-fit: contain; background: #f3f5f7; flex: none; }}
  h2 {{ font-size: 1.0625rem; margin: 0; }}
  p {{ margin: 0.25rem 0; }}
  .note {{ font-style: italic; }}
  .small {{ font-size: 0.8125rem; color: #48515c; }}
  a {{ color: #0b5e8a; }}
  @media print {{ body {{ margin: 0; max-width: none; }} @page {{ margin: 16mm; }} }}
</style>
<h1>Headlight collection</h1>
<p class="small">{count}. Open bundle: {bundle}, identity (input_id) {identity}.</p>
{views}
</html>
"""


def page(views: Sequence[Shown], *, base: str, bundle: str, identity: str) -> bytes:
    """Returns the HTML of pinned views; `base` is the address of the app, without a page."""
    count = f"{len(views)} view{'s' * (len(views) != 1)}"
    parts = "\n".join(article(place, view, base) for place, view in enumerate(views, 1))
    html = PAGE.format(count=count, bundle=escape(bundle), identity=escape(identity), views=parts)
    return html.encode()


def article(place: int, view: Shown, base: str) -> str:
    """Returns the HTML of one view: picture, title, note, figure, model, identity of the bundle, link."""
    link = address(view, base)
    picture = ""
    if view.picture:
        picture = f'<img src="{images.as_url(view.picture)}" alt="{escape(view.alt)}">\n'
    origin = f"{view.origin}, identity {view.pin.bundle_id or 'not stated'}"
    lines = [
        f"<h2>{place}. {escape(view.title)}</h2>",
        paragraph(view.pin.note, "note"),
        paragraph(view.figure),
        paragraph(view.warning),
        paragraph(origin, "small"),
        f'<p class="small"><a href="{escape(link)}">{escape(link)}</a></p>',
    ]
    return f"<article>\n{picture}<div>\n" + "\n".join(filter(None, lines)) + "\n</div>\n</article>"


def paragraph(words: str, kind: str = "") -> str:
    if not words:
        return ""
    return f'<p class="{kind}">{escape(words)}</p>' if kind else f"<p>{escape(words)}</p>"


def address(view: Shown, base: str) -> str:
    """Returns the whole link of a view."""
    return f"{base}/{view.pin.page}?{urlencode(view.query)}"
