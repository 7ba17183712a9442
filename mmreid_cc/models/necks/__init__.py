"""Necks, which turn the maps of a backbone into vectors."""

from .gem import GeneralizedMeanPooling
from .part_pooling import PartPooling

__all__ = ['GeneralizedMeanPooling', 'PartPooling']
