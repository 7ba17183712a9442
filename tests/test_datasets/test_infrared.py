"""Visible and infrared data sets: what is read, and what is wrong."""

import numpy as np
import pytest
from conftest import write_crop

from mmreid_cc.datasets import SYSUMM01, RegDB


@pytest.fixture
def sysu(tmp_path):
    """Identities 1, 2 for training, 4 for testing; 2 images in each camera."""
    for camera in range(1, 8):
        for pid in (1, 2, 4):
            for shot in range(2):
                write_crop(
                    tmp_path / f'cam{camera}/{pid:04d}/{shot + 1:04d}.jpg', pid, 0
                )
    (tmp_path / 'exp').mkdir()
    for name, text in (('train', '1'), ('val', '2\n'), ('test', '4')):
        (tmp_path / 'exp' / f'{name}_id.txt').write_text(text)
    return tmp_path


def counts(dataset, is_query):
    cams = dataset.column('cam_id')[dataset.column('is_query') == is_query]
    numbers, images = np.unique(cams, return_counts=True)
    return dict(zip(numbers.tolist(), images.tolist(), strict=True))


def test_sysu_parts(sysu):
    train = SYSUMM01(str(sysu))
    assert set(train.column('pid')) == {1, 2}
    assert counts(train, False) == dict.fromkeys(range(1, 7), 4)  # no camera 7
    for search, cameras in (('all', (1, 2, 4, 5)), ('indoor', (1, 2))):
        test = SYSUMM01(str(sysu), 'test', search=search)
        assert set(test.column('pid')) == {4}
        assert counts(test, True) == {3: 2, 6: 2}
        assert counts(test, False) == dict.fromkeys(cameras, 2)


def test_sysu_errors(sysu):
    with pytest.raises(ValueError, match="search must be 'all' or 'indoor', not 'out'"):
        SYSUMM01(str(sysu), search='out')
    (sysu / 'exp' / 'val_id.txt').write_text('2,x')
    with pytest.raises(ValueError, match=r"val_id.txt: expected .* found 'x'"):
        SYSUMM01(str(sysu))
    (sysu / 'exp' / 'val_id.txt').write_text('')
    for camera in (3, 6):
        (sysu / f'cam{camera}').rename(sysu / f'other{camera}')
    with pytest.raises(ValueError, match=r'no infrared image .* cameras 3, 6'):
        SYSUMM01(str(sysu))
    (sysu / 'exp' / 'val_id.txt').unlink()
    with pytest.raises(FileNotFoundError, match=r'there is no .*val_id\.txt'):
        SYSUMM01(str(sysu))


@pytest.fixture
def regdb(tmp_path):
    """Two identities for training and two for testing, one image in each camera."""
    for name in ('visible', 'thermal'):
        for side, people in (('train', (7, 8)), ('test', (5, 9))):
            lines = []
            for label, person in enumerate(people):
                path = f'{name.title()}/{person}/male_back_{name[0]}_{person}.bmp'
                write_crop(tmp_path / path, person, 0)
                lines.append(f'{path} {label}')
            file = tmp_path / 'idx' / f'{side}_{name}_2.txt'
            file.parent.mkdir(exist_ok=True)
            file.write_text('\n'.join(lines) + '\n')
    return tmp_path


def test_regdb_parts(regdb):
    train = RegDB(str(regdb), trial=2)
    assert train.column('pid').tolist() == [0, 1, 0, 1]
    assert counts(train, False) == {1: 2, 2: 2}
    for query, (asked, searched) in (('visible', (1, 2)), ('thermal', (2, 1))):
        test = RegDB(str(regdb), 'test', trial=2, query=query)
        assert counts(test, True) == {asked: 2}
        assert counts(test, False) == {searched: 2}


def test_regdb_errors(regdb):
    with pytest.raises(ValueError, match='trial must be from 1 to 10, not 0'):
        RegDB(str(regdb), trial=0)
    with pytest.raises(ValueError, match=r"query must be in .*, not 'infrared'"):
        RegDB(str(regdb), trial=2, query='infrared')
    with pytest.raises(FileNotFoundError, match=r'idx/train_visible_1\.txt'):
        RegDB(str(regdb))
    file = regdb / 'idx' / 'train_thermal_2.txt'
    file.write_text('Thermal/7/gone.bmp 0\n')
    with pytest.raises(FileNotFoundError, match=r"line 1: the image 'Thermal/7/gone"):
        RegDB(str(regdb), trial=2)
    file.write_text('Thermal/7/male_back_t_7.bmp\n')
    with pytest.raises(ValueError, match=r'train_thermal_2.txt, line 1: expected'):
        RegDB(str(regdb), trial=2)
