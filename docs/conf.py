"""How Sphinx builds this folder: ``make docs``."""

import runpy
from pathlib import Path

VERSION = Path(__file__).parents[1] / 'mmreid_cc' / 'version.py'

project = 'mmreid_cc'
author = 'The authors of mmreid_cc'
release = runpy.run_path(str(VERSION))['__version__']
version = release

extensions = [
    'sphinx.ext.autodoc',
    'sphinx.ext.napoleon',
    'sphinx.ext.viewcode',
    'sphinx_copybutton',
    'myst_parser',
]
exclude_patterns = ['_build']

myst_enable_extensions = ['colon_fence', 'dollarmath']
myst_heading_anchors = 3

napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # named tuples document their fields by themselves, too
autodoc_member_order = 'bysource'
autodoc_typehints = 'none'  # types stand in the docstrings, with their shapes
autodoc_inherit_docstrings = False

copybutton_prompt_text = r'>>> |\.\.\. |\$ '
copybutton_prompt_is_regexp = True

html_theme = 'furo'
html_title = f'mmreid_cc {release}'
html_copy_source = False
html_show_copyright = False
