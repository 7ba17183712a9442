"""Necks: from the maps of a backbone to vectors."""

from .gem import GeneralizedMeanPooling
from .part_pooling import PartPooling

__all__ = ['GeneralizedMeanPooling', 'PartPooling']
