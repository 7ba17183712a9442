"""Classifiers: what mmpretrain's lacks for some methods."""

from .mutual_classifier import MutualClassifier
from .taught_classifier import TaughtClassifier

__all__ = ['MutualClassifier', 'TaughtClassifier']
