-- The tables of a bundle, then views for the questions that people ask most. Keys are (model_key, layer, head),
-- image_id and text_id, always by these names. DuckDB 1.2 must be able to read the views too.

create table bundle (
    format integer primary key,
    input_id varchar not null
);
comment on table bundle is 'One row: format and identity of this bundle.';
comment on column bundle.format is 'Version of the bundle format; readers of another format refuse the bundle.';
comment on column bundle.input_id is 'Hash of everything that the bundle was made from; the same on any machine.';

create table model (
    model_key varchar primary key,
    model varchar not null,
    architecture varchar not null,
    weights varchar not null,
    weights_sha256 varchar,
    layers integer,
    first_layer integer not null,
    heads integer not null,
    d_head integer,
    d_model integer,
    d_out integer,
    rank integer,
    image_size integer,
    patch_size integer,
    grid_rows integer,
    grid_columns integer,
    parameters bigint,
    activation varchar,
    training_data varchar,
    weights_verified boolean,
    context_length integer,
    mean double[],
    std double[],
    interpolation varchar,
    resize_mode varchar,
    label_rule varchar not null,
    has_vectors boolean not null,
    is_control boolean not null,
    control_of varchar,
    images bigint,
    gallery_images bigint,
    max_sum_error double,
    precision varchar,
    precision_images bigint,
    embedding_difference double,
    head_difference double,
    overlap_5 double,
    min_overlap_5 double,
    overlap_10 double,
    min_overlap_10 double
);
comment on table model is 'One row per model: an architecture with one set of weights. Values that an imported result does not have are null.';
comment on column model.model_key is 'Name with every other character as -, then 8 hex digits of the hash of the weights, or of the imported file if there are no weights.';
comment on column model.model is 'Name to show, architecture/weights, as open_clip names them.';
comment on column model.architecture is 'Architecture, as open_clip names it.';
comment on column model.weights is 'Weights tag, as open_clip names it.';
comment on column model.weights_sha256 is 'SHA-256 of the weights.';
comment on column model.layers is 'Layers of the vision transformer.';
comment on column model.first_layer is 'First decomposed layer, zero-based; contributions of earlier layers are known only per layer.';
comment on column model.heads is 'Heads of one layer; if the architecture is unknown, the number of heads in the results.';
comment on column model.d_head is 'Width of one head.';
comment on column model.d_model is 'Width of the residual stream.';
comment on column model.d_out is 'Width of the joint image-text space.';
comment on column model.rank is 'Stored coordinates of one head, padded to a multiple of 8.';
comment on column model.image_size is 'Side of the model''s input picture, pixels.';
comment on column model.patch_size is 'Side of one patch, pixels.';
comment on column model.grid_rows is 'Rows of patches.';
comment on column model.grid_columns is 'Columns of patches.';
comment on column model.parameters is 'Number of parameters, both towers.';
comment on column model.activation is 'gelu or quick_gelu.';
comment on column model.training_data is 'Training data of the weights; null if unknown.';
comment on column model.weights_verified is 'True if the weights are those published under the tag: fetched by it, or a file with a published hash. False for a file given under the tag whose hash is not known to be published: nothing shows that it holds these weights. Null for a file with a name of its own, a control, and an imported result.';
comment on column model.context_length is 'Longest text, tokens.';
comment on column model.mean is 'Mean that is subtracted from each color channel.';
comment on column model.std is 'Standard deviation that each color channel is divided by.';
comment on column model.interpolation is 'Interpolation of the resize step.';
comment on column model.resize_mode is 'How a picture is resized to image_size (shortest: shorter side, then a center crop).';
comment on column model.label_rule is 'Rule that chose and tested the offline labels, and its version; models of different rules are not ranked together.';
comment on column model.has_vectors is 'True if the bundle holds vectors of this model; false for imported results.';
comment on column model.is_control is 'True for a random-weights control.';
comment on column model.control_of is 'Name of the model that this is a control of; null for other models.';
comment on column model.images is 'Number of decomposed images.';
comment on column model.gallery_images is 'Number of images with stored coordinates of every token.';
comment on column model.max_sum_error is 'Largest absolute entry, over images, of (sum of contributions - embedding).';
comment on column model.precision is 'Precision of the matrix products of the image tower: float32, tf32 or bf16.';
comment on column model.precision_images is 'Images that were also decomposed in float32, on the same device, to measure the effect of the precision; this column and the following ones are null in float32.';
comment on column model.embedding_difference is 'Maximum, over those images, of the length of (embedding - embedding in float32); embeddings have length 1.';
comment on column model.head_difference is 'Maximum, over heads, of the root mean square of (coordinates - coordinates in float32), as a share of the head''s importance on those images.';
comment on column model.overlap_5 is 'Share of a head''s first five texts in float32, on those images, that are among its first five in this precision; mean over heads.';
comment on column model.min_overlap_5 is 'Minimum of overlap_5 over heads.';
comment on column model.overlap_10 is 'As overlap_5, for the first ten texts.';
comment on column model.min_overlap_10 is 'Minimum of overlap_10 over heads.';

create table image_set (
    name varchar primary key,
    images bigint not null,
    files bigint not null,
    failed bigint not null,
    flat bigint,
    license varchar,
    min_images_for_intervals bigint not null
);
comment on table image_set is 'One row: the image set of this bundle.';
comment on column image_set.name is 'Name of the folder or list that the images came from.';
comment on column image_set.images is 'Distinct images (by their bytes).';
comment on column image_set.files is 'Number of files, including those that could not be read; the same bytes under two paths are two files and one image.';
comment on column image_set.failed is 'Files that could not be read.';
comment on column image_set.flat is 'Distinct images that use less than a tenth of their range in every channel: empty pictures, or 12 bits stored in 16; null for imported results.';
comment on column image_set.license is 'License of the images, as stated by the person who built the bundle.';
comment on column image_set.min_images_for_intervals is 'Minimum number of images for intervals and ranks of a model.';

create table image (
    image_id varchar primary key,
    width integer not null,
    height integer not null,
    thumbnail blob
);
comment on table image is 'One row per distinct image.';
comment on column image.image_id is 'First 16 hex digits of the SHA-256 of the file''s bytes.';
comment on column image.width is 'Width after EXIF rotation, pixels.';
comment on column image.height is 'Height after EXIF rotation, pixels.';
comment on column image.thumbnail is 'The whole image as JPEG, shorter side at most 128 pixels, or the input size of the model of a stored map; null without thumbnails.';

create table image_file (
    image_id varchar not null,
    path varchar primary key
);
comment on table image_file is 'One row per path.';
comment on column image_file.image_id is 'The image with these bytes.';
comment on column image_file.path is 'Path relative to the image folder or list, with forward slashes, or TAR/MEMBER.';

create table image_attribute (
    image_id varchar not null,
    attribute varchar not null,
    value varchar not null,
    primary key (image_id, attribute, value)
);
comment on table image_attribute is 'One row per known attribute value of an image.';
comment on column image_attribute.image_id is 'The image.';
comment on column image_attribute.attribute is 'Name of the attribute, e.g. class or color.';
comment on column image_attribute.value is 'Its value; an image may have several.';

create table failed_image (
    path varchar primary key,
    reason varchar not null
);
comment on table failed_image is 'One row per file that could not be read.';
comment on column failed_image.path is 'Path relative to the image folder.';
comment on column failed_image.reason is 'Why the file could not be read.';

create table text_pool (
    name varchar primary key,
    language varchar not null,
    license varchar,
    texts bigint not null,
    dropped_duplicates bigint not null,
    dropped_empty bigint not null,
    dropped_comments bigint not null,
    tagged_by_rule bigint not null
);
comment on table text_pool is 'One row: the text pool of this bundle.';
comment on column text_pool.name is 'Name of the pool.';
comment on column text_pool.language is 'Language of the texts, as a BCP 47 tag.';
comment on column text_pool.license is 'License of the pool.';
comment on column text_pool.texts is 'Distinct texts.';
comment on column text_pool.dropped_duplicates is 'Lines left out because an earlier line has the same text.';
comment on column text_pool.dropped_empty is 'Empty lines left out.';
comment on column text_pool.dropped_comments is 'Lines left out because they begin with #.';
comment on column text_pool.tagged_by_rule is 'Texts without properties in their file, which the lexical rule tagged.';

create table text (
    text_id varchar primary key,
    position integer not null,
    text varchar not null
);
comment on table text is 'One row per text of the pool.';
comment on column text.text_id is 'First 16 hex digits of the SHA-256 of the NFC-normalised, stripped UTF-8.';
comment on column text.position is 'Place in the pool, zero-based; the lower one wins ties in TEXTSPAN.';
comment on column text.text is 'The text.';

create table text_property (
    text_id varchar not null,
    property varchar not null,
    primary key (text_id, property)
);
comment on table text_property is 'One row per property that a text carries.';
comment on column text_property.text_id is 'The text.';
comment on column text_property.property is 'The property.';

create table head (
    model_key varchar not null,
    layer integer not null,
    head integer not null,
    rank integer,
    importance double,
    primary key (model_key, layer, head)
);
comment on table head is 'One row per decomposed head.';
comment on column head.model_key is 'The model.';
comment on column head.layer is 'Layer, zero-based.';
comment on column head.head is 'Head of the layer, zero-based.';
comment on column head.rank is 'Dimensions of the space that the head can write to, in d_out; null for imported results.';
comment on column head.importance is 'Square root of the trace of the covariance of the head''s contribution: the direct effect of mean-ablating it; null for imported results.';

create table head_text (
    model_key varchar not null,
    layer integer not null,
    head integer not null,
    position integer not null,
    text_id varchar not null,
    variance_share double,
    cumulative_share double,
    margin double,
    equal_norm_position integer,
    stability double,
    primary key (model_key, layer, head, position)
);
comment on table head_text is 'One row per text that TEXTSPAN chose for a head.';
comment on column head_text.model_key is 'The model.';
comment on column head_text.layer is 'Layer, zero-based.';
comment on column head_text.head is 'Head, zero-based.';
comment on column head_text.position is 'Order of choice, zero-based.';
comment on column head_text.text_id is 'The text.';
comment on column head_text.variance_share is 'Share of the head''s variance removed by this choice.';
comment on column head_text.cumulative_share is 'Share removed by this and all choices before it.';
comment on column head_text.margin is 'Relative lead over the next text; 0 is a tie.';
comment on column head_text.equal_norm_position is 'Order of choice if every text has the same length in the head''s space; null if the text is not chosen then, or if this was not computed.';
comment on column head_text.stability is 'Share of the half-image and half-pool replicates in which this text is among the first five, over those whose half pool has it; null without replicates.';

create table head_label (
    model_key varchar not null,
    layer integer not null,
    head integer not null,
    method varchar not null,
    picks integer not null,
    carrying_picks integer,
    label varchar not null,
    share double,
    lead double,
    tail double,
    p_value double,
    q_value double,
    votes double,
    draws integer,
    given_by varchar,
    reason varchar,
    chosen boolean not null,
    supported boolean,
    primary key (model_key, layer, head, method, picks)
);
comment on table head_label is 'One row per head, method and number of picks; exactly one row per head is chosen.';
comment on column head_label.model_key is 'The model.';
comment on column head_label.layer is 'Layer, zero-based.';
comment on column head_label.head is 'Head, zero-based.';
comment on column head_label.method is 'variance_share, enrichment, language_model or person.';
comment on column head_label.picks is 'Number of first texts that the method reads; 0 for a person.';
comment on column head_label.carrying_picks is 'Number of these texts that carry the label; of a language model''s label, if it is a property of the pool; null for a person.';
comment on column head_label.label is 'The property.';
comment on column head_label.share is 'Share of the head''s variance that the picks of this property remove; null for other methods than variance_share.';
comment on column head_label.lead is 'Sum over the label''s picks of the variance share to the power 1.6, less its mean over the head and its rotations, less the largest such difference of another property; 0 if that of another property is larger. This is the test statistic; null for other methods than variance_share.';
comment on column head_label.tail is 'Hypergeometric tail of the label among the picks; an index, not a p-value; null for other methods than enrichment.';
comment on column head_label.p_value is 'Share of rotated heads with a lead at least as large (variance_share) or a tail at least as small (enrichment), by the add-one rule; for imported results, of lists of as many texts drawn from the first texts of all heads.';
comment on column head_label.q_value is 'p_value adjusted by Benjamini and Hochberg over the heads of the model.';
comment on column head_label.votes is 'Share of the valid draws that gave this label, for a language model.';
comment on column head_label.draws is 'Valid draws of the language model.';
comment on column head_label.given_by is 'The language model, or the person, that gave the label; null for the offline methods.';
comment on column head_label.reason is 'Reason that the person gave for the label.';
comment on column head_label.chosen is 'True for the label that pages show.';
comment on column head_label.supported is 'True if q_value is at most 0.05 and carrying_picks at least 2, if most draws of a language model agree, or if a person gave the label.';

create table judgement (
    model_key varchar not null,
    layer integer not null,
    head integer not null,
    label varchar not null,
    position integer not null,
    judge varchar not null,
    draw integer not null,
    consistent boolean not null,
    primary key (model_key, layer, head, label, position, judge, draw)
);
comment on table judgement is 'One row per answer to the question whether a text is consistent with a label.';
comment on column judgement.model_key is 'The model.';
comment on column judgement.layer is 'Layer, zero-based.';
comment on column judgement.head is 'Head, zero-based.';
comment on column judgement.label is 'The judged label.';
comment on column judgement.position is 'Place of the text in the head''s list, zero-based.';
comment on column judgement.judge is 'tag_match (the offline rule) or the name of a language model.';
comment on column judgement.draw is 'Number of the draw, zero-based.';
comment on column judgement.consistent is 'True if the text is consistent with the label.';

create table head_metric (
    model_key varchar not null,
    layer integer not null,
    head integer not null,
    metric varchar not null,
    value double,
    low double,
    high double,
    primary key (model_key, layer, head, metric)
);
comment on table head_metric is 'One row per head and metric.';
comment on column head_metric.model_key is 'The model.';
comment on column head_metric.layer is 'Layer, zero-based.';
comment on column head_metric.head is 'Head, zero-based.';
comment on column head_metric.metric is 'Name of the metric; see the table metric.';
comment on column head_metric.value is 'Its value; null where it is not defined.';
comment on column head_metric.low is 'Lower end of the 95 % measurement interval; null without an interval.';
comment on column head_metric.high is 'Upper end of the 95 % measurement interval.';

create table model_metric (
    model_key varchar not null,
    metric varchar not null,
    heads_used varchar not null,
    labels varchar not null,
    value double,
    low double,
    high double,
    chance double,
    rank_low integer,
    rank_high integer,
    primary key (model_key, metric, heads_used, labels)
);
comment on table model_metric is 'One row per model, metric and set of heads.';
comment on column model_metric.model_key is 'The model.';
comment on column model_metric.metric is 'Name of the metric; see the table metric.';
comment on column model_metric.heads_used is 'all (as in the papers) or supported (heads with a supported label).';
comment on column model_metric.labels is 'offline (by variance share) or chosen (a person''s label, else a language model''s, else the offline one), if the labels differ or were judged.';
comment on column model_metric.value is 'Its value; null where it is not defined.';
comment on column model_metric.low is 'Lower end of the 95 % measurement interval; null without an interval.';
comment on column model_metric.high is 'Upper end of the 95 % measurement interval.';
comment on column model_metric.chance is 'Value for rotated heads; null if it was not computed.';
comment on column model_metric.rank_low is 'Best rank among the trained models that is compatible with the replicates, by simultaneous 95 % intervals of all differences; null for controls and for metrics without ranks.';
comment on column model_metric.rank_high is 'Worst such rank.';

create table replicate_metric (
    model_key varchar not null,
    metric varchar not null,
    heads_used varchar not null,
    replicate integer not null,
    value double,
    primary key (model_key, metric, heads_used, replicate)
);
comment on table replicate_metric is 'One row per model metric and replicate: a random half of the image groups and a random half of the pool, the same for all models, so that differences between models are paired.';
comment on column replicate_metric.model_key is 'The model.';
comment on column replicate_metric.metric is 'Name of the metric; see the table metric.';
comment on column replicate_metric.heads_used is 'all or supported (heads whose label is supported on all images and texts).';
comment on column replicate_metric.replicate is 'Number of the replicate, zero-based; the same halves for every model.';
comment on column replicate_metric.value is 'Value in this replicate; null where it is not defined.';

create table replicate_head_metric (
    model_key varchar not null,
    layer integer not null,
    head integer not null,
    metric varchar not null,
    replicate integer not null,
    value double,
    primary key (model_key, layer, head, metric, replicate)
);
comment on table replicate_head_metric is 'One row per head metric with an interval and replicate; the replicates are those of replicate_metric, so that differences between heads of any models are paired.';
comment on column replicate_head_metric.model_key is 'The model.';
comment on column replicate_head_metric.layer is 'Layer, zero-based.';
comment on column replicate_head_metric.head is 'Head, zero-based.';
comment on column replicate_head_metric.metric is 'Name of the metric; see the table metric.';
comment on column replicate_head_metric.replicate is 'Number of the replicate, zero-based.';
comment on column replicate_head_metric.value is 'Value in this replicate; null where it is not defined.';

create table head_match (
    model_key varchar not null,
    other_model_key varchar not null,
    pairing varchar not null,
    layer integer not null,
    head integer not null,
    other_layer integer not null,
    other_head integer not null,
    cka double,
    control_cka double,
    control_p double,
    shuffled_p double,
    exceeds boolean,
    overlap double,
    median_angle double,
    primary key (model_key, other_model_key, pairing, layer, head)
);
comment on table head_match is 'One row per pair of heads of two models: of every two trained models, once, and of every trained model with its control.';
comment on column head_match.model_key is 'The model.';
comment on column head_match.other_model_key is 'The other model.';
comment on column head_match.pairing is 'best (one to one, with the largest sum of CKA) or place (the same layer and head; only for models of one architecture).';
comment on column head_match.layer is 'Layer, zero-based.';
comment on column head_match.head is 'Head, zero-based.';
comment on column head_match.other_layer is 'Layer of the head of the other model, zero-based.';
comment on column head_match.other_head is 'The head of the other model, zero-based.';
comment on column head_match.cka is 'Debiased linear CKA of the outputs of both heads on the same images, at most 2,000: 1 for outputs that are equal up to rotation and scale, 0 on average for independent ones; null if a head is constant.';
comment on column head_match.control_cka is 'Largest CKA of either head with a head of the control of the other model; null without controls, as in the following column.';
comment on column head_match.control_p is 'Share of the heads of both models whose largest CKA with a head of the control of the other model is at least cka, by the add-one rule.';
comment on column head_match.shuffled_p is 'The same with the other model itself, its images shuffled, in place of its control.';
comment on column head_match.exceeds is 'True if control_p and shuffled_p are at most 0.05 and cka is above control_cka; null without controls.';
comment on column head_match.overlap is 'Mean squared cosine of the principal angles between the spaces that both heads can write to: 1 for equal spaces; rank / d_out on average for random ones; null for different architectures, as in the following column.';
comment on column head_match.median_angle is 'Median principal angle, degrees.';

create table head_selectivity (
    model_key varchar not null,
    layer integer not null,
    head integer not null,
    attribute varchar not null,
    value double,
    low double,
    high double,
    images bigint not null,
    primary key (model_key, layer, head, attribute)
);
comment on table head_selectivity is 'One row per decomposed head and known attribute: how much of the head''s output the values of the attribute explain.';
comment on column head_selectivity.model_key is 'The model.';
comment on column head_selectivity.layer is 'Layer, zero-based.';
comment on column head_selectivity.head is 'Head, zero-based.';
comment on column head_selectivity.attribute is 'The attribute, as in image_attribute.';
comment on column head_selectivity.value is 'Epsilon squared: share of the variance of the head''s coordinates that the values explain, corrected for chance; 0 is chance.';
comment on column head_selectivity.low is 'Lower end of the 95 % interval over random halves of the image groups; null below 640 images.';
comment on column head_selectivity.high is 'Upper end of the 95 % interval.';
comment on column head_selectivity.images is 'Images with exactly one value of the attribute.';

create table first_view (
    model_key varchar not null,
    page varchar not null,
    image_id varchar,
    text_id varchar,
    against_id varchar,
    property varchar,
    layer integer,
    head integer,
    attribute varchar,
    value double not null,
    primary key (model_key, page)
);
comment on table first_view is 'One row per model and page of the dashboard that has a first view: what the page shows before anything is chosen. No row where nothing qualifies.';
comment on column first_view.model_key is 'The model.';
comment on column first_view.page is 'The page: head, image_neighbors, text_neighbors, property_search, topic_segmentation, contrastive_segmentation or mean_ablation.';
comment on column first_view.image_id is 'The image; null for pages without one, as in the following columns.';
comment on column first_view.text_id is 'The text, of contrastive_segmentation text A.';
comment on column first_view.against_id is 'Text B.';
comment on column first_view.property is 'The label whose supported heads are used.';
comment on column first_view.layer is 'Layer of the head, zero-based.';
comment on column first_view.head is 'The head, zero-based.';
comment on column first_view.attribute is 'The attribute to classify.';
comment on column first_view.value is 'What the view was chosen by, the largest of all candidates. head: separation, the share of the variance of its output that the text of its label with the largest fit explains. image_neighbors and property_search: share of the 12 nearest images with the same such text, times how much nearer they are by cosine than as embeddings. text_neighbors: that share times the mean cosine. topic_segmentation and contrastive_segmentation: share of the map in one square, or of the two maps in two, times how strongly the image shows the texts, times the locality of the label (method/first_views.py). mean_ablation: fall of the accuracy.';

create table language_model_answer (
    model_key varchar not null,
    layer integer not null,
    head integer not null,
    task varchar not null,
    position integer not null,
    judge varchar not null,
    draw integer not null,
    endpoint varchar not null,
    options varchar not null,
    prompt varchar not null,
    answer varchar not null,
    parsed varchar,
    asked_at timestamp not null,
    prompt_tokens bigint,
    answer_tokens bigint,
    primary key (model_key, layer, head, task, position, judge, draw)
);
comment on table language_model_answer is 'One row per question to a language model, with the whole answer.';
comment on column language_model_answer.model_key is 'The model that the head belongs to.';
comment on column language_model_answer.layer is 'Layer, zero-based.';
comment on column language_model_answer.head is 'Head, zero-based.';
comment on column language_model_answer.task is 'label (what is the head about?) or judge (does this text agree with the label?).';
comment on column language_model_answer.position is 'Place of the judged text in the head''s list, zero-based; 0 for a label.';
comment on column language_model_answer.judge is 'Name of the language model.';
comment on column language_model_answer.draw is 'Number of the draw, zero-based.';
comment on column language_model_answer.endpoint is 'Address of the service, without any key.';
comment on column language_model_answer.options is 'Other options of the request (temperature, seed, format of the answer), as JSON.';
comment on column language_model_answer.prompt is 'The messages, as JSON.';
comment on column language_model_answer.answer is 'The answer, unchanged.';
comment on column language_model_answer.parsed is 'The label, or yes or no; null if the answer could not be parsed.';
comment on column language_model_answer.asked_at is 'Time of the question, UTC. Not compared by diff.';
comment on column language_model_answer.prompt_tokens is 'Tokens of the prompt, as the service counts them.';
comment on column language_model_answer.answer_tokens is 'Tokens of the answer, as the service counts them.';

create table rotated_metric (
    model_key varchar not null,
    metric varchar not null,
    heads_used varchar not null,
    value double,
    low double,
    high double,
    primary key (model_key, metric, heads_used)
);
comment on table rotated_metric is 'One row per metric of a model''s rotated heads, a control: each rotation is treated as if it were the model.';
comment on column rotated_metric.model_key is 'The model whose heads were rotated.';
comment on column rotated_metric.metric is 'Name of the metric; see the table metric.';
comment on column rotated_metric.heads_used is 'all or supported (rotated heads whose label is supported by the same rule, tested against the other rotations).';
comment on column rotated_metric.value is 'Mean over the rotations for which it is defined; null if there are none.';
comment on column rotated_metric.low is '2.5 percentile over these rotations.';
comment on column rotated_metric.high is '97.5 percentile over these rotations.';

create table metric (
    metric varchar primary key,
    level varchar not null,
    title varchar not null,
    description varchar not null,
    unit varchar not null,
    direction varchar not null,
    ranked boolean not null,
    unranked_reason varchar,
    position integer not null
);
comment on table metric is 'One row per metric: its meaning and direction.';
comment on column metric.metric is 'Name, as in head_metric and model_metric.';
comment on column metric.level is 'head or model.';
comment on column metric.title is 'Name to show.';
comment on column metric.description is 'One sentence on what the metric measures.';
comment on column metric.unit is 'Unit of the value, e.g. share or texts.';
comment on column metric.direction is 'higher, lower or neither: which end is easier to interpret.';
comment on column metric.ranked is 'True where models can be ranked by it.';
comment on column metric.unranked_reason is 'Why models are never ranked by it; null if they are.';
comment on column metric.position is 'Order on the pages.';

create table property (
    property varchar primary key,
    texts bigint not null
);
comment on table property is 'One row per property of the pool, and per other label that a language model or a person gave.';
comment on column property.property is 'The property.';
comment on column property.texts is 'Texts of the pool with this property; 0 for a label that is no property of the pool.';

create table property_head (
    model_key varchar not null,
    property varchar not null,
    layer integer not null,
    head integer not null,
    primary key (model_key, property, layer, head)
);
comment on table property_head is 'One row per head whose chosen label is the property, supported or not.';
comment on column property_head.model_key is 'The model.';
comment on column property_head.property is 'The property.';
comment on column property_head.layer is 'Layer, zero-based.';
comment on column property_head.head is 'Head, zero-based.';

create table component_share (
    model_key varchar not null,
    component varchar not null,
    kind varchar not null,
    layer integer,
    head integer,
    share double,
    primary key (model_key, component)
);
comment on table component_share is 'One row per component: its share of the covariance of the embedding, tr Cov(c, e) / tr Cov(e); a model''s shares sum to 1.';
comment on column component_share.model_key is 'The model.';
comment on column component_share.component is 'input, attention L2 (a layer that is not decomposed by heads), head L11.H3 or mlp L11.';
comment on column component_share.kind is 'input (the input of the first layer), attention, head or mlp.';
comment on column component_share.layer is 'Layer; null for input.';
comment on column component_share.head is 'Head; null for all other components.';
comment on column component_share.share is 'Share of the covariance; may be negative; null if the embeddings of all images are equal.';

create table class_text (
    attribute varchar not null,
    value varchar not null,
    position integer not null,
    text varchar not null,
    primary key (attribute, value)
);
comment on table class_text is 'One row per attribute value with a prompt for zero-shot classification.';
comment on column class_text.attribute is 'The attribute, as in image_attribute.';
comment on column class_text.value is 'The value, as in image_attribute.';
comment on column class_text.position is 'Order within the attribute, zero-based.';
comment on column class_text.text is 'The prompt of the value.';

create table head_validation (
    model_key varchar not null,
    layer integer not null,
    head integer not null,
    attribute varchar not null,
    forward double,
    direct double,
    forward_accuracy double,
    direct_accuracy double,
    selectivity double,
    images bigint not null,
    primary key (model_key, layer, head, attribute)
);
comment on table head_validation is 'One row per decomposed head and attribute: the loss of zero-shot margin and accuracy under mean-ablation of the head.';
comment on column head_validation.model_key is 'The model.';
comment on column head_validation.layer is 'Layer, zero-based.';
comment on column head_validation.head is 'Head, zero-based.';
comment on column head_validation.attribute is 'The attribute, as in class_text.';
comment on column head_validation.forward is 'Mean fall of the zero-shot margin when the head''s output at the class token is replaced by its mean and the forward pass continues; negative if the margin rises.';
comment on column head_validation.direct is 'The same with everything after the head frozen.';
comment on column head_validation.forward_accuracy is 'Fall of the zero-shot accuracy, measured like forward, a share.';
comment on column head_validation.direct_accuracy is 'Fall of the zero-shot accuracy, measured like direct, a share.';
comment on column head_validation.selectivity is 'Share of the variance of the head''s coordinates that the attribute explains, corrected for chance: epsilon squared.';
comment on column head_validation.images is 'Images with exactly one value of the attribute.';

create table validation_score (
    model_key varchar not null,
    study varchar not null,
    measure varchar not null,
    subject_kind varchar not null,
    property varchar,
    layer integer,
    head integer,
    method varchar,
    comparison varchar,
    attribute varchar not null,
    effect varchar not null,
    k integer not null,
    value double,
    low double,
    high double,
    chance double,
    count bigint,
    unique (model_key, study, measure, subject_kind, property, layer, head, method, comparison, attribute, effect, k)
);
comment on table validation_score is 'One row per score of a result against the known attributes and masks of images.';
comment on column validation_score.model_key is 'The model.';
comment on column validation_score.study is 'labels, maps, neighbors or mean_ablation.';
comment on column validation_score.measure is 'Name of the score, e.g. right, contrast, precision or accuracy.';
comment on column validation_score.subject_kind is 'What is scored. labels: label_method, or baseline (one label for all heads). maps: all_heads, stored_layers, property (its heads), best_head (chosen on half of the pictures, scored on the others), or rival (a map that ignores the text). neighbors: embedding, head or property. mean_ablation: nothing, early_heads, mlps, texts (all but the first k of every head), property, or random_heads (sets of as many heads of like variance as the property has).';
comment on column validation_score.property is 'The property, if the subject is its heads or random sets like them.';
comment on column validation_score.layer is 'Layer, zero-based, if the subject is one head.';
comment on column validation_score.head is 'Head, zero-based, if the subject is one head.';
comment on column validation_score.method is 'Method of the labels, as in head_label, or commonest for the baseline; of a rival map raw_attention, rollout or uniform.';
comment on column validation_score.comparison is 'How neighbors are compared: cosine (centered) or dot.';
comment on column validation_score.attribute is 'The attribute; empty for all attributes together.';
comment on column validation_score.effect is 'forward (the forward pass continues), direct (all else frozen), or empty if there is only one.';
comment on column validation_score.k is 'Number of neighbors, of kept texts, or of first texts that a label method reads; 0 if there is none.';
comment on column validation_score.value is 'The score; null where it is not defined.';
comment on column validation_score.low is 'Lower end of its 95 % interval or range; null without one.';
comment on column validation_score.high is 'Upper end of its 95 % interval or range.';
comment on column validation_score.chance is 'Value by chance; null if it was not computed.';
comment on column validation_score.count is 'Number of scored heads, images or pairs.';

create table published (
    model varchar not null,
    metric varchar not null,
    value double not null,
    source varchar not null,
    read_from varchar not null,
    definition_known boolean not null,
    note varchar,
    primary key (model, metric, source)
);
comment on table published is 'One row per published figure; not comparable with ours unless the note says so.';
comment on column published.model is 'architecture/weights.';
comment on column published.metric is 'Name of the metric in the paper.';
comment on column published.value is 'The figure.';
comment on column published.source is 'Paper or page that prints it.';
comment on column published.read_from is 'primary (read in the paper itself) or secondary (quoted by another paper).';
comment on column published.definition_known is 'True if the definition was available.';
comment on column published.note is 'Limits of a comparison.';

create table run (
    model_key varchar not null,
    stage varchar not null,
    method_version varchar not null,
    options varchar not null,
    software varchar not null,
    started_at timestamp not null,
    seconds double not null,
    primary key (model_key, stage)
);
comment on table run is 'One row per model and stage: how and when it was computed. Not compared by diff: times differ.';
comment on column run.model_key is 'The model; empty for stages that belong to the whole bundle.';
comment on column run.stage is 'Stage of the pipeline.';
comment on column run.method_version is 'Version of the method of every stage, as JSON; a change of results raises the version of its stage.';
comment on column run.options is 'Options of the stage, as JSON.';
comment on column run.software is 'Versions of the libraries, as JSON.';
comment on column run.started_at is 'Start of the stage, UTC.';
comment on column run.seconds is 'Duration of the stage in the command that finished the bundle; time before an interruption is not included.';

create view leaderboard as
select
    model.model_key,
    model.model,
    model.is_control,
    model.control_of,
    model.training_data,
    model.parameters,
    model.layers,
    model.first_layer,
    model.heads,
    model.images,
    model.max_sum_error,
    metric.metric,
    metric.title,
    metric.unit,
    metric.direction,
    metric.position,
    model_metric.heads_used,
    model_metric.labels,
    model_metric.value,
    model_metric.low,
    model_metric.high,
    model_metric.chance,
    case when one_rule.metric is not null then model_metric.rank_low end as rank_low,
    case when one_rule.metric is not null then model_metric.rank_high end as rank_high
from model_metric
join model using (model_key)
join metric using (metric)
left join (
    select metric, heads_used, labels
    from model_metric
    join model using (model_key)
    where rank_low is not null
    group by metric, heads_used, labels
    having count(distinct label_rule) = 1
) as one_rule using (metric, heads_used, labels);
comment on view leaderboard is 'One row per model, model metric, set of heads and kind of label: the value with its interval and rank.';
comment on column leaderboard.model_key is 'The model.';
comment on column leaderboard.model is 'Name of the model to show.';
comment on column leaderboard.is_control is 'True for a random-weights control.';
comment on column leaderboard.control_of is 'Name of the model that this is a control of; null for other models.';
comment on column leaderboard.training_data is 'Training data of the weights; null if unknown.';
comment on column leaderboard.parameters is 'Number of parameters, both towers.';
comment on column leaderboard.layers is 'Layers of the vision transformer.';
comment on column leaderboard.first_layer is 'First decomposed layer, zero-based.';
comment on column leaderboard.heads is 'Heads of one layer.';
comment on column leaderboard.images is 'Number of decomposed images.';
comment on column leaderboard.max_sum_error is 'Largest absolute entry, over images, of (sum of contributions - embedding).';
comment on column leaderboard.metric is 'Name of the metric; see the table metric.';
comment on column leaderboard.title is 'Name of the metric to show.';
comment on column leaderboard.unit is 'Unit of the value.';
comment on column leaderboard.direction is 'higher, lower or neither: which end is easier to interpret.';
comment on column leaderboard.position is 'Order of the metrics on the pages.';
comment on column leaderboard.heads_used is 'all or supported, as in model_metric.';
comment on column leaderboard.labels is 'offline or chosen, as in model_metric.';
comment on column leaderboard.value is 'The value; null where it is not defined.';
comment on column leaderboard.low is 'Lower end of the 95 % measurement interval; null without an interval.';
comment on column leaderboard.high is 'Upper end of the 95 % measurement interval.';
comment on column leaderboard.chance is 'Value for rotated heads; null if it was not computed.';
comment on column leaderboard.rank_low is 'Best compatible rank among the trained models; null as in model_metric, and where the ranked models have labels of different rules.';
comment on column leaderboard.rank_high is 'Worst such rank.';

create view head_overview as
select
    head.model_key,
    model.model,
    model.is_control,
    head.layer,
    head.head,
    'L' || head.layer || '.H' || head.head as name,
    head.rank,
    head.importance,
    component_share.share as embedding_share,
    head_label.label,
    head_label.method,
    head_label.picks,
    head_label.carrying_picks,
    head_label.q_value,
    coalesce(head_label.supported, false) as supported,
    consistency.value as consistency,
    stability.value as stability,
    text.text as first_text,
    head_text.variance_share as first_share
from head
join model using (model_key)
left join head_label
    on head_label.model_key = head.model_key
    and head_label.layer = head.layer
    and head_label.head = head.head
    and head_label.chosen
left join component_share
    on component_share.model_key = head.model_key
    and component_share.layer = head.layer
    and component_share.head = head.head
    and component_share.kind = 'head'
left join head_metric as consistency
    on consistency.model_key = head.model_key
    and consistency.layer = head.layer
    and consistency.head = head.head
    and consistency.metric = 'ccs'
left join head_metric as stability
    on stability.model_key = head.model_key
    and stability.layer = head.layer
    and stability.head = head.head
    and stability.metric = 'stability'
left join head_text
    on head_text.model_key = head.model_key
    and head_text.layer = head.layer
    and head_text.head = head.head
    and head_text.position = 0
left join text using (text_id);
comment on view head_overview is 'One row per decomposed head: its chosen label, main numbers and first text.';
comment on column head_overview.model_key is 'The model.';
comment on column head_overview.model is 'Name of the model to show.';
comment on column head_overview.is_control is 'True for a head of a random-weights control.';
comment on column head_overview.layer is 'Layer, zero-based.';
comment on column head_overview.head is 'Head of the layer, zero-based.';
comment on column head_overview.name is 'Name of the head to show: L11.H3.';
comment on column head_overview.rank is 'Dimensions of the space that the head can write to; null for imported results.';
comment on column head_overview.importance is 'Square root of the trace of the covariance of the head''s contribution; null for imported results.';
comment on column head_overview.embedding_share is 'Share of the covariance of the embedding, as in component_share; may be negative.';
comment on column head_overview.label is 'The chosen label; null without one.';
comment on column head_overview.method is 'Method of the chosen label, as in head_label.';
comment on column head_overview.picks is 'Number of first texts that the method reads.';
comment on column head_overview.carrying_picks is 'Number of these texts that carry the label.';
comment on column head_overview.q_value is 'p-value of the label, adjusted over the heads of the model.';
comment on column head_overview.supported is 'True if the chosen label is supported, as in head_label.';
comment on column head_overview.consistency is 'Value of the metric ccs: first texts that are consistent with the label.';
comment on column head_overview.stability is 'Value of the metric stability.';
comment on column head_overview.first_text is 'First text that TEXTSPAN chose.';
comment on column head_overview.first_share is 'Share of the head''s variance that this text removes.';

create view texts_of_head as
select
    head_text.model_key,
    model.model,
    head_text.layer,
    head_text.head,
    'L' || head_text.layer || '.H' || head_text.head as name,
    head_text.position,
    head_text.text_id,
    text.text,
    properties.properties,
    coalesce(list_contains(properties.each_property, head_label.label), false) as carries_label,
    head_text.variance_share,
    head_text.cumulative_share,
    head_text.margin,
    head_text.equal_norm_position,
    head_text.stability
from head_text
join model using (model_key)
join text using (text_id)
left join (
    select
        text_id,
        string_agg(property, ', ' order by property) as properties,
        list(property) as each_property
    from text_property
    group by text_id
) as properties using (text_id)
left join head_label
    on head_label.model_key = head_text.model_key
    and head_label.layer = head_text.layer
    and head_label.head = head_text.head
    and head_label.chosen;
comment on view texts_of_head is 'One row per text that TEXTSPAN chose for a head, with its properties.';
comment on column texts_of_head.model_key is 'The model.';
comment on column texts_of_head.model is 'Name of the model to show.';
comment on column texts_of_head.layer is 'Layer, zero-based.';
comment on column texts_of_head.head is 'Head, zero-based.';
comment on column texts_of_head.name is 'Name of the head to show: L11.H3.';
comment on column texts_of_head.position is 'Order of choice, zero-based.';
comment on column texts_of_head.text_id is 'The text, as in text.';
comment on column texts_of_head.text is 'The text itself.';
comment on column texts_of_head.properties is 'Properties of the text, joined by commas; null without any.';
comment on column texts_of_head.carries_label is 'True if the chosen label of the head is one of these properties.';
comment on column texts_of_head.variance_share is 'Share of the head''s variance removed by this choice.';
comment on column texts_of_head.cumulative_share is 'Share removed by this and all choices before it.';
comment on column texts_of_head.margin is 'Relative lead over the next text; 0 is a tie.';
comment on column texts_of_head.equal_norm_position is 'Order of choice if every text has the same length in the head''s space; null as in head_text.';
comment on column texts_of_head.stability is 'Share of the replicates in which this text is among the first five; null without replicates.';

create view heads_of_property as
select
    property_head.property,
    property_head.model_key,
    model.model,
    model.is_control,
    property_head.layer,
    property_head.head,
    'L' || property_head.layer || '.H' || property_head.head as name,
    head.importance,
    head_label.method,
    head_label.carrying_picks,
    head_label.share,
    head_label.lead,
    head_label.tail,
    head_label.p_value,
    head_label.q_value,
    head_label.supported,
    text.text as first_text
from property_head
join model using (model_key)
join head using (model_key, layer, head)
left join head_label
    on head_label.model_key = property_head.model_key
    and head_label.layer = property_head.layer
    and head_label.head = property_head.head
    and head_label.chosen
left join head_text
    on head_text.model_key = property_head.model_key
    and head_text.layer = property_head.layer
    and head_text.head = property_head.head
    and head_text.position = 0
left join text using (text_id);
comment on view heads_of_property is 'One row per property and head whose chosen label it is, supported or not.';
comment on column heads_of_property.property is 'The property.';
comment on column heads_of_property.model_key is 'The model.';
comment on column heads_of_property.model is 'Name of the model to show.';
comment on column heads_of_property.is_control is 'True for a head of a random-weights control.';
comment on column heads_of_property.layer is 'Layer, zero-based.';
comment on column heads_of_property.head is 'Head, zero-based.';
comment on column heads_of_property.name is 'Name of the head to show: L11.H3.';
comment on column heads_of_property.importance is 'Square root of the trace of the covariance of the head''s contribution; null for imported results.';
comment on column heads_of_property.method is 'Method of the label, as in head_label.';
comment on column heads_of_property.carrying_picks is 'Number of picks that carry the label, as in head_label.';
comment on column heads_of_property.share is 'Share of the head''s variance that these picks remove, as in head_label.';
comment on column heads_of_property.lead is 'Test statistic of the label, as in head_label.';
comment on column heads_of_property.tail is 'Hypergeometric tail of the label, as in head_label.';
comment on column heads_of_property.p_value is 'p-value of the label, as in head_label.';
comment on column heads_of_property.q_value is 'p_value adjusted over the heads of the model.';
comment on column heads_of_property.supported is 'True if the label is supported, as in head_label.';
comment on column heads_of_property.first_text is 'First text that TEXTSPAN chose for the head.';

create view label_disagreements as
select
    head_label.model_key,
    model.model,
    model.is_control,
    head_label.layer,
    head_label.head,
    'L' || head_label.layer || '.H' || head_label.head as name,
    count(distinct head_label.label) as labels,
    max(head_label.label) filter (where head_label.chosen) as chosen_label,
    string_agg(
        distinct head_label.label || ' (' || head_label.method || ')',
        ', '
        order by head_label.label || ' (' || head_label.method || ')'
    ) as by_method
from head_label
join model using (model_key)
group by head_label.model_key, model.model, model.is_control, head_label.layer, head_label.head
having count(distinct head_label.label) > 1;
comment on view label_disagreements is 'One row per head that two methods, or two numbers of picks, label differently.';
comment on column label_disagreements.model_key is 'The model.';
comment on column label_disagreements.model is 'Name of the model to show.';
comment on column label_disagreements.is_control is 'True for a head of a random-weights control.';
comment on column label_disagreements.layer is 'Layer, zero-based.';
comment on column label_disagreements.head is 'Head, zero-based.';
comment on column label_disagreements.name is 'Name of the head to show: L11.H3.';
comment on column label_disagreements.labels is 'Number of different labels.';
comment on column label_disagreements.chosen_label is 'The chosen label.';
comment on column label_disagreements.by_method is 'All labels, each with its methods, joined by commas.';
