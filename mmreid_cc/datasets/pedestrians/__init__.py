"""Pedestrians drawn by code: a re-identification set without a download."""

from .drawing import draw_pedestrian
from .market_folder import write_market_folder
from .scene_folder import write_scene

__all__ = ['draw_pedestrian', 'write_market_folder', 'write_scene']
