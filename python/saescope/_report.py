"""The page of a run's results, in a notebook or a browser."""

from __future__ import annotations

import hashlib
import html
import os
import shutil
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from saescope._result import Files

_LARGEST_INLINE = 2_000_000  # bytes: larger pages would make the notebook's file large and slow
_FRAME = (
    '<iframe {content} width="100%" height="800" style="border: 1px solid #8888; background: Canvas" '
    'sandbox="allow-scripts allow-downloads allow-popups allow-popups-to-escape-sandbox" title="saescope report"></iframe>'
)


class Report:
    """One HTML page of what was run and found. A notebook shows it; a browser opens it without a network."""

    def __init__(self, files: Files, name: str) -> None:
        self._files = files  # a temporary folder goes away with it
        self.path = Path(files.path(name))

    def __repr__(self) -> str:
        return f"Report({self.path.stat().st_size / 1e6:.1f} MB; .save(PATH), .open())"

    @property
    def html(self) -> str:
        """The page."""
        return self.path.read_text(encoding="utf-8")

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the page to a file. Missing folders are created.

        Returns
        -------
        Path
            The file.
        """
        target = Path(path).expanduser()
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.path, target)
        return target

    def open(self) -> None:
        """Opens the page in the browser. It lasts as long as the result; `save` keeps it."""
        webbrowser.open(self.path.as_uri())

    def _repr_html_(self) -> str:
        """A frame with the page. A page of more than 2 MB becomes a file in the working folder, beside the notebook."""
        if self.path.stat().st_size <= _LARGEST_INLINE:
            return _FRAME.format(content=f'srcdoc="{html.escape(self.html)}"')
        name = f"saescope_report_{hashlib.sha256(self.path.read_bytes()).hexdigest()[:8]}.html"
        try:
            if not os.path.exists(name):
                self.save(name)
        except OSError as error:
            return f"<p>The report cannot be put beside the notebook ({html.escape(str(error))}). Use .save(PATH).</p>"
        return f'{_FRAME.format(content=f"""src="{name}" """)}<p>The page is the file <a href="{name}">{name}</a>.</p>'
