"""Evaluation of re-identification: ranking, re-ranking, ROC, the metric of the Runner.

The names below need neither a Runner nor mmpretrain. ``ReIDMetric`` lives in
``mmreid_cc.evaluation.metrics``, the gathering of samples from all ranks in
``mmreid_cc.evaluation.gather``.
"""

from .functional import ReRankedDistance, ranking_metrics, re_ranking, roc_curve

__all__ = ['ReRankedDistance', 'ranking_metrics', 're_ranking', 'roc_curve']
