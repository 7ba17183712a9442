"""From labels to folders, and what is refused."""

import numpy as np
import pytest
from tiny_network import write_people_crops

from mmreid_cc.apis.person_folders import (
    UNCLUSTERED,
    new_folder,
    people_report,
    write_people,
)
from mmreid_cc.datasets.crops import list_images


@pytest.fixture
def crops(tmp_path):
    write_people_crops(tmp_path / 'crops', pids=(1, 3), shots=2)
    return tmp_path / 'crops'


@pytest.mark.parametrize('copy', [False, True])
def test_folders_keep_the_names_below_them(crops, tmp_path, copy, monkeypatch):
    monkeypatch.chdir(tmp_path)  # paths as a user gives them
    paths = [str(path.relative_to(tmp_path)) for path in list_images(crops)]
    labels = np.array([0, 10, -1, 0])
    write_people('people', 'crops', paths, labels, copy)
    for path, label in zip(paths, labels, strict=True):
        folder = tmp_path / 'people' / (UNCLUSTERED if label < 0 else str(label))
        written = folder / path.removeprefix('crops/')
        assert written.read_bytes() == (tmp_path / path).read_bytes()
        assert written.is_symlink() != copy
    assert len(list_images(tmp_path / 'people')) == len(paths) == 4


def test_nothing_is_written_outside(crops, tmp_path):
    inside = str(list_images(crops)[0])
    for outside in (tmp_path / 'other' / '1.png', crops / '..' / '1.png', crops):
        with pytest.raises(ValueError, match='is not in the folder'):
            write_people(tmp_path / 'people', crops, [inside, str(outside)], [0, 0])
        with pytest.raises(ValueError, match=r'or put their list into it'):
            new_folder(tmp_path / 'people', crops, [inside, str(outside)])
    assert not (tmp_path / 'people').exists()


def test_no_folder_is_mixed_with_another(crops, tmp_path):
    new = new_folder(tmp_path / 'a' / 'new', crops)
    assert new_folder(new, crops) == new
    (new / 'file').write_text('')
    with pytest.raises(FileExistsError, match=r'is not empty\. Name a new'):
        new_folder(new, crops)
    for inside in (crops, crops / 'people'):
        with pytest.raises(ValueError, match='Name a folder outside'):
            new_folder(inside, crops)


def test_report(crops):
    paths = [str(path) for path in list_images(crops)]
    embeddings = np.eye(4, dtype=np.float32)
    page = people_report(paths, np.array([0, 1, -1, 0]), embeddings, 'DBSCAN(k1=<4>)')
    text = ' '.join(page.sections)
    assert '4 crops show 2 people' in text
    assert '25% of the crops are un-clustered' in text
    assert 'DBSCAN(k1=&lt;4&gt;)' in text
    assert '<td class="number">0</td><td class="number">2</td><td>0.71</td>' in text
    nobody = people_report(paths, np.full(4, -1), embeddings, 'DBSCAN')
    assert nobody.headings == ['Summary', 'Crops']
