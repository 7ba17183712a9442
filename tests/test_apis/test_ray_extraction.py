"""Embedding by Ray: what one process embeds, whatever is killed meanwhile."""

import csv
import json
import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from conftest import need_extra
from mmengine.config import Config
from pyarrow import parquet
from tiny_network import write_network, write_people_crops
from tool_runs import ROOT, run_tool

from mmreid_cc.apis import ReIDInferencer, ray_extraction
from mmreid_cc.apis.image_sources import list_sources, read_parquet_list
from mmreid_cc.apis.shard_files import (
    ShardPlan,
    images_hash,
    open_folder,
    read_plan,
    read_shards,
    shard_file,
)
from mmreid_cc.datasets.crops import list_images

need_extra('ray', 'several machines are the extra "ray"')

# A network that kills its process once, in the middle of a shard.
KILLING = """
import os
import signal

from tiny_backbone import TinyBackbone
from mmreid_cc.registry import MODELS

@MODELS.register_module()
class KillingBackbone(TinyBackbone):
    batches = 0

    def forward(self, images):
        KillingBackbone.batches += len(images) > 1  # one is for the dimensions
        mark = '{mark}'
        if KillingBackbone.batches == 3:
            try:
                os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                pass
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        return super().forward(images)
"""


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A network, 20 crops, and three files that are no images."""
    folder = tmp_path_factory.mktemp('ray')
    write_network(folder)
    write_people_crops(folder / 'crops')
    for number in range(3):
        (folder / 'crops' / f'broken {number}.png').write_bytes(b'no image')
    return folder


def run(folder, *arguments):
    network = 'tiny.py', 'tiny.pth'
    return run_tool('extract_features.py', *network, *arguments, cwd=folder)


def paths_of(folder):
    return [str(path.relative_to(folder)) for path in list_images(folder / 'crops')]


@pytest.fixture(scope='module')
def alone(folder):
    """Path and embedding of each readable image, by one process."""
    reid = ReIDInferencer(folder / 'tiny.py', folder / 'tiny.pth', 'cpu')
    paths = [path for path in paths_of(folder) if 'broken' not in path]
    return paths, reid([folder / path for path in paths])


def assert_same(gallery, alone):
    paths, embeddings = alone
    assert gallery.paths == paths
    assert np.abs(gallery.embeddings - embeddings).max() < 1e-5


@pytest.mark.slow  # starts Ray three times
def test_the_tool(folder, alone):
    options = ['--out', 'shards', '--shard-size', '5', '--workers', '2', '--ray']
    pattern = ['--pattern', r'(?:cam (?P<cam>\d)|broken)']
    status, printed = run(folder, 'crops', *options, *pattern)
    assert status == 0, printed[-3000:]
    assert '20 embeddings, 3 unreadable images, listed in unreadable.csv' in printed
    gallery = read_shards(folder / 'shards')
    assert_same(gallery, alone)
    assert gallery.model_hash == read_plan(folder / 'shards').model_hash
    assert set(gallery.metadata) == {'cam_id'}
    with (folder / 'shards' / 'unreadable.csv').open() as stream:
        listed = list(csv.DictReader(stream))
    assert [row['path'] for row in listed] == [
        f'crops/broken {n}.png' for n in range(3)
    ]
    assert 'broken 0.png' in listed[0]['error']

    # Again: what is there is kept, what is missing is made.
    files = [shard_file(folder / 'shards', shard) for shard in range(5)]
    written = [file.stat().st_mtime_ns for file in files]
    files[1].unlink()
    status, printed = run(folder, 'crops', *options, *pattern)
    assert status == 0, printed[-3000:]
    again = [file.stat().st_mtime_ns for file in files]
    assert [a == w for a, w in zip(again, written, strict=True)] == [
        shard != 1 for shard in range(5)
    ]
    assert_same(read_shards(folder / 'shards'), alone)

    status, printed = run(folder, 'crops', *options)
    assert status == 1
    assert 'was begun with other settings: images_hash' in printed
    status, printed = run(folder, 'crops', '--out', 'a.npz', '--ray')
    assert status == 2
    assert '--out names a folder of shards' in printed


@pytest.mark.slow  # starts three workers
def test_a_killed_worker(folder, alone):
    (folder / 'killing.py').write_text(KILLING.format(mark=folder / 'killed'))
    config = (folder / 'tiny.py').read_text().replace('TinyBackbone', 'KillingBackbone')
    config = config.replace(
        "imports=['tiny_backbone']", "imports=['tiny_backbone', 'killing']"
    )
    (folder / 'kill.py').write_text(config)
    # A command of its own: only so do the driver and the workers find the module.
    imports = os.pathsep.join([str(ROOT), str(ROOT / 'tests'), str(folder)])
    arguments = 'kill.py tiny.pth crops --out survived --shard-size 7 --workers 2'
    done = subprocess.run(
        [
            sys.executable,
            ROOT / 'tools' / 'extract_features.py',
            *arguments.split(),
            *('--batch-size', '2', '--ray'),
        ],
        cwd=folder,
        env=dict(os.environ, PYTHONPATH=imports),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    assert (folder / 'killed').exists()
    assert_same(read_shards(folder / 'survived'), alone)


class TestSources:
    def test_folders_of_object_stores(self, folder):
        urls = list_sources([f'file://{folder}/crops/', 'one.jpg'])
        expected = [f'file://{path}' for path in list_images(folder / 'crops')]
        assert urls == [*expected, 'one.jpg']
        (folder / 'none').mkdir()
        with pytest.raises(ValueError, match='none/ holds no image'):
            list_sources([f'file://{folder}/none/'])

    def test_lists_as_parquet(self, tmp_path):
        file = str(tmp_path / 'list.parquet')
        rows = dict(path=['b.jpg', 'a.jpg'], cam_id=[2, 1], note=['ü', ''])
        parquet.write_table(pa.table(rows), file)
        paths, metadata = read_parquet_list(file)
        assert paths == rows['path']
        assert {k: v.tolist() for k, v in metadata.items()} == dict(
            cam_id=[2, 1], note=['ü', '']
        )
        parquet.write_table(pa.table(dict(path=['a'], cam_id=[None])), file)
        with pytest.raises(ValueError, match='missing values in cam_id'):
            read_parquet_list(file)
        parquet.write_table(pa.table(dict(image=['a'])), file)
        with pytest.raises(ValueError, match="images in a column 'path'"):
            read_parquet_list(file)


class TestShards:
    plan = ShardPlan(7, 3, images_hash(['a'], {}), 'abc', 'float16')

    def test_ranges(self):
        assert self.plan.shards == 3
        assert [self.plan.rows(shard) for shard in range(3)] == [
            slice(0, 3),
            slice(3, 6),
            slice(6, 7),
        ]

    def test_another_network_or_other_images_are_refused(self, tmp_path):
        assert open_folder(tmp_path / 'new', self.plan) == [0, 1, 2]
        shard_file(tmp_path / 'new', 1).touch()
        (tmp_path / 'new' / '.shard-000002.parquet.host-7').touch()
        assert open_folder(tmp_path / 'new', self.plan) == [0, 2]
        assert {file.name for file in (tmp_path / 'new').iterdir()} == {
            'plan.json',
            'shard-000001.parquet',
        }
        for change in (dict(model_hash='xyz'), dict(images=8), dict(dtype='float32')):
            with pytest.raises(
                ValueError, match=f'other settings: {next(iter(change))}'
            ):
                open_folder(tmp_path / 'new', self.plan._replace(**change))

    def test_paths_and_metadata_are_told_apart(self):
        cams = np.array([1, 2])
        hashes = {
            images_hash(['a', 'b'], {}),
            images_hash(['ab', ''], {}),
            images_hash(['a', 'b'], dict(cam=cams)),
            images_hash(['a', 'b'], dict(cam=cams[::-1])),
            images_hash(['a', 'b'], dict(cam=np.array(['1', '2']))),
        }
        assert len(hashes) == 5

    def test_what_is_no_complete_folder(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r'it has no plan\.json'):
            read_shards(tmp_path)
        open_folder(tmp_path, self.plan)
        with pytest.raises(FileNotFoundError, match='the folder is not complete'):
            read_shards(tmp_path)


@pytest.mark.slow  # starts a worker
def test_half_precision_and_odd_files(folder, alone, monkeypatch):
    # Where workers find the module that the config imports.
    imports = os.pathsep.join([str(ROOT), str(ROOT / 'tests')])
    monkeypatch.setenv('PYTHONPATH', imports)
    paths = [str(folder / path) for path in alone[0]]
    paths[3] = str(folder / 'vanished.png')
    paths[4] = f'file://{paths[4]}'  # as object stores name theirs
    cfg = Config.fromfile(folder / 'tiny.py')
    metadata = dict(number=np.arange(20))
    for again in range(2):
        unreadable = ray_extraction.extract_by_ray(
            cfg,
            str(folder / 'tiny.pth'),
            paths,
            metadata,
            folder / 'half',
            workers=4,
            shard_size=99,  # one shard: fewer than workers
            dtype='float16',
        )
        assert list(unreadable) == [paths[3]], again
    file = shard_file(folder / 'half', 0)
    table = parquet.read_table(file)
    assert (
        str(table.schema.field('embedding').type)
        == 'fixed_size_list<element: halffloat>[16]'
    )
    assert json.loads(table.schema.metadata[b'unreadable']) == unreadable
    gallery = read_shards(folder / 'half')
    readable = [row for row in range(20) if row != 3]
    assert gallery.metadata['number'].tolist() == readable
    assert gallery.embeddings.dtype == np.float32
    assert np.abs(gallery.embeddings - alone[1][readable]).max() < 1e-3
