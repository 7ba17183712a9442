"""From crops to embeddings, and to those who look alike, without a Runner."""

from .embedding_pooling import pool_embeddings
from .gallery import Gallery
from .inferencer import ReIDInferencer
from .label_editor import LabelEditor
from .people import People

__all__ = ['Gallery', 'LabelEditor', 'People', 'ReIDInferencer', 'pool_embeddings']
