"""Arrays in, numbers out: the mathematics of evaluation, usable without a Runner."""

from .ranking import ranking_metrics
from .re_ranked_distance import ReRankedDistance
from .re_ranking import re_ranking
from .roc import roc_curve

__all__ = ['ReRankedDistance', 'ranking_metrics', 're_ranking', 'roc_curve']
