"""The notebook runs from top to bottom."""

import nbformat
from conftest import ROOT
from nbclient import NotebookClient

NOTEBOOK = ROOT / 'demo' / 'tutorial.ipynb'


def test_tutorial_runs():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == 'code']
    assert not any(cell.outputs or cell.execution_count for cell in cells)

    resources = {'metadata': {'path': str(NOTEBOOK.parent)}}
    NotebookClient(notebook, timeout=120, resources=resources).execute()

    outputs = [output for cell in cells for output in cell.outputs]
    pictures = [o for o in outputs if 'image/png' in o.get('data', {})]
    assert len(pictures) == 4  # crops, curves, clusters, a ranked gallery
    text = ''.join(output.get('text', '') for output in outputs)
    for measured in ('reid/mAP', 'clusters', 'purity'):
        assert measured in text
