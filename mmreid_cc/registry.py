"""The registries of mmreid_cc: children of mmpretrain's, in the scope ``mmreid_cc``.

With ``default_scope = 'mmreid_cc'`` a bare name is looked up here, then in mmpretrain,
then in MMEngine. A child registry imports its own ``locations`` only, so each of our
packages named below imports its counterpart in mmpretrain.

Clustering algorithms have a registry of their own, ``mmreid_cc.clustering.CLUSTERERS``,
because that package knows nothing of models and runners.
"""

from mmengine.registry import Registry
from mmpretrain import registry as mmpretrain


def _child(parent: Registry, *locations: str) -> Registry:
    child = Registry(
        parent.name, parent=parent, scope='mmreid_cc', locations=list(locations)
    )
    root = parent._get_root_registry()
    if root is not parent:
        # Other projects, mmdet for one, look for 'mmreid_cc.X' among the children of
        # the root, not among their children.
        root._add_child(child)
    return child


# Components of ours.
MODELS = _child(mmpretrain.MODELS, 'mmreid_cc.models')
DATASETS = _child(mmpretrain.DATASETS, 'mmreid_cc.datasets')
DATA_SAMPLERS = _child(mmpretrain.DATA_SAMPLERS, 'mmreid_cc.datasets')
TRANSFORMS = _child(mmpretrain.TRANSFORMS, 'mmreid_cc.datasets')
METRICS = _child(mmpretrain.METRICS, 'mmreid_cc.evaluation.metrics')
HOOKS = _child(mmpretrain.HOOKS, 'mmreid_cc.engine')

# None of ours yet: the Runner looks every one of them up in the default scope.
RUNNERS = _child(mmpretrain.RUNNERS, 'mmreid_cc.engine')
RUNNER_CONSTRUCTORS = _child(mmpretrain.RUNNER_CONSTRUCTORS, 'mmreid_cc.engine')
LOOPS = _child(mmpretrain.LOOPS, 'mmreid_cc.engine')
LOG_PROCESSORS = _child(mmpretrain.LOG_PROCESSORS, 'mmreid_cc.engine')
OPTIMIZERS = _child(mmpretrain.OPTIMIZERS, 'mmreid_cc.engine')
OPTIM_WRAPPERS = _child(mmpretrain.OPTIM_WRAPPERS, 'mmreid_cc.engine')
OPTIM_WRAPPER_CONSTRUCTORS = _child(
    mmpretrain.OPTIM_WRAPPER_CONSTRUCTORS, 'mmreid_cc.engine'
)
PARAM_SCHEDULERS = _child(mmpretrain.PARAM_SCHEDULERS, 'mmreid_cc.engine')
MODEL_WRAPPERS = _child(mmpretrain.MODEL_WRAPPERS, 'mmreid_cc.models')
WEIGHT_INITIALIZERS = _child(mmpretrain.WEIGHT_INITIALIZERS, 'mmreid_cc.models')
BATCH_AUGMENTS = _child(mmpretrain.BATCH_AUGMENTS, 'mmreid_cc.models')
TASK_UTILS = _child(mmpretrain.TASK_UTILS, 'mmreid_cc.models')
EVALUATORS = _child(mmpretrain.EVALUATORS, 'mmreid_cc.evaluation.metrics')
VISUALIZERS = _child(mmpretrain.VISUALIZERS, 'mmreid_cc.visualization')
VISBACKENDS = _child(mmpretrain.VISBACKENDS, 'mmreid_cc.visualization')
