"""Classifiers that some methods need besides mmpretrain's."""

from .mutual_classifier import MutualClassifier
from .taught_classifier import TaughtClassifier

__all__ = ['MutualClassifier', 'TaughtClassifier']
