"""Evaluation: ranking, re-ranking, ROC, and the metrics of the Runner.

The names below need neither a Runner nor mmpretrain. ``ReIDMetric`` lives in
``mmreid_cc.evaluation.metrics``, the gathering of samples from all ranks in
``mmreid_cc.evaluation.gather``.
"""

from .functional import ReRankedDistance, ranking_metrics, re_ranking, roc_curve

__all__ = ['ReRankedDistance', 'ranking_metrics', 're_ranking', 'roc_curve']
