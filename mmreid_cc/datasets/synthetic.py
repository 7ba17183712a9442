"""SyntheticReID: pedestrians drawn by code, for demos and tests."""

from collections.abc import Callable, Sequence

from mmreid_cc.registry import DATASETS

from .crops import Crop
from .pedestrians import write_market_folder
from .reid_dataset import ReIDDataset


@DATASETS.register_module()
class SyntheticReID(ReIDDataset):
    """Drawn pedestrians, written into ``data_root`` in Market-1501 layout at first use.

    People differ in body, clothes with colours and patterns, hair, bag; cameras in
    light, colour cast, background, scale, blur, occlusion. Many people share colours,
    so that colours alone do not tell them apart. The images depend on the arguments
    only.

    With infrared cameras, whose numbers follow those of the others, the test is as on
    SYSU-MM01: all infrared images are queries, and all visible ones the gallery. An
    infrared image has one channel, three times: skin is bright, the colours of clothes
    are mostly lost, and some cloth reflects. The visible images stay the same.

    Args:
        data_root (str): Folder for the images. Defaults to ``'data/synthetic'``.
        split (str): ``'train'`` or ``'test'``. Defaults to ``'train'``.
        pipeline (Sequence[dict | Callable]): Transforms of an image.
        seed (int): Seed of people, cameras and moments. Defaults to 0.
        train_identities (int): People to train on. Defaults to 80.
        test_identities (int): Other people to test on. Defaults to 60.
        cameras (int): Number of cameras, of which two to four see a person.
            Defaults to 4.
        shots (int): Largest number of images of a person by a camera. Defaults to 6.

    Raises:
        FileExistsError: If ``data_root`` holds something else.
        ValueError: If a number is out of its range.

    Examples:
        .. code:: python

            dataset=dict(type='SyntheticReID', data_root='data/synthetic')
    """

    def __init__(
        self,
        data_root: str = 'data/synthetic',
        split: str = 'train',
        pipeline: Sequence[dict | Callable] = (),
        seed: int = 0,
        train_identities: int = 80,
        test_identities: int = 60,
        cameras: int = 4,
        shots: int = 6,
        infrared: int = 0,
    ) -> None:
        write_market_folder(
            data_root,
            seed=seed,
            train_identities=train_identities,
            test_identities=test_identities,
            cameras=cameras,
            shots=shots,
            infrared=infrared,
        )
        self.visible_cameras, self.infrared = cameras, infrared
        super().__init__(data_root, split, pipeline)

    def load_part(self, part: str) -> list[Crop]:
        """Read one part; with infrared cameras, query and gallery by modality."""
        if part == 'train' or not self.infrared:
            return super().load_part(part)
        crops = super().load_part('query') + super().load_part('gallery')
        return [
            crop
            for crop in crops
            if (crop.cam_id > self.visible_cameras) == (part == 'query')
        ]
