"""CSV files from any program, separated by commas, semicolons or tabs."""

import csv
import io
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from .crops import read_text

DELIMITERS = ',;\t'
UNKNOWN_TIMES = ('', 'nan', 'na', 'none', 'null')


class Table:
    r"""A text file whose first line names the columns.

    The first line determines the separator of the columns. A byte-order mark, Windows
    line ends, empty lines, and blanks around values are ignored.

    Args:
        file (Path): In UTF-8.

    Attributes:
        file (Path): As given.
        columns (list[str]): Their names.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no UTF-8 text, or names a column twice.

    Example:
        >>> Path('crops.csv').write_text('path;cam\na.jpg;3\n')
        >>> table = Table(Path('crops.csv'))
        >>> table.columns, list(table)
        (['path', 'cam'], [(2, {'path': 'a.jpg', 'cam': '3'})])
    """

    def __init__(self, file: Path) -> None:
        if not file.is_file():
            raise FileNotFoundError(f'The table {file} does not exist.')
        self.file = file
        self._text = read_text(file)
        header = self._text.lstrip('\r\n').partition('\n')[0]
        self._delimiter = max(DELIMITERS, key=header.count)
        self.columns = [name.strip() for name in next(self._lines(), (0, []))[1]]
        while self.columns and not self.columns[-1]:
            self.columns.pop()  # a delimiter at the end of the line
        twice = {name for name in self.columns if self.columns.count(name) > 1}
        if twice:
            raise ValueError(f'{file} has two columns {min(twice)!r}. Rename one.')

    def __iter__(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield the number of each line and its values, ``''`` for missing ones.

        Raises:
            ValueError: If a line has more values than there are columns.
        """
        lines = self._lines()
        next(lines, None)
        for number, values in lines:
            if any(values[len(self.columns) :]):
                raise ValueError(
                    f'{self.file}, line {number}: {len(values)} values for '
                    f'{len(self.columns)} columns. Put quotation marks around a value '
                    'that contains the separator.'
                )
            values += [''] * (len(self.columns) - len(values))
            yield number, dict(zip(self.columns, values, strict=False))

    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the lines that are not empty."""
        # As it is: a quoted name may hold a newline.
        lines = io.StringIO(self._text, newline='')
        reader = csv.reader(lines, delimiter=self._delimiter, skipinitialspace=True)
        for line in reader:
            values = [value.strip() for value in line]
            if any(values):
                yield reader.line_num, values


def as_seconds(text: str) -> float:
    """Read a time.

    Args:
        text (str): Seconds, also with a decimal comma; or a date with a time as in ISO
            8601, which is in UTC unless it says otherwise; or nothing.

    Returns:
        float: Seconds, of a date those since 1970; NaN for nothing.

    Raises:
        ValueError: If it is none of these.

    Example:
        >>> as_seconds('12.5'), as_seconds('1970-01-01 00:01'), as_seconds('')
        (12.5, 60.0, nan)
    """
    if text.lower() in UNKNOWN_TIMES:
        return math.nan
    try:
        seconds = float(re.sub(r'^(-?\d+),(\d+)$', r'\1.\2', text))
    except ValueError:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(
                f'{text!r} is not a time. Give seconds, such as 12.5, or a date and a '
                'time, such as 2024-05-01T08:30:00.'
            ) from None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = moment.timestamp()
    if math.isinf(seconds):
        raise ValueError(f'{text!r} is not a time: it must be finite.')
    return seconds
