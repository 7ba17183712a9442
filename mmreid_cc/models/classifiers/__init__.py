"""Classifiers: what mmpretrain's lacks for some methods."""

from .multi_view_classifier import MultiViewClassifier
from .mutual_classifier import MutualClassifier
from .taught_classifier import TaughtClassifier

__all__ = ['MultiViewClassifier', 'MutualClassifier', 'TaughtClassifier']
