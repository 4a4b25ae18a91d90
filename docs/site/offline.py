"""The site is held to ask no network for anything: a page that would is a warning, which ends a strict build."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig

_LOADED = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed|object)\b[^>]*?\s(?:src|data|srcset)\s*=\s*["']?((?:https?:)?//[^"'\s>]+)"""
    r"""|<link\b(?![^>]*\brel=["']?(?:canonical|next|prev)\b)[^>]*?\shref\s*=\s*["']?((?:https?:)?//[^"'\s>]+)"""
    r"""|(?:url\(|@import\s)\s*["']?((?:https?:)?//[^"')\s]+)""",
    re.IGNORECASE,
)
_LOG = logging.getLogger("mkdocs.hooks.offline")


def outside(text: str) -> list[str]:
    """The addresses that a page or a style sheet loads from elsewhere; links to follow are none.

    >>> outside('<a href="https://example.com"><script src="https://example.com/x.js"></script><link href=//example.com/x.css>')
    ['https://example.com/x.js', '//example.com/x.css']
    """
    return [next(filter(None, found)) for found in _LOADED.findall(text)]


def on_post_build(config: MkDocsConfig) -> None:
    site = Path(config.site_dir)
    for path in sorted(each for kind in ("*.html", "*.css") for each in site.rglob(kind)):
        for address in outside(path.read_text(encoding="utf-8")):
            _LOG.warning("%s loads %s", path.relative_to(site), address)
