"""A checkpoint of unknown origin never executes code, whichever way it is loaded."""

import builtins
import os
import pickle
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pickle import UnpicklingError

import pytest
import torch
from conftest import ROOT
from loading import safe_loading
from mmengine.fileio.backends import BaseStorageBackend, registry_utils
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader, Runner, checkpoint
from tool_runs import run_tool

REFUSED = r'{} holds more than weights, or is broken \({}.*nothing in it was executed'


class MakesFolder:
    """Unpickled without care, it makes a folder: that stands for any command."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


@pytest.fixture
def trap(tmp_path):
    """A folder that is there as soon as code of a checkpoint was executed."""
    return tmp_path / 'executed'


@pytest.fixture
def safe():
    """As in the tools, for one test."""
    with safe_loading():
        yield


def replaced(source, target, edit):
    """A copy of a checkpoint with another pickle inside."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, 'w') as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, edit(content) if name.endswith('data.pkl') else content)
    return str(target)


def test_the_trap_works(tmp_path):
    torch.save(MakesFolder(tmp_path / 'executed'), tmp_path / 'a.pth')
    torch.load(tmp_path / 'a.pth', weights_only=False)
    assert (tmp_path / 'executed').exists()


@pytest.mark.skipif(
    not hasattr(checkpoint, '_safe_torch_load'), reason='only the maintained build'
)
def test_mmengine_alone_is_not_safe(tmp_path):
    """What this is all for; when it fails, MMEngine reads weights only."""
    torch.save(MakesFolder(tmp_path / 'executed'), tmp_path / 'a.pth')
    CheckpointLoader.load_checkpoint(str(tmp_path / 'a.pth'))
    assert (tmp_path / 'executed').exists()


@pytest.mark.parametrize('tool', ['train.py', 'test.py'])
def test_the_tools(market_root, tmp_path, trap, tool):
    """Each ends with the error, before it has trained or tested anything."""
    torch.save({'state_dict': {}, 'meta': MakesFolder(trap)}, tmp_path / 'evil.pth')
    config = ROOT / 'configs' / 'cc_mbv2_cuhk03.py'
    options = ['--data-root', market_root, '--cfg-options']
    options += ['model.backbone.init_cfg=None']
    checkpoint = ['evil.pth'] if tool == 'test.py' else ['--resume', 'evil.pth']
    status, printed = run_tool(tool, config, *checkpoint, *options, cwd=tmp_path)
    assert status != 0
    assert 'UnpicklingError: evil.pth holds more than weights' in printed
    assert not trap.exists()


@pytest.mark.usefixtures('safe')
class TestLoading:
    def refused(self, file, what=''):
        match = REFUSED.format(os.path.basename(file), what)
        with pytest.raises(UnpicklingError, match=match) as caught:
            CheckpointLoader.load_checkpoint(str(file))
        return str(caught.value)

    @pytest.mark.parametrize('new_format', [True, False])
    def test_a_call(self, tmp_path, trap, new_format):
        content = {'state_dict': {}, 'meta': MakesFolder(trap)}
        torch.save(
            content,
            tmp_path / 'a.pth',
            _use_new_zipfile_serialization=new_format,
        )
        self.refused(tmp_path / 'a.pth', r'GLOBAL posix.mkdir')
        assert not trap.exists()

    def test_a_plain_pickle(self, tmp_path, trap):
        (tmp_path / 'a.pth').write_bytes(pickle.dumps(MakesFolder(trap), protocol=2))
        self.refused(tmp_path / 'a.pth')
        assert not trap.exists()

    def test_a_whole_model(self, tmp_path):
        torch.save(torch.nn.Linear(2, 2), tmp_path / 'a.pth')
        said = self.refused(
            tmp_path / 'a.pth', r'GLOBAL torch.nn.modules.linear.Linear'
        )
        assert 'nothing in it was executed' in said

    def test_getattr_reaches_nothing(self, tmp_path):
        """By getattr, which MMEngine allows, a file could replace built-in functions.

        ``getattr(getattr, '__self__').__dict__['divmod'] = eval``, as a pickle.
        """

        def text(characters):
            return b'X' + len(characters).to_bytes(4, 'little') + characters.encode()

        def attribute(owner, name):
            return b'cbuiltins\ngetattr\n(' + owner + text(name) + b'tR'

        builtin = attribute(b'cbuiltins\ngetattr\n', '__self__')
        names = attribute(builtin, '__dict__')
        program = names + text('divmod') + attribute(builtin, 'eval') + b's'
        torch.save({}, tmp_path / 'a.pth')
        replaced(
            tmp_path / 'a.pth',
            tmp_path / 'b.pth',
            lambda _: b'\x80\x02' + program + b'.',
        )
        before = builtins.divmod
        try:
            self.refused(tmp_path / 'b.pth', "it asks for the attribute '__self__'")
            assert builtins.divmod is before
        finally:
            builtins.divmod = before

    def test_explicitly_unsafe_loading_is_overruled(self, tmp_path, trap):
        """As by the fallback of MMEngine, and by torch.hub."""
        torch.save(MakesFolder(trap), tmp_path / 'a.pth')
        with pytest.raises(UnpicklingError):
            torch.load(tmp_path / 'a.pth', weights_only=False)
        assert not trap.exists()

    def test_a_download(self, tmp_path, trap, monkeypatch):
        monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'hub'))
        torch.save({'meta': MakesFolder(trap)}, tmp_path / 'evil.pth')
        torch.save({'meta': {'config': 'code'}, 'a': 1}, tmp_path / 'good.pth')
        handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
        with ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            url = f'http://127.0.0.1:{server.server_port}'
            loaded = CheckpointLoader.load_checkpoint(f'{url}/good.pth')
            self.refused(f'{url}/evil.pth', r'GLOBAL posix.mkdir')
            server.shutdown()
        assert loaded == {'meta': {}, 'a': 1}
        assert not trap.exists()

    def test_a_storage_of_objects(self, tmp_path, trap, monkeypatch):
        class Folder(BaseStorageBackend):
            def get(self, filepath):
                return (tmp_path / filepath.removeprefix('s3://')).read_bytes()

            def get_text(self, filepath):
                raise NotImplementedError

        monkeypatch.setitem(registry_utils.prefix_to_backends, 's3', Folder)
        torch.save({'meta': MakesFolder(trap)}, tmp_path / 'evil.pth')
        torch.save({'a': torch.ones(2)}, tmp_path / 'good.pth')
        loaded = CheckpointLoader.load_checkpoint('s3://good.pth')
        assert loaded['a'].tolist() == [1, 1]
        self.refused('s3://evil.pth', r'GLOBAL posix.mkdir')
        assert not trap.exists()

    @pytest.mark.parametrize('content', [b'', b'hello', b'PK\x03\x04 cut off', b'\x80'])
    def test_broken_files_are_named(self, tmp_path, content):
        (tmp_path / 'a.pth').write_bytes(content)
        with pytest.raises((RuntimeError, UnpicklingError), match=r'a.pth '):
            CheckpointLoader.load_checkpoint(str(tmp_path / 'a.pth'))

    def test_what_is_no_dict(self, tmp_path):
        torch.save(torch.ones(2), tmp_path / 'a.pth')
        with pytest.raises(RuntimeError, match=r'a.pth holds a Tensor, not a dict'):
            CheckpointLoader.load_checkpoint(str(tmp_path / 'a.pth'))

    def test_what_was_allowed_before_stays_allowed(self, tmp_path):
        """Those of our import, by which the classic MMEngine resumes."""
        torch.serialization.add_safe_globals([HistoryBuffer])
        before = set(torch.serialization.get_safe_globals())
        torch.save({'a': 1}, tmp_path / 'a.pth')
        CheckpointLoader.load_checkpoint(str(tmp_path / 'a.pth'))
        assert set(torch.serialization.get_safe_globals()) == before

    def test_a_missing_file(self):
        with pytest.raises(FileNotFoundError, match=r'gone.pth cannot be found'):
            CheckpointLoader.load_checkpoint('gone.pth')

    @pytest.mark.parametrize('way', ['load_from', 'resume', 'pretrained', 'prefix'])
    def test_every_way_of_a_config(self, tiny_config, tmp_path, trap, way):
        file = str(tmp_path / 'evil.pth')
        torch.save({'state_dict': {}, 'meta': MakesFolder(trap)}, file)
        if way in ('load_from', 'resume'):
            tiny_config.load_from = file
            tiny_config.resume = way == 'resume'
        else:
            init_cfg = dict(type='Pretrained', checkpoint=file)
            if way == 'prefix':
                init_cfg['prefix'] = 'backbone.'
            backbone = dict(type='ResNet', depth=18, stem_channels=8, base_channels=8)
            tiny_config.model.backbone = dict(**backbone, init_cfg=init_cfg)
            tiny_config.model.head.in_channels = 64
        runner = Runner.from_cfg(tiny_config)
        with pytest.raises(UnpicklingError, match=REFUSED.format('evil.pth', '')):
            runner.train()
        assert not trap.exists()

    def test_resuming_executes_no_config(self, tiny_config, tmp_path, trap):
        """``Runner.resume`` runs ``meta['config']`` as Python; ours never sees it.

        And a checkpoint of our own, with the history of its log, is read.
        """
        tiny_config.train_cfg.max_epochs = 1
        Runner.from_cfg(tiny_config).train()
        file = f'{tiny_config.work_dir}/epoch_1.pth'
        content = CheckpointLoader.load_checkpoint(file)
        content['meta']['config'] = f'import os\nos.mkdir({str(trap)!r})\n'
        torch.save(content, tmp_path / 'evil.pth')
        tiny_config.load_from = str(tmp_path / 'evil.pth')
        tiny_config.resume = True
        tiny_config.train_cfg.max_epochs = 2
        tiny_config.experiment_name += '_resumed'
        runner = Runner.from_cfg(tiny_config)
        runner.train()
        assert runner.epoch == 2
        assert not trap.exists()

    @pytest.mark.parametrize('core', [b'numpy.core', b'numpy._core'])
    def test_files_of_either_numpy(self, tmp_path, core):
        history = HistoryBuffer([1.0, 2.0], [1, 1])
        torch.save({'log': history, 'eta': history.mean()}, tmp_path / 'a.pth')

        def rename(program):
            assert b'numpy._core' in program or b'numpy.core' in program
            return program.replace(b'numpy._core', b'numpy.core').replace(
                b'numpy.core', core
            )

        file = replaced(tmp_path / 'a.pth', tmp_path / 'b.pth', rename)
        loaded = CheckpointLoader.load_checkpoint(file)
        assert loaded['log'].mean() == loaded['eta'] == 1.5
        assert loaded['log'].max() == 2
