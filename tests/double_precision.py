"""A model in float64, so that no rounding can hide a difference of method."""

from mmpretrain.models import ClsDataPreprocessor, ImageClassifier

from mmreid_cc.models import MultiViewClassifier, MutualClassifier, TaughtClassifier
from mmreid_cc.registry import MODELS


@MODELS.register_module()
class DoublePreprocessor(ClsDataPreprocessor):
    """Images in float64."""

    def forward(self, data, training=False):
        data = super().forward(data, training)
        return {**data, 'inputs': data['inputs'].double()}


@MODELS.register_module()
class DoubleClassifier(ImageClassifier):
    """Weights in float64."""

    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.double()


@MODELS.register_module()
class DoubleTaughtClassifier(TaughtClassifier):
    """The same, with a teacher."""

    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.double()


@MODELS.register_module()
class DoubleMutualClassifier(MutualClassifier):
    """The same, with twins."""

    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.double()


@MODELS.register_module()
class DoubleMultiViewClassifier(MultiViewClassifier):
    """The same, with several views of an image."""

    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.double()


def double(config):
    """Change a config to it."""
    config.model.type = 'DoubleClassifier'
    config.model.data_preprocessor.type = 'DoublePreprocessor'
