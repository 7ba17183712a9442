"""The registries of mmreid_cc: children of mmpretrain's, in the scope ``mmreid_cc``.

With ``default_scope = 'mmreid_cc'`` a bare name is looked up here, then in mmpretrain,
then in MMEngine. A child registry imports its own ``locations`` only, not those of its
parent, so ours name the packages of mmpretrain, too.

Clustering algorithms have a registry of their own, ``mmreid_cc.clustering.CLUSTERERS``,
because that package knows nothing of models and runners.
"""

from mmengine.config.utils import MODULE2PACKAGE
from mmengine.registry import Registry

from .foreign_notices import quiet_imports

with quiet_imports():
    import mmcv.cnn.bricks.transformer  # noqa: F401
    import mmpretrain.datasets
    from mmpretrain import registry as mmpretrain

# MMEngine reads `mmreid_cc::<config>` only for packages that it knows.
MODULE2PACKAGE['mmreid_cc'] = 'mmreid_cc'


def _child(parent: Registry, theirs: str, ours: str | None = None) -> Registry:
    locations = [f'mmpretrain.{theirs}'] + ([f'mmreid_cc.{ours}'] if ours else [])
    child = Registry(parent.name, parent=parent, scope='mmreid_cc', locations=locations)
    root = parent._get_root_registry()
    if root is not parent:
        # Other projects, mmdet for one, look for 'mmreid_cc.X' among the children of
        # the root, not among their children.
        root._add_child(child)
    return child


# Components of this package.
MODELS = _child(mmpretrain.MODELS, 'models', ours='models')
DATASETS = _child(mmpretrain.DATASETS, 'datasets', ours='datasets')
DATA_SAMPLERS = _child(mmpretrain.DATA_SAMPLERS, 'datasets', ours='datasets')
TRANSFORMS = _child(mmpretrain.TRANSFORMS, 'datasets', ours='datasets')
METRICS = _child(mmpretrain.METRICS, 'evaluation', ours='evaluation.metrics')
HOOKS = _child(mmpretrain.HOOKS, 'engine', ours='engine')
OPTIM_WRAPPERS = _child(mmpretrain.OPTIM_WRAPPERS, 'engine', ours='engine')

# Empty, but the Runner looks every one of them up in the default scope.
RUNNERS = _child(mmpretrain.RUNNERS, 'engine')
RUNNER_CONSTRUCTORS = _child(mmpretrain.RUNNER_CONSTRUCTORS, 'engine')
LOOPS = _child(mmpretrain.LOOPS, 'engine')
LOG_PROCESSORS = _child(mmpretrain.LOG_PROCESSORS, 'engine')
OPTIMIZERS = _child(mmpretrain.OPTIMIZERS, 'engine')
OPTIM_WRAPPER_CONSTRUCTORS = _child(mmpretrain.OPTIM_WRAPPER_CONSTRUCTORS, 'engine')
PARAM_SCHEDULERS = _child(mmpretrain.PARAM_SCHEDULERS, 'engine')
MODEL_WRAPPERS = _child(mmpretrain.MODEL_WRAPPERS, 'models')
WEIGHT_INITIALIZERS = _child(mmpretrain.WEIGHT_INITIALIZERS, 'models')
BATCH_AUGMENTS = _child(mmpretrain.BATCH_AUGMENTS, 'models')
TASK_UTILS = _child(mmpretrain.TASK_UTILS, 'models')
EVALUATORS = _child(mmpretrain.EVALUATORS, 'evaluation')
VISUALIZERS = _child(mmpretrain.VISUALIZERS, 'visualization')
VISBACKENDS = _child(mmpretrain.VISBACKENDS, 'visualization')
