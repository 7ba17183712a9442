"""Classifiers: what mmpretrain's lacks for some methods."""

from .taught_classifier import TaughtClassifier

__all__ = ['TaughtClassifier']
