"""Pictures of a run: ranked galleries and curves over epochs."""

from .curves import draw_curves, read_scalars
from .rank_lists import RankList, draw_rank_lists, rank_lists

__all__ = ['RankList', 'draw_curves', 'draw_rank_lists', 'rank_lists', 'read_scalars']
