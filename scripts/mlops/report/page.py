"""The report as one page with its pictures: what the run's artifact is opened for."""

import base64
import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlops.report.pictures import Picture

if TYPE_CHECKING:
    from mlops.report.pages import Page

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2328; max-width: 1080px; margin: 2rem auto;
  padding: 0 1rem; overflow-wrap: anywhere }
h2 { font-size: 1.25rem; border-bottom: 1px solid #d1d9e0; padding-bottom: .3rem; margin-top: 2rem }
table { border-collapse: collapse; display: block; overflow-x: auto }
th, td { border: 1px solid #d1d9e0; padding: .3rem .6rem; text-align: left; overflow-wrap: normal }
tr:nth-child(even) { background: #f6f8fa }
code { background: #eff1f3; border-radius: 4px; padding: .1em .35em; font-size: 85% }
pre { background: #f6f8fa; padding: 1rem; overflow-x: auto }
pre code { background: none; padding: 0 }
td:first-child code { white-space: nowrap }
details { margin: 1rem 0 } summary { cursor: pointer }
figure { margin: 1rem 0 } img { max-width: 100% } figcaption { color: #59636e }
"""
# Nothing in the page may load or run anything, whatever got into it.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width">'
    f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
)
"""What each page begins with."""


def page(summary: str, pictures: Sequence[Picture], pages: Sequence["Page"] = ()) -> str:
    """Self-contained HTML.

    Args:
        summary: the report in Markdown; its only HTML are the folds of our own.
        pictures: shown as images: a program in an SVG does not run there.
        pages: of datasets, in files beside this one; linked.
    """
    from markdown_it import MarkdownIt

    text = MarkdownIt("commonmark", {"html": True}).enable("table").render(summary)
    shown = "".join(_figure(picture) for picture in pictures)
    heading = "<h2>Pictures</h2>" if pictures else ""
    return document("Report", f"{text}{_linked(pages)}{heading}{shown}")


def document(title: str, body: str, style: str = "") -> str:
    """Self-contained HTML that loads and runs nothing.

    Args:
        title: plain text.
        body: HTML.
        style: more of it, beside that which all pages share.
    """
    return (
        f"{HEAD}<title>{html.escape(title)}</title><style>{STYLE}{style}</style></head>"
        f"<body>{body}</body></html>\n"
    )


def _linked(pages: Sequence["Page"]) -> str:
    if not pages:
        return ""
    items = "".join(f'<li><a href="{each.file}">{each.dataset}</a></li>' for each in pages)
    return f"<h2>Pages of datasets</h2><ul>{items}</ul>"


def _figure(picture: Picture) -> str:
    data = base64.b64encode(picture.content).decode()
    caption = html.escape(f"{picture.caption} ({picture.file})")
    return (
        f'<figure><img alt="{caption}" src="data:{picture.media_type};base64,{data}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )
