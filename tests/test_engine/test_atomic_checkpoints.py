"""A checkpoint is whole or not there, and an older one stays until then."""

import errno
import os
import shutil
from pathlib import Path

import pytest
from mmengine.runner import Runner

from mmreid_cc.engine.hooks.atomic_checkpoint_hook import write_atomically
from mmreid_cc.engine.resuming import is_whole, newest_whole_checkpoint


def checkpoints(runner):
    return sorted(path.name for path in Path(runner.work_dir).glob('*.pth*'))


def test_older_ones_are_removed_after_newer_are_saved(tiny_config, monkeypatch):
    tiny_config.default_hooks.checkpoint.max_keep_ckpts = 1
    tiny_config.train_cfg.max_epochs = 3
    runner = Runner.from_cfg(tiny_config)
    seen = []
    save = runner.save_checkpoint

    def spy(*args, **kwargs):
        seen.append(checkpoints(runner))
        save(*args, **kwargs)

    monkeypatch.setattr(runner, 'save_checkpoint', spy)
    runner.train()
    last = [name for name in checkpoints(runner) if name.startswith('epoch')]
    assert last == ['epoch_3.pth']
    best = [name for name in checkpoints(runner) if name.startswith('best')]
    assert len(best) == 1
    # At no time after the first was there none of the kind to be saved.
    assert all(any(n.startswith('best') for n in names) for names in seen[1:])
    first = next(i for i, names in enumerate(seen) if 'epoch_1.pth' in names)
    assert all(any(n.startswith('epoch') for n in names) for names in seen[first:])
    assert not any(name.endswith('.part') for name in checkpoints(runner))


@pytest.mark.skipif(not Path('/dev/full').exists(), reason='needs /dev/full')
def test_full_disk(tiny_config):
    """No space left: the error says what to do, and the older checkpoint is whole."""
    tiny_config.default_hooks.checkpoint.update(max_keep_ckpts=1, save_best=None)
    runner = Runner.from_cfg(tiny_config)
    work_dir = Path(runner.work_dir)
    (work_dir / 'epoch_2.pth.part').symlink_to('/dev/full')
    with pytest.raises(OSError, match='make room, and continue with') as caught:
        runner.train()
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename.endswith('epoch_2.pth')
    assert checkpoints(runner) == ['epoch_1.pth']
    assert (work_dir / 'last_checkpoint').read_text().endswith('epoch_1.pth')
    assert newest_whole_checkpoint(work_dir) == str(work_dir / 'epoch_1.pth')


def test_writing_replaces_all_or_nothing(tmp_path):
    path = tmp_path / 'new' / 'file'
    write_atomically(path, b'old')
    assert path.read_bytes() == b'old'
    if Path('/dev/full').exists():
        part = path.with_name('file.part')
        part.symlink_to('/dev/full')
        with pytest.raises(OSError, match='cannot be written'):
            write_atomically(path, b'new')
        assert path.read_bytes() == b'old'
        assert os.listdir(path.parent) == ['file']


def test_other_storages_are_left_alone(tiny_config):
    tiny_config.default_hooks.checkpoint.backend_args = dict(backend='local')
    runner = Runner.from_cfg(tiny_config)
    runner.train()
    assert 'epoch_2.pth' in checkpoints(runner)


@pytest.fixture
def work_dir(tiny_config):
    tiny_config.train_cfg.max_epochs = 3
    tiny_config.default_hooks.checkpoint.max_keep_ckpts = 3
    Runner.from_cfg(tiny_config).train()
    return Path(tiny_config.work_dir)


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize('harm', [cut, flip_a_bit, lambda path: path.write_bytes(b'')])
def test_broken_newest(work_dir, capsys, harm):
    newest = work_dir / 'epoch_3.pth'
    assert newest_whole_checkpoint(work_dir) == str(newest)
    stamp = newest.stat()
    harm(newest)
    os.utime(newest, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert not is_whole(newest)
    assert newest_whole_checkpoint(work_dir) == str(work_dir / 'epoch_2.pth')
    assert 'epoch_3.pth is broken' in capsys.readouterr().out


def test_all_broken(work_dir):
    for path in work_dir.glob('epoch_*.pth'):
        cut(path)
    with pytest.raises(RuntimeError, match=r'None of the 3 checkpoints .* is complete'):
        newest_whole_checkpoint(work_dir)


def test_none(tmp_path):
    assert newest_whole_checkpoint(tmp_path / 'nowhere') is None
    (tmp_path / 'best_reid_mAP_epoch_3.pth').write_bytes(b'')
    (tmp_path / 'last_checkpoint').write_text('')  # killed while it was written
    assert newest_whole_checkpoint(tmp_path) is None


def test_a_work_dir_that_was_moved(work_dir, tmp_path):
    """The run continues from what was moved, not from the beginning."""
    moved = work_dir.rename(tmp_path / 'elsewhere')
    assert newest_whole_checkpoint(moved) == str(moved / 'epoch_3.pth')


def test_a_work_dir_that_was_copied(work_dir, tmp_path):
    """The copy continues by itself, and the order in which it was made is no matter."""
    copy = Path(shutil.copytree(work_dir, tmp_path / 'copy'))
    os.utime(copy / 'epoch_1.pth')
    assert newest_whole_checkpoint(copy) == str(copy / 'epoch_3.pth')


def test_other_weights_in_the_work_dir(work_dir):
    """Published ones, for example, from which no run continues."""
    shutil.copy(work_dir / 'epoch_1.pth', work_dir / 'published-0123abcd.pth')
    assert newest_whole_checkpoint(work_dir) == str(work_dir / 'epoch_3.pth')


def test_checkpoints_in_another_folder(work_dir, tmp_path):
    """As `CheckpointHook(out_dir=...)` saves them."""
    folder = tmp_path / 'checkpoints'
    folder.mkdir()
    for path in work_dir.glob('epoch_*.pth'):
        path.rename(folder / path.name)
    (work_dir / 'last_checkpoint').write_text(f'{folder}/epoch_3.pth')
    assert newest_whole_checkpoint(work_dir) == str(folder / 'epoch_3.pth')
    folder.rename(tmp_path / 'not_mounted')
    with pytest.raises(
        FileNotFoundError, match=r'checkpoints does not exist.*--resume'
    ):
        newest_whole_checkpoint(work_dir)
