"""Checks for misspelt keys and wrong values in a config, before anything is built."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from mmengine.optim.scheduler.param_scheduler import _ParamScheduler
from mmengine.registry import FUNCTIONS, Registry
from mmengine.runner import (
    EpochBasedTrainLoop,
    IterBasedTrainLoop,
    Runner,
    TestLoop,
    ValLoop,
)
from torch import Tensor
from torch.utils.data import DataLoader

from mmreid_cc import registry as ours
from mmreid_cc.clustering import CLUSTERERS

REGISTRIES: list[Registry] = [
    FUNCTIONS,
    CLUSTERERS,
    *(value for value in vars(ours).values() if isinstance(value, Registry)),
]

BUILDER_KEYS: dict[type, set[str]] = {
    # Keys that are taken from a config before the rest is passed to the class.
    Hook: {'priority'},
    OptimWrapper: {'constructor', 'paramwise_cfg'},
    _ParamScheduler: {'convert_to_iter_based'},
    EpochBasedTrainLoop: {'by_epoch'},
    IterBasedTrainLoop: {'by_epoch'},
    DataLoader: {'num_batch_per_epoch'},
}

SECTIONS: dict[str, Callable | set[str]] = {
    # Parts of a config that need no `type`, and what reads their keys.
    'optim_wrapper': OptimWrapper,
    'train_cfg': EpochBasedTrainLoop,
    'val_cfg': ValLoop,
    'test_cfg': TestLoop,
    'train_dataloader': DataLoader,
    'val_dataloader': DataLoader,
    'test_dataloader': DataLoader,
    'randomness': Runner.set_randomness,
    'env_cfg': {'cudnn_benchmark', 'tf32', 'mp_cfg', 'dist_cfg', 'resource_limit'},
    'auto_scale_lr': {'enable', 'base_batch_size'},
}

REMOVABLE_HOOKS = {
    'runtime_info',
    'timer',
    'sampler_seed',
    'logger',
    'param_scheduler',
    'checkpoint',
}

# Annotations of arguments that no text belongs to.
FLAGS = {bool, 'bool', type(None)}
NUMBERS = {*FLAGS, int, 'int', float, 'float', Tensor}

RUNNER_KEYS = {
    *inspect.signature(Runner).parameters,
    # What a Runner looks up in the whole config.
    'activation_checkpointing',
    'compile',
    'efficient_conv_bn_eval',
    'find_unused_parameters',
    'model_wrapper_cfg',
    'sync_bn',
}


def check_config(cfg: Config) -> None:
    """Check that every component exists and accepts the arguments that it is given.

    MMEngine's registry also raises an error for a misspelt argument, but for some only
    after minutes, and without its place in the config. What the command line adds by
    ``--cfg-options`` is part of the config, and checked with it.

    Args:
        cfg (Config): Config of a Runner. What the Runner does not read, e.g. variables
            that help to write the config, is passed over; so are the arguments of a
            component that takes any (``**kwargs``).

    Raises:
        ValueError: If a key or name is unknown, or a text stands for a number, for
            True or False, or for a part of the config. The error has a line for each of
            them, with similar names.

    Example:
        >>> cfg.model.head.memory.momentun = 0.2
        >>> check_config(cfg)
        ValueError: The config has
          model.head.memory.momentun: ClusterMemory has no argument 'momentun'. Did you
          mean 'momentum'?
    """
    content = cfg.to_dict()
    read = {name: content[name] for name in content if name in RUNNER_KEYS}
    problems = [problem for name in read for problem in _walk(name, read[name])]
    if problems:
        raise ValueError(
            'The config does not fit what it configures:\n  ' + '\n  '.join(problems)
        )


def check_options(cfg: Config, options: Mapping[str, Any]) -> None:
    """Check that options of the command line change keys that exist.

    A key at the top of a config may have any name, so a misspelt one would be ignored.

    Args:
        cfg (Config): Before the options are merged into it.
        options (Mapping[str, Any]): Options of ``--cfg-options``, whose keys contain
            dots.

    Raises:
        ValueError: If the first part of a key is neither in the config nor read by the
            Runner; it names the key and what is similar to it.

    Example:
        >>> check_options(cfg, {'optim_wraper.optimizer.lr': 1e-4})
        ValueError: --cfg-options optim_wraper.optimizer.lr: the config has no
        'optim_wraper'. Did you mean 'optim_wrapper'?
    """
    known = {*cfg.keys(), *RUNNER_KEYS}
    for key in options:
        top = key.split('.')[0]
        if top not in known:
            raise ValueError(
                f'--cfg-options {key}: the config has no {top!r}.{_similar(top, known)}'
            )


def _walk(path: str, value: Any) -> Iterator[str]:
    """List the errors in a part of a config and below it."""
    if isinstance(value, Mapping):
        if '_scope_' in value:
            return  # of another project, whose registries are its own
        if 'type' in value:
            yield from _check_component(path, value)
        elif path in SECTIONS:
            section = SECTIONS[path]
            if path == 'train_cfg' and not value.get('by_epoch', True):
                section = IterBasedTrainLoop
            keys = section if isinstance(section, set) else arguments_of(section)
            yield from _check_keys(path, value, f'`{path}`', [keys])
            if not isinstance(section, set):
                yield from _check_values(path, value, f'`{path}`', [section])
        elif path == 'default_hooks':
            yield from _check_hook_names(value)
        elif path.endswith('.init_cfg'):
            yield (
                f"{path}: it needs a `type`, as in dict(type='Pretrained', "
                "checkpoint='weights.pth')."
            )
        for key, child in value.items():
            yield from _walk(f'{path}.{key}', child)
    elif isinstance(value, (list, tuple)):
        for index, child in enumerate(value):
            yield from _walk(f'{path}[{index}]', child)
    elif path in {'model', *SECTIONS} and isinstance(value, (str, int, float)):
        yield f'{path}: it must be a dict, not {value!r}.'


def _check_hook_names(hooks: Mapping) -> Iterator[str]:
    """Check that the entries of ``default_hooks`` are hooks."""
    named = {name for name, hook in hooks.items() if hook is None or 'type' in hook}
    for name, hook in hooks.items():
        if name not in named:
            yield (
                f'default_hooks.{name}: this is not a hook, because it has no `type`.'
                + _similar(name, named)
            )
        elif hook is None and name not in REMOVABLE_HOOKS:
            yield (
                f'default_hooks.{name}: None removes only the hooks of MMEngine '
                f'{sorted(REMOVABLE_HOOKS)}. To remove this one, delete its entry.'
            )


def _check_component(path: str, component: Mapping) -> Iterator[str]:
    """Check ``dict(type=..., ...)`` against the component of that name."""
    kind = component['type']
    found = [kind]
    if isinstance(kind, str):
        found = [_resolved(registry, kind) for registry in REGISTRIES]
        found = [candidate for candidate in found if candidate is not None]
    if not found:
        names = {name for registry in REGISTRIES for name in _names(registry)}
        yield f'{path}.type: nothing is called {kind!r}.{_similar(kind, names)}'
        return
    name = getattr(found[0], '__name__', str(kind))
    yield from _check_keys(path, component, name, [arguments_of(c) for c in found])
    yield from _check_values(path, component, name, found)


def _resolved(registry: Registry, kind: str) -> Any:
    """Return the component of a name in a registry or its parents, or None."""
    if '.' in kind:
        return registry.get(kind)
    # `get` would also try to import a module of this name, from every registry.
    registry.import_from_location()
    level: Registry | None = registry
    while level is not None:
        if kind in level.module_dict:
            return level.module_dict[kind]
        level = level.parent
    return None


def _check_keys(
    path: str, component: Mapping, name: str, accepted: list[set[str] | None]
) -> Iterator[str]:
    """Compare keys with the components that may be meant; one must fit."""
    keys = set(component) - {'type'}
    if any(arguments is None or keys <= arguments for arguments in accepted):
        return
    known = {argument for arguments in accepted for argument in arguments or ()}
    for key in component:
        if key in keys - known:
            similar = _similar(key, known)
            yield f'{path}.{key}: {name} has no argument {key!r}.{similar}'


def _check_values(
    path: str, component: Mapping, name: str, meant: Sequence[Callable]
) -> Iterator[str]:
    """Find texts in the place of numbers; none of the components may take them."""
    needed = [_numeric_arguments(candidate) for candidate in meant]
    for key, value in component.items():
        if isinstance(value, str) and all(key in arguments for arguments in needed):
            yield f'{path}.{key}: {name} needs {needed[0][key]}, not {value!r}.'


def _numeric_arguments(component: Callable) -> dict[str, str]:
    """Return the arguments that are numbers by their annotation, and what they need."""
    arguments = {}
    for parameter in inspect.signature(component).parameters.values():
        types = {*(get_args(parameter.annotation) or [parameter.annotation])}
        if types <= NUMBERS:
            needed = 'True or False' if types <= FLAGS else 'a number'
            arguments[parameter.name] = needed
    return arguments


def arguments_of(component: Callable) -> set[str] | None:
    """Return the keys that the config of a component may have besides ``type``.

    Args:
        component (Callable): A class or function.

    Returns:
        set[str] | None: The keys; None if it takes any key.
    """
    functions = [component]
    if inspect.isclass(component) and issubclass(component, _ParamScheduler):
        # They hand **kwargs up to the next class, of which the last takes none.
        bases = [vars(base) for base in component.__mro__]
        functions = [base['__init__'] for base in bases if '__init__' in base]
    names: set[str] = set()
    for function in functions:
        parameters = inspect.signature(function).parameters.values()
        takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
        names |= {p.name for p in parameters if p.kind is not p.VAR_KEYWORD}
        if not takes_any:
            break
    if takes_any:
        return None
    for base, keys in BUILDER_KEYS.items():
        if inspect.isclass(component) and issubclass(component, base):
            names |= keys
    return names


def _names(registry: Registry) -> set[str]:
    """Return all names that a registry resolves without a scope."""
    parent = _names(registry.parent) if registry.parent is not None else set()
    return set(registry.module_dict) | parent


def _similar(word: str, words: Iterable[str]) -> str:
    """Return the end of an error message: what may have been meant."""
    matches = get_close_matches(word, sorted(words), n=3)
    return f' Did you mean {" or ".join(map(repr, matches))}?' if matches else ''
