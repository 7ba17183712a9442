"""The configs of foundation weights in docs/backbones.md build, without the weights."""

import re

import pytest
import torch
from conftest import ROOT
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmreid_cc.registry import MODELS

PAGE = (ROOT / 'docs' / 'backbones.md').read_text(encoding='utf-8')
SECTION = PAGE.split('## Foundation weights by timm')[1].split('\n## ')[0]
SNIPPETS = re.findall(r'^```python\n(.*?)^```', SECTION, re.M | re.S)


@pytest.mark.parametrize('number', range(3))
def test_snippet_embeds(number, tmp_path):
    (tmp_path / 'config.py').write_text(
        SNIPPETS[number].replace("'configs/", f"'{ROOT}/configs/")
    )
    config = Config.fromfile(tmp_path / 'config.py')
    assert config.model.backbone.pretrained
    config.model.backbone.pretrained = False  # nothing is downloaded
    init_default_scope('mmreid_cc')
    model = MODELS.build(config.model).eval()
    with torch.no_grad():
        embeddings = model(torch.randn(1, 3, 256, 128), mode='tensor')
    assert embeddings.shape == (1, config.model.head.in_channels)
    assert len(SNIPPETS) == 3
