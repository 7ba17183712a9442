"""HTML pages of text, tables and pictures in a single file."""

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from numbers import Number
from pathlib import Path

from matplotlib.figure import Figure

from mmreid_cc.atomic_writing import replacing

from .figures import figure_bytes

# With this policy, the browser itself fetches nothing and runs nothing.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff;
       max-width: 76rem; margin: 0 auto; padding: 0 1rem 4rem;
       overflow-wrap: break-word; }
h1 { line-height: 1.2; }
h2 { border-top: 1px solid #ccc; padding-top: 1rem; margin-top: 2.5rem; }
nav ol { columns: 18rem; column-gap: 3rem; }
a { color: #005a9c; }
.top { font-size: 0.875rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { padding: 0.3rem 0.8rem; border-bottom: 1px solid #ddd; text-align: left; }
th { background: #f2f2f2; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
pre { background: #f6f6f6; padding: 0.8rem; max-height: 30rem; overflow: auto;
      font-size: 0.875rem; }
figure { margin: 0; }
figcaption { color: #444; max-width: 60rem; }
img { display: block; max-width: 100%; height: auto; }
/* On a phone a picture keeps its details, and is moved under the finger. */
@media (max-width: 50rem) { img { max-width: none; } }
"""


class HTMLPage:
    """A page of sections, with a table of contents that links to them.

    All text is escaped, and pictures are inside the file. It opens without a server,
    also on a phone, and can be sent as one attachment.

    Args:
        title (str): Title of the page.

    Example:
        >>> page = HTMLPage('Run 7')
        >>> page.add_text('Summary', 'Trained for 50 epochs.')
        >>> page.add_table('Test', ['metric', 'percent'], [['mAP', 82.1]])
        >>> page.add_figure('Curves', figure, 'mAP over the epochs.')
        >>> page.save('report.html')
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.headings: list[str] = []
        self.sections: list[str] = []

    def add_text(self, heading: str, text: str) -> None:
        """Add a section of paragraphs.

        Args:
            heading (str): Heading of the section.
            text (str): Plain text; an empty line begins a paragraph.
        """
        paragraphs = [part for part in text.split('\n\n') if part.strip()]
        self._add(heading, ''.join(f'<p>{escape(part)}</p>\n' for part in paragraphs))

    def add_code(self, heading: str, code: str) -> None:
        """Add a section of text that is shown as it is, e.g. a config.

        Args:
            heading (str): Heading of the section.
            code (str): Its lines.
        """
        self._add(heading, f'<pre tabindex="0">{escape(code)}</pre>\n')

    def add_table(
        self, heading: str, header: Sequence[str], rows: Sequence[Sequence[object]]
    ) -> None:
        """Add a section with a table.

        Args:
            heading (str): Heading of the section.
            header (Sequence[str]): Names of the columns.
            rows (Sequence[Sequence[object]]): Each with a cell for every column, shown
                as ``str`` gives it; numbers are set to the right.

        Raises:
            ValueError: If a row has more or fewer cells than the header.
        """
        for row in rows:
            if len(row) != len(header):
                raise ValueError(
                    f'The table {heading!r} has the {len(header)} columns '
                    f'{list(header)}, and a row of {len(row)} cells: {list(row)}.'
                )
        names = ''.join(f'<th scope="col">{escape(name)}</th>' for name in header)
        lines = ''.join(
            f'<tr>{"".join(_cell(value) for value in row)}</tr>\n' for row in rows
        )
        self._add(
            heading,
            '<div class="wide" tabindex="0"><table>\n'
            f'<thead><tr>{names}</tr></thead>\n'
            f'<tbody>\n{lines}</tbody></table></div>\n',
        )

    def add_figure(self, heading: str, figure: Figure, caption: str) -> None:
        """Add a section with a picture.

        Args:
            heading (str): Heading of the section.
            figure (Figure): Drawn as it is now.
            caption (str): What is to be seen, below it; also for those who cannot see.
        """
        width, height = (round(float(100 * size)) for size in figure.get_size_inches())
        content = b64encode(figure_bytes(figure, 'png')).decode()
        self._add(
            heading,
            '<figure><div class="wide" tabindex="0">'
            f'<img width="{width}" height="{height}" alt="{escape(caption)}" '
            f'src="data:image/png;base64,{content}"></div>\n'
            f'<figcaption>{escape(caption)}</figcaption></figure>\n',
        )

    def save(self, path: str | Path) -> None:
        """Write the page.

        Args:
            path (str | Path): Path of the file; its folder is created. A file of this
                name is replaced when the new one is whole.

        Raises:
            OSError: If it cannot be written.
        """
        with replacing(Path(path)) as part:
            part.write_text(self._html(), encoding='utf-8')

    def _add(self, heading: str, content: str) -> None:
        self.headings.append(heading)
        number = len(self.headings)
        self.sections.append(
            f'<section id="section-{number}">\n<h2>{escape(heading)}</h2>\n{content}'
            '<p class="top"><a href="#contents">Contents</a></p>\n</section>\n'
        )

    def _html(self) -> str:
        title = escape(self.title)
        entries = ''.join(
            f'<li><a href="#section-{number}">{escape(heading)}</a></li>\n'
            for number, heading in enumerate(self.headings, start=1)
        )
        return (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n'
            f'<h1>{title}</h1>\n'
            f'<nav id="contents" aria-label="Contents"><ol>\n{entries}</ol></nav>\n'
            f'<main>\n{"".join(self.sections)}</main>\n</body>\n</html>\n'
        )


def _cell(value: object) -> str:
    kind = ' class="number"' if isinstance(value, Number) else ''
    return f'<td{kind}>{escape(str(value))}</td>'
