"""A folder of crops with their list, to which crops are added one by one."""

import csv
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmreid_cc.atomic_writing import replacing

LIST = 'crops.csv'
SETTINGS = 'video_to_crops.json'
JPEG_QUALITY = 95
COLUMNS = (
    *('path', 'pid', 'cam', 'track', 'time', 'frame'),
    *('x', 'y', 'w', 'h', 'confidence'),
)


class CropList:
    """Crops and ``crops.csv`` in one folder.

    A crop is added to the list only when its file is complete, and only once, so
    writing can be interrupted at any moment and continued.

    Args:
        folder (str | Path): Is created. If it holds a list, that is continued.
        rules (Mapping[str, Any]): Rules of the cutting, as JSON holds them.
        recordings (list[Mapping[str, Any]]): What is cut, as JSON holds it.

    Raises:
        FileExistsError: If the folder holds other things, or crops of other rules or
            recordings. Recordings may be added at the end.

    Example:
        >>> crops = CropList('crops', dict(every=1), [dict(camera='door')])
        >>> 'door/000001_000007.jpg' in crops
        False
    """

    def __init__(
        self,
        folder: str | Path,
        rules: Mapping[str, Any],
        recordings: list[Mapping[str, Any]],
    ) -> None:
        self.folder = Path(folder)
        self.file = self.folder / LIST
        settings = dict(rules=dict(rules), recordings=[dict(r) for r in recordings])
        self._check_settings(settings)
        with replacing(self.folder / SETTINGS) as part:
            part.write_text(json.dumps(settings, indent=2) + '\n', 'utf-8')
        self._paths = self._take_up()

    def __contains__(self, path: str) -> bool:
        return path in self._paths

    def __len__(self) -> int:
        return len(self._paths)

    def add(self, image: np.ndarray, **row: object) -> None:
        """Write a crop, and add it to the list.

        Args:
            image (np.ndarray): (H, W, 3) uint8 BGR.
            **row (object): The values of all ``COLUMNS``; ``path`` below the folder.

        Raises:
            OSError: If it cannot be written.
        """
        path = str(row['path'])
        quality = (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY)
        code = cv2.imencode('.jpg', image, quality)[1]
        with replacing(self.folder / path) as part:
            part.write_bytes(code.tobytes())
        with self.file.open('ab') as file:
            file.write(_line([row[name] for name in COLUMNS]))
        self._paths.add(path)

    def _check_settings(self, settings: Mapping[str, Any]) -> None:
        file = self.folder / SETTINGS
        if not file.is_file():
            if self.folder.exists() and any(self.folder.iterdir()):
                raise FileExistsError(
                    f'{self.folder} is not empty, and holds no crops of videos (it has '
                    f'no {SETTINGS}). Choose another folder.'
                )
            return
        found = json.loads(file.read_text('utf-8'))
        rules = {**found['rules'], **settings['rules']}
        off = [
            f'{name} is {found["rules"].get(name)!r}, wanted {wanted!r}'
            for name, wanted in rules.items()
            if found['rules'].get(name) != wanted
        ]
        before = zip(found['recordings'], settings['recordings'], strict=False)
        for old, new in before:
            off += [
                f'{name} of {old["video"]} is {old.get(name)!r}, wanted {wanted!r}'
                for name, wanted in new.items()
                if old.get(name) != wanted
            ]
        if len(found['recordings']) > len(settings['recordings']):
            off.append(f'it holds {len(found["recordings"])} videos')
        if off:
            raise FileExistsError(
                f'{self.folder} holds crops that were cut with other settings: '
                f'{"; ".join(off)}. Choose another folder, or delete this one. '
                '(You can add further videos after those that it holds.)'
            )

    def _take_up(self) -> set[str]:
        """Read the list; an incomplete last line is removed."""
        if not self.file.is_file():
            self.file.write_bytes(_line(COLUMNS))
        content = self.file.read_bytes()
        whole = content[: content.rfind(b'\n') + 1] or _line(COLUMNS)
        if whole != content:
            with replacing(self.file) as part:
                part.write_bytes(whole)
        lines = io.StringIO(whole.decode('utf-8'), newline='')
        return {os.fspath(row['path']) for row in csv.DictReader(lines)}


def _line(values: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator='\n').writerow(values)
    return text.getvalue().encode('utf-8')
