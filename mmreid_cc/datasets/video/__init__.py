"""The cutting of crops out of videos, by the tracks in them."""

from .crop_list import CropList
from .cutting import Recording, cut_crops
from .frames import Frame, FrameFolder, Frames, VideoFile, open_frames
from .selection import Chosen, CropRules, choose_crops
from .tracks import Tracks, read_tracks
from .twins import join_twins

__all__ = [
    'Chosen',
    'CropList',
    'CropRules',
    'Frame',
    'FrameFolder',
    'Frames',
    'Recording',
    'Tracks',
    'VideoFile',
    'choose_crops',
    'cut_crops',
    'join_twins',
    'open_frames',
    'read_tracks',
]
