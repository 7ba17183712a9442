"""Arrays in, numbers out: the mathematics of evaluation, usable without a Runner."""

from .ranking import ranking_metrics
from .re_ranking import re_ranking

__all__ = ['ranking_metrics', 're_ranking']
