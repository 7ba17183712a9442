"""From crops to embeddings, and to those who look alike, without a Runner."""

from .embedding_pooling import pool_embeddings
from .gallery import Gallery
from .inferencer import ReIDInferencer
from .label_editor import LabelEditor

__all__ = ['Gallery', 'LabelEditor', 'ReIDInferencer', 'pool_embeddings']
