"""The linear map learns across cameras from tracks."""

import re

import numpy as np
from tool_runs import run_tool

from mmreid_cc.apis import Gallery


def write_gallery(file, pids, shots, rng):
    """People seen by two cameras, which turn some dimensions upside down."""
    people = np.random.default_rng(0).standard_normal((20, 32))
    pid = np.repeat(pids, 2 * shots)
    cam = np.tile(np.repeat([1, 2], shots), len(pids))
    embeddings = people[pid] + 0.5 * rng.standard_normal((len(pid), 32))
    embeddings[cam == 2, :8] *= -2
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    known = dict(pid=pid, cam_id=cam, track=pid)
    Gallery(embeddings.astype(np.float32), [''] * len(pid), known).save(file)


def test_a_row(tmp_path):
    rng = np.random.default_rng(1)
    write_gallery(tmp_path / 'train.npz', np.arange(12), 6, rng)
    write_gallery(tmp_path / 'query.npz', np.arange(12, 20), 1, rng)
    write_gallery(tmp_path / 'gallery.npz', np.arange(12, 20), 4, rng)
    names = 'train.npz', 'query.npz', 'gallery.npz'
    options = '--rows', '7', '--seeds', '1', '--epochs', '3'
    status, printed = run_tool(
        'analysis_tools/adapt_linearly.py', *names, *options, cwd=tmp_path
    )
    assert status == 0, printed[-2000:]
    before = float(re.search(r'\| before \| ([\d.]+)', printed)[1])
    after = float(re.search(r'\| all four \| ([\d.]+)', printed)[1])
    assert after > before + 5
