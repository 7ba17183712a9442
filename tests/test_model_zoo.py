"""The page of the model zoo and OpenMMLab's metafiles say the same."""

import re

import mmengine
import pytest
from conftest import ROOT

CONFIGS = ROOT / 'configs'
PAGE = (ROOT / 'docs' / 'model_zoo.md').read_text()
ROW = re.compile(
    r'^\| \[`(.+)`\]\((.+)\) \| (.+) \| ([\d.]+) \| ([\d.]+) \| (.+) \|$', re.M
)


def metafiles():
    (index,) = CONFIGS.glob('model-index.yml')
    return [mmengine.load(ROOT / path) for path in mmengine.load(index)['Import']]


def rows_of_metafiles(kind):
    rows = set()
    for file in metafiles():
        for model in file['Models']:
            whose, source = model['Metadata']['Figures'].split(': ')
            (result,) = model['Results']
            metrics = result['Metrics']['mAP'], result['Metrics']['rank-1']
            if whose == kind:
                rows.add((model['Name'], result['Dataset'], *metrics, source))
    return rows


@pytest.mark.parametrize('kind', ['published', 'ours'])
def test_the_page_has_the_rows_of_the_metafiles(kind):
    section = re.search(rf'^## {kind}\n(.+?)(?=^## )', PAGE, re.M | re.S | re.I)[1]
    rows = ROW.findall(section)
    assert rows
    on_page = {(c, data, float(m), float(r), s) for c, _, data, m, r, s in rows}
    assert len(on_page) == len(rows) == section.count('| [')
    assert on_page == rows_of_metafiles(kind)
    assert all(link == f'../configs/{name}.py' for name, link, *_ in rows)


def test_ours_name_hardware_and_commit():
    models = [model for file in metafiles() for model in file['Models']]
    for metadata in (model['Metadata'] for model in models):
        if metadata['Figures'].startswith('ours'):
            assert metadata['Training Resources'] in PAGE
            assert re.search(r'commit [0-9a-f]{7}$', metadata['Figures'])


def test_what_is_named_exists():
    for file in metafiles():
        collections = {collection['Name'] for collection in file['Collections']}
        assert all((ROOT / c['README']).is_file() for c in file['Collections'])
        names = [model['Name'] for model in file['Models']]
        assert len(set(names)) == len(names)
        for model in file['Models']:
            assert model['In Collection'] in collections
            assert model['Config'] == f'configs/{model["Name"]}.py'
            assert (ROOT / model['Config']).is_file()
    patterns = re.findall(r'^\| `(\S+)` \|', PAGE, re.M)
    assert patterns
    assert all(list(CONFIGS.glob(f'{pattern}.py')) for pattern in patterns)


@pytest.mark.parametrize(
    ('name', 'figures'),
    [
        ('cc_r50_market', (82.1, 92.3)),
        ('cc_r50_infomap_msmt17', (31.2, 61.5)),
        ('cc_vit-small-ics_msmt17', (50.6, 75.0)),
        ('cap_r50_market', (79.2, 91.4)),
        ('ice_r50_market', (82.3, 93.8)),
        ('ise_r50_market', (84.7, 94.0)),
        ('spcl_r50_market', (73.1, 88.1)),
        ('adca_r50_sysumm01', (42.7, 45.5)),
        ('pgm_r50_sysumm01', (51.8, 57.3)),
    ],
)
def test_published_figures(name, figures):
    """Read off the papers (ADCA and PGM: off those that quote them), once more."""
    found = [row[2:4] for row in rows_of_metafiles('published') if row[0] == name]
    assert found == [figures]
