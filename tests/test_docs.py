"""The site builds without a warning, and what the pages name exists."""

import argparse
import re
import runpy
import shlex
import sys
from functools import cache

import pytest
from conftest import ROOT
from mmengine.config import Config, DictAction
from mmengine.registry import Registry

from mmreid_cc import registry
from mmreid_cc.clustering import CLUSTERERS
from mmreid_cc.engine.config_check import check_config, check_options

DOCS = ROOT / 'docs'
FILES = [ROOT / 'README.md', *sorted(DOCS.glob('*.md'))]
PAGES = {page.stem: page.read_text() for page in FILES}
MARKET = 'configs/cc_r50_market.py'
TOOL = r'(?:tools/[\w/]+\.(?:py|sh)|demo/\w+\.py)$'
each_page = pytest.mark.parametrize('page', PAGES)

# The parser asks Sphinx and docutils in ways that they are about to drop.
pytestmark = pytest.mark.filterwarnings('ignore::PendingDeprecationWarning')


def blocks(text, language):
    """The code blocks of a page in one language."""
    return re.findall(rf'^```{language}\n(.*?)^```', text, re.M | re.S)


def table_rows(text, columns):
    """The cells of the rows of all tables of so many columns."""
    lines = re.findall(r'^\|(.*)\|$', text, re.M)
    rows = [[cell.strip() for cell in line.split('|')] for line in lines]
    return [row for row in rows if len(row) == columns]


def check_settings(config, options):
    """See that options can be given behind ``--cfg-options``, all at once."""
    cfg = Config.fromfile(ROOT / config)
    check_options(cfg, options)
    cfg.merge_from_dict(options)
    check_config(cfg)


def value_at(cfg, key):
    """What stands at a key with dots; None if nothing does."""
    for name in key.split('.'):
        cfg = cfg.get(name) if cfg is not None else None
    return cfg


def test_site_builds_without_warnings(tmp_path, capfd):
    """Without pages of source code, which take much time."""
    from sphinx.cmd.build import build_main

    extensions = runpy.run_path(str(DOCS / 'conf.py'))['extensions']
    extensions = ','.join(extensions).replace('sphinx.ext.viewcode,', '')
    options = '-q', '-W', '--keep-going', '-b', 'html'
    settings = '-D', f'extensions={extensions}'
    status = build_main([*options, *settings, str(DOCS), str(tmp_path)])
    assert status == 0, capfd.readouterr().err
    for page in PAGES.keys() - {'README'}:
        assert (tmp_path / f'{page}.html').is_file()


@pytest.mark.parametrize('file', sorted(DOCS.rglob('*.md')), ids=lambda file: file.stem)
def test_a_page_begins_with_its_use(file):
    lines = [line for line in file.read_text().splitlines() if line]
    assert lines[0].startswith('# ')
    if file not in (DOCS / 'index.md', DOCS / 'changelog.md'):
        assert re.match(
            'After reading (this page|these pages) you (can|know) ', lines[1]
        )


@each_page
def test_files_exist(page):
    folders = 'configs|demo|docs|mmreid_cc|tests|tools'
    file = rf'(?<![\w/>])(?:{folders})/[\w./-]+\.(?:ipynb|md|png|py|sh)\b'
    named = re.findall(file, PAGES[page])
    assert [name for name in named if not (ROOT / name).exists()] == []


class ParsedError(Exception):
    """Ends a tool that has read its command line."""


@cache
def main_of(script):
    """The main function of a tool; imported once, as it may register something."""
    return runpy.run_path(str(ROOT / script), run_name='tool')['main']


@each_page
def test_commands_are_understood(page, monkeypatch):
    """By the parser of their tool, which ends there."""
    parse = argparse.ArgumentParser.parse_args

    def parse_and_end(parser):
        parse(parser)
        raise ParsedError

    monkeypatch.setattr(argparse.ArgumentParser, 'parse_args', parse_and_end)
    for block in blocks(PAGES[page], 'bash'):
        for command in block.replace('\\\n', ' ').splitlines():
            words = shlex.split(command, comments=True)
            tools = [i for i, word in enumerate(words) if re.match(TOOL, word)]
            if not tools:
                continue
            tool, *arguments = words[tools[0] :]
            if tool.startswith('tools/dist_'):
                place = 1 if 'train' in tool else 2
                assert arguments.pop(place).isalnum(), command  # processes
            elif tool.startswith('tools/slurm_'):
                del arguments[:2], arguments[1]  # partition, name, work dir
            script = re.sub(r'(?:dist|slurm)_(\w+)\.sh', r'\1.py', tool)
            with monkeypatch.context() as patch:
                patch.syspath_prepend((ROOT / script).parent)
                patch.setattr(sys, 'argv', [script, *arguments])
                with pytest.raises((ParsedError, SystemExit)) as ended:
                    main_of(script)()
                assert not getattr(ended.value, 'code', None), command  # 0 of --help


@each_page
def test_make_targets_exist(page):
    makefile = (ROOT / 'Makefile').read_text()
    for target in re.findall(r'(?:`|^)make ([a-z-]+)', PAGES[page], re.M):
        assert re.search(rf'^{target}:', makefile, re.M), target


@pytest.mark.parametrize(
    'page',
    ['backbones', 'clustering', 'configs', 'get_started', 'own_data', 'visualization'],
)
def test_config_snippets_fit(page, tmp_path):
    snippets = [
        block
        for block in blocks(PAGES[page], 'python')
        if "_base_ = ['configs/" in block and 'custom_imports' not in block
    ]
    assert snippets
    for snippet in snippets:
        file = tmp_path / 'snippet.py'
        file.write_text(snippet.replace("'configs/", f"'{ROOT}/configs/"))
        check_config(Config.fromfile(file))


def test_options_fit():
    options = {}
    for page in ('configs', 'distributed', 'faq', 'method', 'own_data'):
        given = re.findall(
            r'(?:^|[ `])((?:[a-z_0-9]+\.)+[a-z_0-9]+)=([^\s`]+)', PAGES[page], re.M
        )
        options |= {k: DictAction._parse_iterable(v) for k, v in given if '…' not in v}
    assert len(options) > 10
    check_settings(MARKET, options)


def test_keys_of_the_configs_page():
    cfg = Config.fromfile(ROOT / MARKET)
    parent, keys = '', []
    for row in table_rows(PAGES['configs'], 3):
        for key in re.findall(r'`([a-z_.0-9]+)`', row[1]):
            keys.append(parent + key if key.startswith('.') else key)
            parent = keys[-1].rpartition('.')[0]
    assert len(keys) > 25
    # What does not stand in the config is an argument with a default.
    check_settings(MARKET, {k: None for k in keys if value_at(cfg, k) is None})


def test_migration_tables():
    checked = 0
    for section in PAGES['migration'].split('\n### '):
        config = re.match(r'`\w+\.py` → `(configs/\w+\.py)`', section)
        if config is None:
            continue
        cfg = Config.fromfile(ROOT / config[1])
        options = {}
        for _, _, option, here in table_rows(section, 4):
            pair = re.fullmatch(r'`([\w.]+)=(\S+)`', option)
            if pair is None:
                continue
            options[pair[1]] = DictAction._parse_iterable(pair[2])
            value = value_at(cfg, pair[1])
            if value is not None:
                assert here.startswith((str(value), f'`{value}`')), option
        check_settings(config[1], options)
        checked += len(options)
    assert checked == 24


def test_registry_table_is_complete():
    found = {}
    children = {n: v for n, v in vars(registry).items() if isinstance(v, Registry)}
    children['CLUSTERERS'] = CLUSTERERS
    for child in children.values():
        child.import_from_location()
    for name, child in children.items():
        ours = {
            kind
            for kind, component in child.module_dict.items()
            if component.__module__.startswith('mmreid_cc.')
        }
        if ours:
            found[name] = ours
    rows = table_rows((DOCS / 'api' / 'registry.md').read_text(), 2)
    written = {
        re.match('`([A-Z_]+)`', name)[1]: set(re.findall(r'`(\w+)`', kinds))
        for name, kinds in rows
        if name.startswith('`')
    }
    assert written == found
