"""Embeddings on the command line: a gallery, and a table."""

import numpy as np
import pytest
from pyarrow import parquet
from tiny_network import write_network, write_people_crops
from tool_runs import run_tool

from mmreid_cc.apis import Gallery, ReIDInferencer
from mmreid_cc.apis.command_line import image_paths
from mmreid_cc.apis.parquet_file import check_parquet, write_parquet
from mmreid_cc.datasets.crops import list_images


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('extract')
    write_network(folder)
    write_people_crops(folder / 'crops', pids=(1, 3), shots=3)
    return folder


def run(folder, *arguments):
    return run_tool(
        'extract_features.py', 'tiny.py', 'tiny.pth', *arguments, cwd=folder
    )


def test_npz_and_parquet(folder):
    pattern = r'cam (?P<cam>\d)/\w+ (?P<pid>\d)'
    options = ['--out', 'a/features.npz', '--pattern', pattern]
    status, printed = run(folder, 'crops', *options)
    assert status == 0, printed[-3000:]
    assert '6 embeddings of 16 dimensions: a/features.npz' in printed
    gallery = Gallery.load(folder / 'a' / 'features.npz')
    reid = ReIDInferencer(folder / 'tiny.py', folder / 'tiny.pth', 'cpu')
    assert gallery.model_hash == reid.model_hash
    paths = list_images(folder / 'crops')
    assert gallery.paths == [str(path.relative_to(folder)) for path in paths]
    assert np.abs(gallery.embeddings - reid(paths)).max() < 1e-6
    assert gallery.metadata['cam_id'].tolist() == [0] * 4 + [1] * 2
    assert sorted(gallery.metadata['pid']) == [1, 1, 1, 3, 3, 3]

    (folder / 'crops' / 'broken.png').write_bytes(b'no image')
    options = ['--skip-unreadable', '--batch-size', 4]
    status, printed = run(folder, 'crops', '--out', 'features.parquet', *options)
    assert status == 0, printed[-3000:]
    assert '1 of 7 images cannot be read and are left out' in printed
    table = parquet.read_table(folder / 'features.parquet')
    assert table['path'].to_pylist() == gallery.paths
    embeddings = np.array(table['embedding'].to_pylist())
    assert np.abs(embeddings - gallery.embeddings).max() < 1e-6
    assert table.schema.metadata[b'model_hash'].decode() == gallery.model_hash


def test_a_list_of_crops(folder):
    crops = list_images(folder / 'crops')
    crops = [path for path in crops if path.name != 'broken.png']
    names = [path.relative_to(folder / 'crops').as_posix() for path in crops]
    lines = [f'{names[4]};7;2;1,5', f'{names[0]};;1;']
    (folder / 'crops' / 'crops.csv').write_text(
        '\n'.join(['path;track;cam;time', *lines])
    )
    status, printed = run(folder, 'crops/crops.csv', '--out', 'listed.npz')
    assert status == 0, printed[-3000:]
    gallery = Gallery.load(folder / 'listed.npz')
    assert gallery.paths == [f'crops/{names[4]}', f'crops/{names[0]}']
    assert gallery.metadata['track'].tolist() == [7, -1]
    assert gallery.metadata['cam_id'].tolist() == [2, 1]
    np.testing.assert_array_equal(gallery.metadata['time'], [1.5, np.nan])
    status, printed = run(folder, 'crops/crops.csv', 'crops', '--out', 'listed.npz')
    assert status == 2
    assert 'give crops/crops.csv alone' in printed


def test_what_parquet_does_not_hold(tmp_path):
    with pytest.raises(ValueError, match=r"'a\\udcff\.jpg' is not in UTF-8"):
        check_parquet(['b.jpg', 'a\udcff.jpg'])
    for name in ('path', 'embedding'):
        gallery = Gallery(np.eye(2), ['a.jpg', 'b.jpg'], {name: [1, 2]})
        with pytest.raises(ValueError, match=f'metadata {name} have the name of'):
            write_parquet(tmp_path / 'features.parquet', gallery)
    assert not list(tmp_path.iterdir())


def test_a_path_that_does_not_exist(tmp_path):
    """Neither a folder nor an image that would have to be repaired."""
    with pytest.raises(FileNotFoundError, match='nowhere does not exist'):
        image_paths([str(tmp_path), str(tmp_path / 'nowhere')], skip_unreadable=False)


def test_a_url_is_not_taken_for_an_unreadable_file():
    urls = ['https://example.org/a.jpg']
    assert image_paths(urls, skip_unreadable=False) == urls
    with pytest.raises(ValueError, match=r'example\.org/a\.jpg is a URL'):
        image_paths(urls, skip_unreadable=True)


def test_a_place_that_cannot_be_written_ends_before_images_are_read(folder):
    (folder / 'broken.jpg').touch()
    status, printed = run(folder, 'broken.jpg', '--out', 'tiny.py/features.npz')
    assert status == 1
    assert 'nothing can be written there. Name another file' in printed


def test_a_misspelt_option_ends_at_once(folder):
    options = ['--cfg-options', 'model.backbone.deptth=18']
    status, printed = run(folder, 'crops', '--out', 'features.npz', *options)
    assert status == 1
    assert "TinyBackbone has no argument 'deptth'" in printed
