"""Crops of videos, interrupted and not."""

import cv2
import numpy as np
import pytest
from PIL import Image
from small_videos import number_of, write_video
from tool_runs import run_tool

from mmreid_cc.datasets import ReIDImageFolder
from mmreid_cc.datasets.video import CropList, CropRules, Recording, cut_crops

RULES = CropRules(min_height=16)


@pytest.fixture
def folder(tmp_path):
    write_video(tmp_path / 'door.mp4', 9)
    write_video(tmp_path / 'hall.mp4', 9, times=[50 * n for n in range(9)])
    lines = [
        f'{frame},{i},{20 * i},20,20,40,0.5' for frame in range(1, 10) for i in (1, 2)
    ]
    (tmp_path / 'door.txt').write_text('\n'.join(lines))
    (tmp_path / 'hall.txt').write_text('\n'.join(lines[6:]))
    return tmp_path


def recordings(folder):
    return [
        Recording(str(folder / f'{name}.mp4'), str(folder / f'{name}.txt'), name, start)
        for name, start in (('door', 100.0), ('hall', 200.0))
    ]


def contents(folder):
    files = sorted(path for path in folder.rglob('*') if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_tool(folder):
    status, printed = run_tool(
        'dataset_converters/video_to_crops.py',
        *('door.mp4', 'hall.mp4', '--tracks', 'door.txt', 'hall.txt', '--out', 'crops'),
        *('--start', '100', '1970-01-01T00:03:20', '--min-height', 16),
        cwd=folder,
    )
    assert status == 0, printed[-2000:]
    assert 'door.mp4: 18 new crops of 2 tracks of camera door. ' in printed
    dataset = ReIDImageFolder(folder / 'crops', train='crops.csv')
    assert len(dataset) == 18 + 12
    tracks, cams = dataset.column('track'), dataset.column('cam_id')
    assert sorted(set(zip(cams.tolist(), tracks.tolist(), strict=True))) == [
        *((10**9, 1), (10**9, 2)),
        *((10**9 + 1, 4), (10**9 + 1, 5)),  # 3 is the largest number of the first, + 1
    ]
    frames = dataset.column('frame').astype(int)
    expected = np.where(
        cams == 10**9, 100 + 0.1 * (frames - 1), 200 + 0.05 * (frames - 1)
    )
    np.testing.assert_allclose(dataset.column('time'), expected, atol=0.002)
    for path, frame in zip(dataset.column('img_path'), frames, strict=True):
        crop = cv2.imread(path)
        assert crop.shape == (40, 20, 3)
        assert number_of(crop) == frame
    for arguments, message in (
        (['--tracks', 'door.txt'], '--tracks: 1 for 2 videos'),
        (['--tracks', 'a', 'b', '--cameras', 'a'], '--cameras: 1 for 2 videos'),
    ):
        status, printed = run_tool(
            'dataset_converters/video_to_crops.py',
            *('door.mp4', 'x/door.mp4', '--out', 'more', *arguments),
            cwd=folder,
        )
        assert status == 2
        assert message in printed


def test_interrupted_at_any_crop(folder, monkeypatch):
    expected = folder / 'expected'
    cut_crops(recordings(folder), expected, RULES)
    add = CropList.add
    for when in (0, 7, 18, 25):
        count = 0

        def fail(self, image, when=when, **row):
            nonlocal count
            count += 1
            if count > when:
                raise KeyboardInterrupt
            add(self, image, **row)

        out = folder / f'after_{when}'
        with monkeypatch.context() as patched:
            patched.setattr(CropList, 'add', fail)
            with pytest.raises(KeyboardInterrupt):
                cut_crops(recordings(folder), out, RULES)
        # Killed while it wrote a crop, and the line of another one.
        (out / 'hall').mkdir(exist_ok=True)
        (out / 'hall' / '000005_000009.jpg.part').write_bytes(b'half')
        content = (out / 'crops.csv').read_bytes()
        (out / 'crops.csv').write_bytes(content + b'door/000002_0000')
        cut_crops(recordings(folder), out, RULES)
        assert contents(out) == contents(expected)


def test_settings_of_a_folder(folder):
    out = folder / 'crops'
    first, second = recordings(folder)
    cut_crops([first], out, RULES)
    with pytest.raises(FileExistsError, match='min_height is 16, wanted 32'):
        cut_crops([first], out)
    moved = Recording(first.video, first.tracks, 'door', start=5.0)
    with pytest.raises(FileExistsError, match=r'start of door.mp4 is 100.0, wanted 5'):
        cut_crops([moved], out, RULES)
    cut_crops([first, second], out, RULES)  # one more
    cut_crops([first, second], folder / 'expected', RULES)
    assert contents(out) == contents(folder / 'expected')
    with pytest.raises(FileExistsError, match='it holds 2 videos'):
        cut_crops([first], out, RULES)
    with pytest.raises(
        FileExistsError, match='not empty, and holds no crops of videos'
    ):
        cut_crops([first], folder, RULES)


def test_tracks_of_another_video(folder):
    (folder / 'door.txt').write_text('3,1,20,20,20,40\n12,1,20,20,20,40\n')
    with pytest.raises(
        ValueError, match=r'door.txt, line 2: .* frame 12, but .* has only 9'
    ):
        cut_crops(recordings(folder), folder / 'crops', RULES)
    with pytest.raises(ValueError, match=r"'a/b' cannot be the name of a camera"):
        cut_crops([Recording('a.mp4', 'a.txt', 'a/b')], folder / 'crops', RULES)


def test_two_cameras_of_one_name(folder):
    """Of one camera at the same time: they cannot be one camera."""
    door, hall = recordings(folder)
    same = Recording(hall.video, hall.tracks, 'door', door.start)
    with pytest.raises(
        ValueError,
        match=r'door.mp4 and .*hall.mp4 are of the camera door, and both '
        r'begin at 100 s. .*--cameras.*--start',
    ):
        cut_crops([door, same], folder / 'crops', RULES)
    later = Recording(hall.video, hall.tracks, 'door', 200.0)
    cut_crops([door, later], folder / 'crops', RULES)
    dataset = ReIDImageFolder(folder / 'crops', train='crops.csv')
    assert len(set(dataset.column('cam_id'))) == 1
    assert len(set(dataset.column('track'))) == 4


def test_somebody_found_twice(folder):
    """Track 2 is track 1, found again: one person, and one crop in each frame."""
    lines = [f'{frame},{i},{20 + i},20,20,40' for frame in (1, 2, 3) for i in (1, 2)]
    (folder / 'door.txt').write_text('\n'.join(lines))
    cut_crops(recordings(folder)[:1], folder / 'crops', RULES)
    dataset = ReIDImageFolder(folder / 'crops', train='crops.csv')
    assert dataset.column('track').tolist() == [1, 1, 1]


def test_frames_of_two_sizes(folder):
    (folder / 'img1').mkdir()
    for number, size in ((1, (96, 64)), (2, (48, 32))):
        Image.new('RGB', size).save(folder / 'img1' / f'{number}.png')
    frames = Recording(str(folder / 'img1'), str(folder / 'door.txt'), 'door')
    (folder / 'door.txt').write_text('1,1,20,20,20,40\n2,1,20,20,20,40\n')
    with pytest.raises(ValueError, match=r'frame 2 has 48 × 32 pixels, .* 96 × 64'):
        cut_crops([frames], folder / 'crops', RULES)


def test_blurred_crops(folder):
    cut_crops(
        recordings(folder)[:1], folder / 'a', CropRules(min_height=16, min_sharpness=50)
    )
    assert (folder / 'a' / 'crops.csv').read_text().count('\n') == 1  # they are grey
