"""Memory that a process can still take."""

from pathlib import Path


def available_memory(root: Path = Path('/')) -> int:
    """Return the bytes that processes can still take, by system and control groups.

    A control group is what limits a container or a job of a scheduler. Its page cache
    of files counts as available, as that of the system does.

    Args:
        root (Path): Folder with ``proc`` and ``sys``.

    Returns:
        int: 0 where the system does not tell.

    Example:
        >>> available_memory() // 2**30
        23
    """
    try:
        fields = _fields(root / 'proc/meminfo')
    except OSError:
        return 0
    available = [fields['MemAvailable:'] * 1024]
    for folder, limit, usage, cache in _control_groups(root):
        try:
            most = (folder / limit).read_text().strip()
            used = int((folder / usage).read_text())
            freed = _fields(folder / 'memory.stat').get(cache, 0)
        except OSError:  # the group at the top has no limit, and may have no file
            continue
        if most != 'max':
            available.append(int(most) - used + freed)
    return max(0, min(available))


def _control_groups(root: Path) -> list[tuple[Path, str, str, str]]:
    """List the groups of this process, and all above them, with their files."""
    groups = []
    try:
        lines = (root / 'proc/self/cgroup').read_text().splitlines()
    except OSError:
        return []
    for line in lines:
        _, kinds, path = line.split(':', 2)
        if kinds == '':  # version 2
            top = root / 'sys/fs/cgroup'
            names = 'memory.max', 'memory.current', 'inactive_file'
        elif 'memory' in kinds.split(','):
            top = root / 'sys/fs/cgroup/memory'
            names = (
                'memory.limit_in_bytes', 'memory.usage_in_bytes', 'total_inactive_file',
            )  # fmt: skip
        else:
            continue
        # A container may see its own group, whatever the path, at the top.
        group = top / path.lstrip('/')
        above = [folder for folder in group.parents if folder.is_relative_to(top)]
        groups += [(folder, *names) for folder in (group, *above)]
    return groups


def _fields(file: Path) -> dict[str, int]:
    lines = (line.split() for line in file.read_text().splitlines())
    return {words[0]: int(words[1]) for words in lines if len(words) > 1}
