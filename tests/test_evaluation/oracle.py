"""Textbook ranking metrics: one query at a time, with a sort and scikit-learn."""

import numpy as np
from sklearn.metrics import average_precision_score


def textbook_ranking(
    distance, query_pids, gallery_pids, query_cams, gallery_cams, topk, exclude
):
    """Return the metrics, or None where no query has a match."""
    precisions, first_matches, penalties = [], [], []
    for row, pid, cam in zip(distance, query_pids, query_cams, strict=True):
        kept = gallery_pids != -1
        if exclude:
            kept &= ~((gallery_pids == pid) & (gallery_cams == cam))
        is_match = gallery_pids[kept] == pid
        if not is_match.any():
            continue
        precisions.append(average_precision_score(is_match, -row[kept]))
        ranks = np.flatnonzero(is_match[np.argsort(row[kept], kind='stable')]) + 1
        first_matches.append(ranks[0])
        penalties.append(len(ranks) / ranks[-1])
    if not precisions:
        return None
    cmc = {f'CMC@{k}': np.mean(np.array(first_matches) <= k) for k in topk}
    return {'mAP': np.mean(precisions), 'mINP': np.mean(penalties), **cmc}
