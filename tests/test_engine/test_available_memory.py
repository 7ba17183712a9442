"""The memory that is left, by the files of the system and of control groups."""

import pytest

from mmreid_cc.engine.available_memory import available_memory

GB = 2**30


@pytest.fixture
def root(tmp_path):
    """A system with 8 GB, and a function that writes files of a group."""
    (tmp_path / 'proc/self').mkdir(parents=True)
    (tmp_path / 'proc/meminfo').write_text(
        f'MemTotal: {16 * 2**20} kB\nMemAvailable: {8 * 2**20} kB\nHugePages_Total: 0\n'
    )
    return tmp_path


def write_group(folder, limit, used, inactive, version=2):
    folder.mkdir(parents=True, exist_ok=True)
    names = {
        1: ('memory.limit_in_bytes', 'memory.usage_in_bytes', 'total_inactive_file'),
        2: ('memory.max', 'memory.current', 'inactive_file'),
    }
    of_limit, of_usage, of_cache = names[version]
    (folder / of_limit).write_text(f'{limit}\n')
    (folder / of_usage).write_text(f'{used}\n')
    (folder / 'memory.stat').write_text(f'anon 1\n{of_cache} {inactive}\n')


def test_this_machine():
    assert 0 < available_memory() < 2**50


def test_no_group(root):
    assert available_memory(root) == 8 * GB


def test_no_such_system(tmp_path):
    assert available_memory(tmp_path) == 0


@pytest.mark.parametrize('version', [1, 2])
def test_group_of_a_job(root, version):
    """Its own limit, below one that has more; files it has read are no loss."""
    line = {1: '4:cpu,memory:/slurm/job', 2: '0::/slurm/job'}[version]
    (root / 'proc/self/cgroup').write_text(f'9:name=systemd:/\n{line}\n')
    top = root / {1: 'sys/fs/cgroup/memory', 2: 'sys/fs/cgroup'}[version]
    write_group(top / 'slurm', 7 * GB, 1 * GB, 0, version)
    write_group(top / 'slurm/job', 4 * GB, 3 * GB, 1 * GB, version)
    assert available_memory(root) == 2 * GB


def test_limit_above_the_job(root):
    (root / 'proc/self/cgroup').write_text('0::/pod/container\n')
    top = root / 'sys/fs/cgroup'
    write_group(top / 'pod', 5 * GB, 2 * GB, 0)
    write_group(top / 'pod/container', 'max', 1 * GB, 0)
    assert available_memory(root) == 3 * GB


def test_container_that_sees_its_group_at_the_top(root):
    (root / 'proc/self/cgroup').write_text('0::/docker/0123\n')
    write_group(root / 'sys/fs/cgroup', 2 * GB, 1 * GB, 0)
    assert available_memory(root) == 1 * GB


def test_more_than_the_limit_is_used(root):
    (root / 'proc/self/cgroup').write_text('0::/\n')
    write_group(root / 'sys/fs/cgroup', 1 * GB, 2 * GB, 0)
    assert available_memory(root) == 0
