"""Classifiers that some methods need besides mmpretrain's."""

from .multi_view_classifier import MultiViewClassifier
from .mutual_classifier import MutualClassifier
from .taught_classifier import TaughtClassifier

__all__ = ['MultiViewClassifier', 'MutualClassifier', 'TaughtClassifier']
