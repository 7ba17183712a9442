"""Necks: from the maps of a backbone to vectors."""

from .gem import GeneralizedMeanPooling

__all__ = ['GeneralizedMeanPooling']
