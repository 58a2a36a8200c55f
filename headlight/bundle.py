"""One bundle, open to read, for scripts and notebooks.

The answers are those of the dashboard's pages: the same queries of `db`, the same mathematics of
`dashboard.analyses`. Knows neither Streamlit nor torch.
"""

import os
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from dashboard import images as image_drawing
from dashboard.analyses import differences, maps
from dashboard.analyses import neighbors as ranking
from dashboard.data import live
from db import console, queries, vectors
from db.connection import open_bundle
from db.errors import QueryError, UnknownName, UserError
from db.layout import head_name, normalize_text
from headlight.names import Head, HeadLike, find_model, parse_head, parse_heads
from headlight.results import Comparison, HeadBasis, ImageRows, TopicMap

MAX_ROWS = 1_000_000
MAX_SECONDS = 300.0


class Bundle:
    """One bundle, open to read: tables as DataFrames, vectors as arrays, and the dashboard's analyses.

    A model is named by its name ("ViT-B-32/openai") or its key, a head by "L11.H3" or (11, 3), an image by
    its id. Errors that the caller can fix are `headlight.UserError`; their messages name the next step.

    Example:
        with headlight.open("bundles/photos") as bundle:
            print(bundle.heads("ViT-B-32/openai", label="color"))
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self._bundle = open_bundle(path)
        self._live: dict[str, Any] = {}
        self._pools: dict[str, tuple[dict[str, NDArray[np.float32]], NDArray[np.float64]]] = {}

    def __enter__(self) -> "Bundle":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Bundle {self._bundle.path}: {', '.join(self._models['model'])}>"

    def close(self) -> None:
        """Closes the files; the end of a `with` block calls it.

        Example:
            bundle.close()
        """
        self._bundle.close()

    def models(self) -> pd.DataFrame:
        """Returns one row per model with its facts, random-weights controls last.

        Example:
            bundle.models()[["model", "layers", "heads", "images"]]
        """
        return self._models.copy()

    def heads(self, model: str, *, label: str | None = None, supported: bool | None = None) -> pd.DataFrame:
        """Returns one row per head of a model: its chosen label with the evidence, and its first texts.

        Args:
            label: only heads of this label.
            supported: True for heads with a supported label, False for all others.

        Example:
            bundle.heads("ViT-B-32/openai", supported=True).sort_values("q_value")
        """
        heads = queries.heads(self._bundle, model_key=self._key(model))
        if label is not None:
            heads = heads[heads["label"] == label]
        if supported is not None:
            heads = heads[heads["supported"].fillna(False).astype(bool) == supported]
        return heads.reset_index(drop=True)

    def head_texts(self, model: str, head: HeadLike) -> pd.DataFrame:
        """Returns the texts that describe one head, in the order TEXTSPAN chose them, with their variance.

        Example:
            bundle.head_texts("ViT-B-32/openai", "L11.H3")["text"].head(5)
        """
        layer, number = parse_head(head)
        return queries.head_texts(self._bundle, model_key=self._key(model), layer=layer, head=number)

    def labels(self, model: str, head: HeadLike) -> pd.DataFrame:
        """Returns all labels of one head by every method, with their evidence, the chosen one first.

        Example:
            bundle.labels("ViT-B-32/openai", (11, 3))[["method", "label", "p_value", "q_value"]]
        """
        layer, number = parse_head(head)
        return queries.head_labels(self._bundle, model_key=self._key(model), layer=layer, head=number)

    def metrics(self) -> pd.DataFrame:
        """Returns one row per metric of heads and models: title, description, unit, direction.

        Example:
            bundle.metrics().set_index("metric")["description"]
        """
        return queries.metrics(self._bundle)

    def leaderboard(self) -> pd.DataFrame:
        """Returns every metric of every model, one row per model, metric and heads used, with intervals.

        Example:
            board = bundle.leaderboard().query("heads_used == 'all'")
            board.pivot_table(index="model", columns="metric", values="value")
        """
        return queries.leaderboard(self._bundle)

    def compare(self, model: str, other: str, *, pairing: str = "best") -> Comparison:
        """Returns two models side by side: paired heads, and differences of metrics with paired intervals.

        Args:
            pairing: "best" matches heads one to one by their outputs on the same images; "place" pairs the
                heads of the same layer and number, for two models of one architecture.

        Example:
            bundle.compare("ViT-B-32/openai", "ViT-B-16/openai").heads
        """
        keys = self._key(model), self._key(other)
        if keys[0] == keys[1]:
            raise UserError(f"{model} and {other} are one model. Give two.")
        if pairing not in queries.PAIRINGS:
            raise UserError(f'pairing "{pairing}" is not known. Give one of {", ".join(queries.PAIRINGS)}.')

        def both(question: Callable[..., pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
            return question(self._bundle, model_key=keys[0]), question(self._bundle, model_key=keys[1])

        heads = queries.head_matches(
            self._bundle, model_key=keys[0], other_model_key=keys[1], pairing=pairing
        )
        of_models = differences.of_models(both(queries.leaderboard), both(queries.replicate_metrics))
        of_heads = both(queries.head_metrics), both(queries.replicate_head_metrics)
        return Comparison(heads, of_models, differences.of_heads(heads, *of_heads))

    def images(self, model: str | None = None) -> pd.DataFrame:
        """Returns one row per image, by path, with its attributes.

        Args:
            model: adds the column `has_tokens`, true where maps of this model are stored.

        Example:
            bundle.images("ViT-B-32/openai").query("has_tokens")
        """
        images = queries.images(self._bundle).drop(columns="matches")
        if model is None:
            return images
        gallery = vectors.gallery(self._bundle, self._key(model))
        return images.assign(has_tokens=images["image_id"].isin(gallery))

    def sql(self, query: str, **parameters: Any) -> pd.DataFrame:
        """Returns the rows of one SQL query over the tables of docs/schema.md.

        The query can neither change the bundle nor read other files.

        Args:
            query: one SELECT statement; write a parameter `x` as $x.
            parameters: values of these parameters.

        Raises:
            QueryError: it is not a SELECT, DuckDB refuses it, or it exceeds a million rows or five minutes.

        Example:
            bundle.sql("select layer, head, value from head_metric where metric = $metric", metric="ccs")
        """
        answer = console.ask(self._bundle, query, parameters, seconds=MAX_SECONDS, rows=MAX_ROWS)
        if answer.cut:
            raise QueryError(f"the query has more than {MAX_ROWS:,} rows. Add a limit, or select fewer.")
        return answer.rows

    def coordinates(self, model: str, head: HeadLike) -> ImageRows:
        """Returns the contribution of one head to every image, [image, rank], in the head's own basis.

        Coordinates are centered on their mean over the images; `basis` gives it and leads back to d_out.

        Example:
            image_id, y = bundle.coordinates("ViT-B-32/openai", "L11.H3")
        """
        key, place = self._key(model), parse_head(head)
        ids, y = vectors.image_coordinates(self._bundle, key, None, [place])
        return ImageRows(ids, y[:, 0])

    def embeddings(self, model: str) -> ImageRows:
        """Returns the embedding of every image, [image, d_out], unit length.

        Example:
            image_id, embedding = bundle.embeddings("ViT-B-32/openai")
        """
        return ImageRows(*vectors.image_embeddings(self._bundle, self._key(model)))

    def basis(self, model: str, head: HeadLike) -> HeadBasis:
        """Returns the basis of one head, [rank, d_out], and the mean of its coordinates, [rank].

        Example:
            basis, mean = bundle.basis("ViT-B-32/openai", "L11.H3")
        """
        space = vectors.head_spaces(self._bundle, self._key(model), [parse_head(head)])
        return HeadBasis(space.basis[0], space.mean[0])

    def tokens(self, model: str, image: str | Path) -> vectors.Tokens:
        """Returns one image token by token: `coordinates` [head, token, rank] and `rest` [d_out].

        Heads have the order of `heads`; token 0 is the class token. Coordinates are not centered, and
        `rest` is the contribution of everything except the stored heads.

        Args:
            image: id of an image whose maps are stored (see `images`), or the Path of your own file, which
                loads the model.

        Example:
            coordinates, rest = bundle.tokens("ViT-B-32/openai", Path("cat.jpg"))
        """
        return self._token_image(self._key(model), image)[0]

    def neighbors(
        self,
        model: str,
        *,
        image: str | Path | None = None,
        text: str | None = None,
        head: HeadLike | None = None,
        label: str | None = None,
        k: int = 10,
        metric: str = "cosine",
    ) -> pd.DataFrame:
        """Returns the `k` images nearest to an image or a text through one head, or through all of one label.

        Args:
            image: id of an image, not part of the result, or the Path of your own file (needs the model).
            text: any text; if it is not in the pool, the model is loaded.
            head: the head to compare through.
            label: use the supported heads of this label, or all of its heads if none is supported.
            metric: "cosine" centers query and images on the image set; "dot" is the product in the papers.

        Returns:
            image_id, path, attributes and score, best first.

        Example:
            bundle.neighbors("ViT-B-32/openai", image=image_id, head="L11.H3")
            bundle.neighbors("ViT-B-32/openai", image=Path("cat.jpg"), label="color", k=20)
            bundle.neighbors("ViT-B-32/openai", text="a red car", head="L11.H3", metric="dot")
        """
        if (image is None) == (text is None) or (head is None) == (label is None):
            raise UserError("neighbors need an image or a text, and a head or a label: one of each pair.")
        if metric not in ranking.METRICS:
            raise UserError(f'metric "{metric}" is not known. Give one of {", ".join(ranking.METRICS)}.')
        key = self._key(model)
        heads = [parse_head(head)] if head is not None else self._label_heads(key, str(label))
        if image is not None:
            query = self._image_query(key, image, heads, metric)
        else:
            query = self._text_query(key, str(text), heads, metric)
        return self._nearest(key, heads, query, k, leave_out=image)

    def topic_map(
        self,
        model: str,
        image: str | Path,
        text: str,
        heads: HeadLike | Sequence[HeadLike] | None = None,
        *,
        relative: bool = False,
    ) -> TopicMap:
        """Returns the map of one text over one image, through one head, several, or all stored ones.

        Args:
            image: id of an image whose maps are stored (see `images`), or the Path of your own file, which
                loads the model.
            text: any text; if it is not in the pool, the model is loaded.
            heads: one head, several, or None for all.
            relative: subtract the mean text of the pool, so that zero is the score of the mean text.

        Example:
            bundle.topic_map("ViT-B-32/openai", image_id, "a red car", ["L10.H2", "L11.H3"]).draw()
        """
        key = self._key(model)
        space = vectors.head_spaces(self._bundle, key)
        shown = np.ones(len(space.layer), bool)
        if heads is not None:
            shown[:] = False
            shown[vectors.head_places(self._bundle, key, parse_heads(heads))] = True
        tokens, picture = self._token_image(key, image)
        vector = self._text_embedding(key, text).astype(np.float64)
        if relative:
            vector = vector - self._pool(key)[1]
        info = self._info(key)
        grid_shape = (int(info.grid_rows), int(info.grid_columns))
        text_map = maps.text_map(tokens.coordinates, space.basis, tokens.rest, vector, shown, grid_shape)
        return TopicMap(text, text_map.grid, text_map.parts, image_drawing.covered(picture, info))

    @cached_property
    def _models(self) -> pd.DataFrame:
        return queries.models(self._bundle)

    def _key(self, model: str) -> str:
        return find_model(self._models, model)

    def _info(self, key: str) -> Any:
        """The model's row of the table `model`."""
        return next(row for row in self._models.itertuples(index=False) if row.model_key == key)

    def _label_heads(self, key: str, label: str) -> list[Head]:
        rows = queries.property_heads(self._bundle, model_key=key, property=label)
        if rows.empty:
            labels = sorted(queries.heads(self._bundle, model_key=key)["label"].dropna().unique())
            raise UnknownName(f'no head has the label "{label}". Labels are: {", ".join(labels)}.')
        return queries.supported_or_all(rows)

    def _image_query(self, key: str, image: str | Path, heads: list[Head], metric: str) -> ranking.Query:
        space = vectors.head_spaces(self._bundle, key, heads)
        if isinstance(image, Path):
            places = vectors.head_places(self._bundle, key, heads)
            y = self._decompose(key, image).coordinates[places] - space.mean
        else:
            try:
                y = vectors.image_coordinates(self._bundle, key, [image], heads)[1][0]
            except UnknownName as error:
                raise UnknownName(f"{error} For a file of your own, give its Path.") from None
        return ranking.image_query(y, space.basis, space.mean, metric=metric)

    def _text_query(self, key: str, text: str, heads: list[Head], metric: str) -> ranking.Query:
        if len(heads) > 1:
            names = ", ".join(head_name(*head) for head in heads)
            raise UserError(f"a text is compared inside one head, and this label has {names}. Give head=.")
        basis, mean = self.basis(key, heads[0])
        coordinates = basis @ self._text_embedding(key, text)
        return ranking.text_query(coordinates, basis @ self._pool(key)[1], mean, metric=metric)

    def _nearest(
        self, key: str, heads: list[Head], query: ranking.Query, k: int, leave_out: str | Path | None
    ) -> pd.DataFrame:
        basis = vectors.head_spaces(self._bundle, key, heads).basis
        scores = []
        for block in vectors.coordinate_blocks(self._bundle, key, heads):
            rows = [np.ascontiguousarray(block[:, place]) for place in range(len(heads))]
            # Norms of many heads are computed in d_out, and the dot product needs none.
            norms = ranking.mixture_norms(rows, basis) if query.metric == "cosine" else np.empty(len(block))
            scores.append(ranking.scores(query, rows, norms))
        image_ids = vectors.image_ids(self._bundle, key)
        own = np.flatnonzero(image_ids == leave_out)
        row, score = ranking.top(np.concatenate(scores), k, leave_out=int(own[0]) if len(own) else None)
        rows = queries.images_by_id(self._bundle, image_ids=image_ids[row].tolist())
        rows = rows[["image_id", "path", "attributes"]].fillna({"path": "", "attributes": ""})
        return rows.assign(score=score)

    def _pool(self, key: str) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.float64]]:
        """Embeddings of the texts of the pool by text, and their mean."""
        if key not in self._pools:
            texts = queries.texts(self._bundle)
            _, embedding = vectors.text_embeddings(self._bundle, key, texts["text_id"].tolist())
            by_text = dict(zip(texts["text"], embedding, strict=True))
            self._pools[key] = by_text, embedding.mean(axis=0, dtype=np.float64)
        return self._pools[key]

    def _text_embedding(self, key: str, text: str) -> NDArray[np.float32]:
        normal = normalize_text(text)
        stored = self._pool(key)[0].get(normal)
        return live.encode_texts(self._model(key), [normal])[0] if stored is None else stored

    def _token_image(self, key: str, image: str | Path) -> tuple[vectors.Tokens, Image.Image | None]:
        """One image token by token, and its picture where there is one."""
        if isinstance(image, Path):
            decomposed = self._decompose(key, image)
            return vectors.Tokens(decomposed.tokens, decomposed.rest), decomposed.image
        if image not in vectors.gallery(self._bundle, key):
            raise UnknownName(
                f'no maps of image "{image}" are stored for {key}. Give an image that images(model) marks as '
                "has_tokens, or the Path of its file."
            )
        data = queries.thumbnails(self._bundle, image_ids=[image])["thumbnail"].iloc[0]
        return vectors.tokens(self._bundle, key, image), data and image_drawing.read(data)

    def _decompose(self, key: str, file: Path) -> live.LiveImage:
        try:
            data = file.read_bytes()
        except OSError as error:
            raise UserError(f"{file} cannot be read ({error}). Give the path of an image.") from error
        return live.decompose_image(self._model(key), data)

    def _model(self, key: str) -> Any:
        if key not in self._live:
            self._live[key] = live.load(self._info(key), vectors.head_spaces(self._bundle, key))
        return self._live[key]
