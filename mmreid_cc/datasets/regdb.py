"""RegDB: a visible and a thermal camera."""

from collections.abc import Callable, Sequence

from mmreid_cc.registry import DATASETS

from .crops import Crop, read_text
from .reid_dataset import ReIDDataset

CAMERAS = {'visible': 1, 'thermal': 2}
TRIALS = 10


@DATASETS.register_module()
class RegDB(ReIDDataset):
    """RegDB (Nguyen et al., *Person Recognition System …*, Sensors 2017).

    .. code-block:: none

        RegDB
        ├── idx/{train,test}_{visible,thermal}_1.txt, … to _10.txt
        ├── Visible/1/male_back_v_03049_47.bmp
        └── Thermal/1/male_back_t_00291_4.bmp

        train: 2,060 images of each camera, 206 identities; of each of ten trials
        query, gallery: 2,060 images each, of the 206 others

    A line of a list is ``Visible/1/male_back_v_03049_47.bmp 0``: path and identity. The
    visible camera is number 1, the thermal one 2. Published results are means over the
    ten trials, each with its own training, in both directions; as no query shares a
    camera with a match, :class:`ReIDMetric` has the protocol.

    Args:
        data_root (str): Folder of the data set.
        split (str): ``'train'`` or ``'test'``. Defaults to ``'train'``.
        pipeline (Sequence[dict | Callable]): Transforms of an image.
        trial (int): 1 to 10. Defaults to 1.
        query (str): ``'visible'`` searches thermal images, ``'thermal'`` visible ones.
            Defaults to ``'visible'``.

    Raises:
        FileNotFoundError: If a list or an image is missing.
        ValueError: If an argument is invalid, or a line cannot be read.

    Examples:
        >>> from mmreid_cc.datasets import RegDB
        >>> len(RegDB('data/RegDB', trial=3))
        4120
    """

    COUNTS = {
        'train': dict(images=(4120,), identities=(206,), cameras=(2,)),
        'query': dict(images=(2060,), identities=(206,), cameras=(1,)),
        'gallery': dict(images=(2060,), identities=(206,), cameras=(1,)),
    }
    DISTRACTOR = None  # identity 0 is a person

    def __init__(
        self,
        data_root: str,
        split: str = 'train',
        pipeline: Sequence[dict | Callable] = (),
        trial: int = 1,
        query: str = 'visible',
    ) -> None:
        if trial not in range(1, TRIALS + 1):
            raise ValueError(f'RegDB: trial must be from 1 to {TRIALS}, not {trial}')
        if query not in CAMERAS:
            raise ValueError(f'RegDB: query must be in {list(CAMERAS)}, not {query!r}')
        self.trial, self.query = trial, query
        super().__init__(data_root, split, pipeline)

    def load_part(self, part: str) -> list[Crop]:
        """Read the lists of one part."""
        searched = next(name for name in CAMERAS if name != self.query)
        names = {'train': list(CAMERAS), 'query': [self.query], 'gallery': [searched]}
        side = 'train' if part == 'train' else 'test'
        lists = {name: f'idx/{side}_{name}_{self.trial}.txt' for name in names[part]}
        root = self.find_root(*lists.values())
        crops = []
        for name, file in lists.items():
            lines = read_text(root / file).splitlines()
            for number, line in enumerate(filter(str.strip, lines), start=1):
                path, _, pid = line.strip().rpartition(' ')
                if not path or not pid.isdigit():
                    raise ValueError(
                        f'{root / file}, line {number}: expected '
                        "'Visible/1/male_back_v_03049_47.bmp 0' (path, identity), "
                        f'found {line!r}.'
                    )
                if not (root / path).is_file():
                    raise FileNotFoundError(
                        f'{root / file}, line {number}: the image {path!r} does not '
                        f'exist in {root}.'
                    )
                crops.append(Crop(str(root / path), int(pid), CAMERAS[name]))
        return sorted(crops, key=lambda crop: crop.path)
