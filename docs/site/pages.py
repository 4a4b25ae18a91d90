"""Pages of the site that live elsewhere in the repository: the README is its first page, notebooks are pages with their outputs.

Nothing is copied by hand: a link from one file to another leads to the page that is made of it.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from nbconvert import MarkdownExporter

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "sample_data/README.md": "sample_data.md",
    **{f"notebooks/{path.name}": f"notebooks/{path.stem}.md" for path in sorted((ROOT / "notebooks").glob("*.ipynb"))},
}
"""The page that is made of each file outside of docs/."""
_SOURCES = {page: source for source, page in ELSEWHERE.items()}
_CELL = re.compile(r"<td.*?</td>", re.DOTALL)
_LINK = re.compile(r"(\]\()([^)#:\s]+)([)#])")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for source, page in ELSEWHERE.items():
        for name, content in _made_of(ROOT / source, page).items():
            files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    return relinked(markdown, page.file.src_uri)


def on_page_content(html: str, **_: object) -> str:
    return bars_in_cells(html)


def bars_in_cells(html: str) -> str:
    r"""The page with `\|` in a cell as GitHub shows it, as a bar, in code too.

    >>> bars_in_cells(r"<td><code>a \|\| b</code></td>")
    '<td><code>a || b</code></td>'
    """
    return _CELL.sub(lambda found: found[0].replace("\\|", "|"), html)


def relinked(markdown: str, page: str) -> str:
    """The text of a page with links to files of the repository turned into links to their pages.

    >>> relinked("[one](docs/history.md#instants), [two](sample_data/README.md)", "index.md")
    '[one](history.md#instants), [two](sample_data.md)'
    >>> relinked("[three](../notebooks/quickstart.ipynb)", "language.md")
    '[three](notebooks/quickstart.md)'
    """
    folder = posixpath.dirname(_SOURCES.get(page, f"docs/{page}"))

    def lead(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, found[2]))
        there = ELSEWHERE.get(target, target.removeprefix("docs/") if target.startswith("docs/") else None)
        if there is None:
            return found[0]
        return f"{found[1]}{posixpath.relpath(there, posixpath.dirname(page) or '.')}{found[3]}"

    return _LINK.sub(lead, markdown)


def _made_of(source: Path, page: str) -> dict[str, str | bytes]:
    """A page and its pictures."""
    if source.suffix == ".md":
        return {page: source.read_text(encoding="utf-8")}
    stem = page.removesuffix(".md")
    text, resources = MarkdownExporter().from_filename(str(source), {"output_files_dir": Path(stem).name})
    text = text.replace('<table border="1" class="dataframe">', "<table>")  # the theme's own table
    pictures = {f"{posixpath.dirname(page)}/{name}": content for name, content in resources["outputs"].items()}
    return {page: text, **pictures}
