"""The notebook runs from top to bottom."""

import json

import nbformat
import pytest
from conftest import ROOT
from nbclient import NotebookClient
from tool_runs import start_server

NOTEBOOK = ROOT / 'demo' / 'tutorial.ipynb'
KERNEL = """
import matplotlib
from ipykernel.kernelapp import launch_new_instance
# As it reads from the environment of a kernel, where it is imported there.
matplotlib.use('module://matplotlib_inline.backend_inline')
launch_new_instance()
"""


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """The name of a kernel that has the libraries when it starts."""
    script = tmp_path / 'kernel.py'
    script.write_text(KERNEL)
    argv = [start_server(), str(script), '-f', '{connection_file}']
    spec = tmp_path / 'kernels' / 'started_fast' / 'kernel.json'
    spec.parent.mkdir(parents=True)
    spec.write_text(json.dumps(dict(argv=argv, display_name='', language='python')))
    monkeypatch.setenv('JUPYTER_PATH', str(tmp_path))
    return spec.parent.name


def test_tutorial_runs(kernel):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == 'code']
    assert not any(cell.outputs or cell.execution_count for cell in cells)

    resources = {'metadata': {'path': str(NOTEBOOK.parent)}}
    client = NotebookClient(
        notebook, kernel_name=kernel, timeout=120, resources=resources
    )
    client.execute()

    outputs = [output for cell in cells for output in cell.outputs]
    pictures = [o for o in outputs if 'image/png' in o.get('data', {})]
    assert len(pictures) == 4  # crops, curves, clusters, a ranked gallery
    text = ''.join(output.get('text', '') for output in outputs)
    for measured in ('reid/mAP', 'clusters', 'purity'):
        assert measured in text
