"""ReIDInferencer: the same embedding in all ways, and one error for what is wrong."""

import numpy as np
import pytest
import torch
from conftest import write_crop
from mmengine.config import Config
from mmengine.runner import Runner
from PIL import Image
from tiny_network import write_network

from mmreid_cc.apis import Gallery, ReIDInferencer, pool_embeddings
from mmreid_cc.apis.model import load_config, model_hash, scope_of
from mmreid_cc.datasets.crops import list_images
from mmreid_cc.engine import extract_features


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    return write_network(tmp_path_factory.mktemp('network'))


@pytest.fixture(scope='module')
def reid(files):
    return ReIDInferencer(*files, device='cpu', batch_size=5)


def test_a_folder_gives_what_a_test_gives(reid, files, market_root):
    """The embeddings of the Runner's test loader, in the order of the folder."""
    cfg = load_config(files[0])
    loader = cfg.test_dataloader
    loader.dataset.data_root = str(market_root)
    loader.update(num_workers=0, persistent_workers=False, pin_memory=False)
    with scope_of(cfg):
        dataloader = Runner.build_dataloader(loader)
    expected = extract_features(reid.model, dataloader).numpy()
    paths = dataloader.dataset.column('img_path')
    assert np.abs(reid(paths) - expected).max() < 1e-6
    query = reid(market_root / 'query')
    assert np.abs(query - expected[dataloader.dataset.column('is_query')]).max() < 1e-6
    assert query.dtype == np.float32
    assert np.abs(np.linalg.norm(query, axis=1) - 1).max() < 1e-6


@pytest.mark.parametrize('mode', ['RGB', 'L', 'P', 'RGBA', 'CMYK', 'I;16'])
def test_file_pillow_image_and_array_are_one(reid, tmp_path, mode):
    pixels = np.random.default_rng(1).integers(0, 256, (64, 32, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    image = (
        Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)
        if mode == 'I;16'
        else image.convert(mode)
    )
    file = tmp_path / ('crop.tif' if mode == 'CMYK' else 'crop.png')
    image.save(file)
    from_file = reid(file)
    np.testing.assert_array_equal(reid(image), from_file)
    np.testing.assert_array_equal(reid(Image.open(file)), from_file)
    if mode == 'RGB':
        np.testing.assert_array_equal(reid(pixels[:, :, ::-1]), from_file)  # BGR
        assert np.abs(reid(pixels) - from_file).max() > 1e-4


def test_a_turned_photograph(reid, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    write_crop(tmp_path / 'upright.png', 1, 1)
    turned = Image.open(tmp_path / 'upright.png').transpose(Image.Transpose.ROTATE_90)
    turned.save(tmp_path / 'turned.png', exif=exif)
    expected = reid(tmp_path / 'upright.png')
    np.testing.assert_array_equal(reid(tmp_path / 'turned.png'), expected)
    np.testing.assert_array_equal(reid(Image.open(tmp_path / 'turned.png')), expected)


def test_lists_and_generators_in_batches(reid, market_root):
    paths = list_images(market_root / 'query')  # 8
    expected = reid(paths)
    mixed = [paths[0], Image.open(paths[1]), *paths[2:]]
    np.testing.assert_array_equal(reid(mixed), expected)
    np.testing.assert_array_equal(reid(path for path in paths), expected)

    taken = []

    def pictures():
        for path in paths:
            taken.append(path)
            yield path

    batches = []
    hook = reid.model.register_forward_pre_hook(
        lambda *_: batches.append(len(taken)), with_kwargs=False
    )
    reid(pictures())
    hook.remove()
    assert batches == [5, 8]


def test_gallery_and_search(reid, market_root):
    paths = list_images(market_root / 'bounding_box_train')
    pids = [int(path.name[:4]) for path in paths]
    gallery = reid.build_gallery(paths, dict(pid=pids))
    assert gallery.paths == [str(path) for path in paths]
    assert gallery.model_hash == reid.model_hash
    rows, similarities = reid.search(paths[:2], 3)  # in the last gallery
    assert rows[:, 0].tolist() == [0, 1]
    assert similarities[:, 0] == pytest.approx([1, 1], abs=1e-6)
    again = reid.search(paths[:2], topk=3, gallery=gallery)
    np.testing.assert_array_equal(again[0], rows)
    re_ranked, scores = reid.search(paths[0], 6, gallery=gallery, rerank=True)
    assert set(gallery.metadata['pid'][re_ranked[0]]) == {pids[0]}
    assert (np.diff(scores) <= 0).all()


def test_pooled_shots(reid, market_root):
    shots = list_images(market_root / 'query')[:3]
    gallery = reid.build_gallery(market_root / 'bounding_box_test')
    rows, similarities = reid.search(shots, 4, gallery=gallery, pool=True)
    mean = reid(shots).mean(axis=0, keepdims=True)
    expected = gallery.search(mean / np.linalg.norm(mean), topk=4)
    np.testing.assert_array_equal(rows, expected[0])
    np.testing.assert_allclose(similarities, expected[1], atol=1e-6)


def test_images_without_a_file(reid):
    gallery = reid.build_gallery([np.full((8, 4, 3), 7, np.uint8)])
    assert gallery.paths == ['']


def test_the_hash_tells_networks_and_pixels_apart(reid, files, tmp_path):
    config, checkpoint = files
    assert ReIDInferencer(*files, device='cpu').model_hash == reid.model_hash
    cfg = Config.fromfile(config)
    cfg.model.head.memory.temperature = 0.1
    cfg.model.backbone.init_cfg = dict(type='Pretrained', checkpoint='other.pth')
    assert model_hash(reid.model, cfg) == reid.model_hash
    del cfg.model.backbone['init_cfg']
    cfg.test_dataloader.dataset.pipeline[1].scale = (32, 64)
    hashes = {reid.model_hash, ReIDInferencer(cfg, checkpoint, 'cpu').model_hash}
    hashes.add(ReIDInferencer(*write_network(tmp_path, seed=1), 'cpu').model_hash)
    assert len(hashes) == 3


def test_a_gallery_of_another_network(reid, tmp_path):
    other = ReIDInferencer(*write_network(tmp_path, seed=1), 'cpu')
    image = np.zeros((8, 4, 3), np.uint8)
    gallery = other.build_gallery(image)
    with pytest.raises(ValueError, match='The gallery was built by another network'):
        reid.search(image, gallery=gallery)
    by_hand = Gallery(reid(image), [''])
    with pytest.raises(ValueError, match='model hash unknown'):
        reid.search(image, gallery=by_hand)


def test_no_gallery(files):
    with pytest.raises(ValueError, match='There is no gallery to search in'):
        ReIDInferencer(*files, 'cpu').search('a.jpg')


def test_images_that_cannot_be_read(reid, tmp_path):
    (tmp_path / 'broken.jpg').write_bytes(b'no image')
    with pytest.raises(OSError, match=r'broken\.jpg cannot be read .*Unidentified'):
        reid(tmp_path)
    with pytest.raises(OSError, match=r'missing\.jpg cannot be read .*FileNotFound'):
        reid('missing.jpg')
    for nothing in ([], iter([])):
        with pytest.raises(ValueError, match='There is no image to embed'):
            reid(nothing)


def test_weights_that_are_not_finite(files, tmp_path):
    config, checkpoint = files
    content = torch.load(checkpoint)
    content['state_dict']['backbone.0.bias'] *= float('nan')
    torch.save(content, tmp_path / 'broken.pth')
    reid = ReIDInferencer(config, tmp_path / 'broken.pth', 'cpu')
    with pytest.raises(ValueError, match=r'not finite: .*Take another checkpoint'):
        reid(np.zeros((8, 4, 3), np.uint8))


def test_a_checkpoint_of_another_model(files, tmp_path):
    config, checkpoint = files
    weights = torch.load(checkpoint, weights_only=True)['state_dict']
    weights['head.bn.weight'] = torch.ones(7)
    torch.save(weights, tmp_path / 'other.pth')
    message = r'other\.pth does not fit the model .*head\.bn\.weight'
    with pytest.raises(ValueError, match=message):
        ReIDInferencer(config, tmp_path / 'other.pth')
    del weights['head.bn.weight']
    torch.save(weights, tmp_path / 'other.pth')
    with pytest.raises(ValueError, match=r'Missing in the file: head\.bn\.weight'):
        ReIDInferencer(config, tmp_path / 'other.pth')
    with pytest.raises(FileNotFoundError, match=r'missing\.pth'):
        ReIDInferencer(config, 'missing.pth')


def test_configs_that_do_not_do(files):
    config, checkpoint = files
    cfg = Config.fromfile(config)
    cfg.test_dataloader.dataset.pipeline.pop(0)
    with pytest.raises(ValueError, match='must begin with LoadReIDImage'):
        ReIDInferencer(cfg, checkpoint)
    cfg.test_dataloader = cfg.val_dataloader = None
    with pytest.raises(ValueError, match=r'test_dataloader\.dataset\.pipeline'):
        ReIDInferencer(cfg, checkpoint)
    with pytest.raises(ValueError, match='has no `model`'):
        ReIDInferencer(Config(), checkpoint)
    with pytest.raises(TypeError, match='not a int'):
        ReIDInferencer(7, checkpoint)
    with pytest.raises(ValueError, match='batch_size must be an integer of at least 1'):
        ReIDInferencer(config, checkpoint, batch_size=0)


class TestPooling:
    def test_mean_of_each_person(self):
        rows = np.float32([[1, 0], [0, 1], [0.6, 0.8]])
        expected = [[0.6, 0.8], [0.5**0.5, 0.5**0.5]]
        pooled = pool_embeddings(rows, ['b', 'b', 'a'])
        assert pooled == pytest.approx(np.array(expected), abs=1e-6)
        assert pool_embeddings(rows[:2]) == pytest.approx(np.array(expected[1:]))

    def test_errors(self):
        with pytest.raises(ValueError, match='one entry for each of the 2 rows'):
            pool_embeddings(np.eye(2), [1])
        with pytest.raises(ValueError, match='2-D'):
            pool_embeddings(np.zeros(3))
