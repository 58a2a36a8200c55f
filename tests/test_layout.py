"""Tests mirror the product: each module has a test file of its name, or a reason why it has none."""

import re
from pathlib import Path

from tests.support.paths import ROOT

TESTS = ROOT / "tests"
PAGES = "drawn by dashboard/views/test_views.py, which opens and uses every page"

WITHOUT_TEST_FILE = {
    "dashboard/app.py": PAGES,
    "dashboard/controls/collection.py": "dashboard/views/test_collection.py pins views by it",
    "dashboard/controls/heads.py": "dashboard/views/test_heads.py sets its filters",
    "dashboard/data/nearest_heads.py": "dashboard/views/test_head.py compares its table with stored matches",
    "dashboard/data/projections.py": "dashboard/views/test_head.py compares its numbers with brute force",
    "dashboard/sections/nearest_heads.py": "drawn by dashboard/views/test_head.py",
    "dashboard/sections/picture.py": "drawn by dashboard/views/test_head.py",
    "dashboard/controls/integrity.py": "dashboard/views/test_integrity.py reads the sidebar",
    "dashboard/controls/maps.py": "dashboard/views/test_topic_segmentation.py sets its options",
    "dashboard/controls/mean_ablation.py": "dashboard/views/test_mean_ablation.py asks for fewer classes",
    "dashboard/controls/reads.py": "dashboard/views/test_which_head.py sets its options",
    "dashboard/controls/search.py": "dashboard/views/test_search.py types into its box",
    "dashboard/controls/sql.py": "dashboard/views/test_sql.py asks questions by it",
    "dashboard/controls/shared.py": "dashboard/views/test_views.py chooses images, texts and heads by it",
    "dashboard/data/collection.py": "dashboard/views/test_collection.py reads its titles",
    "dashboard/data/compare.py": "dashboard/views/test_compare.py reads its tables on the page",
    "dashboard/data/defaults.py": "dashboard/views/test_first_views.py opens pages without a link",
    "dashboard/data/images.py": "dashboard/views/test_live.py shows images of the bundle and uploads",
    "dashboard/data/integrity.py": "dashboard/views/test_integrity.py compares harmed bundles by it",
    "dashboard/data/leaderboard_specs.py": "dashboard/views/test_leaderboard.py draws its charts",
    "dashboard/data/live.py": "test_imports.py imports it; dashboard/views/test_live.py calls it",
    "dashboard/data/live_model.py": "dashboard/views/test_live.py loads a model by it, once",
    "dashboard/data/maps.py": "precompute/demo/planted/test_planted.py compares its maps with the plan",
    "dashboard/data/mean_ablation.py": "dashboard/views/test_mean_ablation.py compares its numbers",
    "dashboard/data/option_words.py": "dashboard/views/test_collection.py reads titles made of them",
    "dashboard/data/reads.py": "dashboard/views/test_which_head.py compares its rankings",
    "dashboard/data/search.py": "dashboard/views/test_search.py follows its links",
    "dashboard/data/scopes.py": "dashboard/views/test_supported_heads.py: the heads that are searched",
    "dashboard/data/start.py": "dashboard/views/test_start.py reads its cards",
    "dashboard/sections/start.py": "drawn by dashboard/views/test_start.py",
    "dashboard/data/texts.py": "dashboard/views/test_views.py finds texts by filter and head",
    "dashboard/data/token_images.py": "dashboard/views/test_live.py decomposes uploads by it",
    "dashboard/data/about.py": "dashboard/views/test_about.py compares its facts with the bundle",
    "db/card.py": "db/test_pack.py reads it",
    "db/citation.py": "dashboard/views/test_about.py compares it with CITATION.cff",
    "dashboard/data/sql.py": "dashboard/views/test_sql.py runs its queries",
    "dashboard/data/types.py": "types; dashboard/views/test_strangers.py names texts like columns",
    "dashboard/data/validation_scores.py": "dashboard/test_report.py compares its tables with the bundle",
    "dashboard/sections/about.py": "drawn by dashboard/views/test_about.py",
    "dashboard/sections/addresses.py": "dashboard/views/test_travel.py opens addresses of no page",
    "dashboard/sections/collection.py": "drawn by dashboard/views/test_collection.py",
    "dashboard/sections/compare.py": "drawn by dashboard/views/test_compare.py",
    "dashboard/sections/head.py": "drawn by dashboard/views/test_head.py",
    "dashboard/sections/head_evidence.py": "drawn by dashboard/views/test_head.py",
    "dashboard/sections/heads.py": "drawn by dashboard/views/test_heads.py",
    "dashboard/sections/mean_ablation.py": "drawn by dashboard/views/test_mean_ablation.py",
    "dashboard/sections/printed.py": "dashboard/views/test_collection.py reads its HTML",
    "dashboard/sections/map_sides.py": "drawn by dashboard/views/test_versus.py",
    "dashboard/sections/sql.py": "drawn by dashboard/views/test_sql.py",
    "dashboard/sections/validation.py": "drawn by dashboard/views/test_validation.py",
    "dashboard/sections/reads.py": "drawn by dashboard/views/test_which_head.py",
    "dashboard/charts/versus.py": "dashboard/views/test_versus.py reads its data",
    "dashboard/controls/versus.py": "dashboard/views/test_versus.py chooses the other side by it",
    "dashboard/data/versus.py": "dashboard/views/test_versus.py compares both sides with each alone",
    "dashboard/sections/versus.py": "drawn by dashboard/views/test_versus.py",
    "dashboard/state/versus.py": "dashboard/state/test_views.py reads links of other sides",
    "headlight/report/head_page.py": "headlight/report/test_write.py reads its pages",
    "headlight/report/index_page.py": "headlight/report/test_write.py reads its page",
    "headlight/report/model_page.py": "headlight/report/test_write.py reads its pages",
    "headlight/report/pictures.py": "headlight/report/test_write.py: pictures have words",
    "dashboard/data/patches.py": "dashboard/views/test_patches.py reads its tables",
    "dashboard/sections/map_panels.py": "drawn by dashboard/views/test_topic_segmentation.py",
    "dashboard/sections/patches.py": "drawn by dashboard/views/test_patches.py",
    "dashboard/server.py": "dashboard/test_browser.py opens addresses below a page",
    "dashboard/state/collection_files.py": "dashboard/state/test_pins.py reads files and links by it",
    "dashboard/state/choices.py": "types; dashboard/state/test_views.py reads links by them",
    "dashboard/state/links.py": "dashboard/state/test_views.py reads links by it",
    "dashboard/state/url.py": "dashboard/views/test_views.py reopens every page from its link",
    "db/bundle_files.py": "db/test_verify.py compares files, links, pipes and folders by it",
    "db/errors.py": "classes without behavior; tests of db catch each where it is raised",
    "db/spreadsheet.py": "db/test_export.py and dashboard/sections/test_shared.py write formulas by it",
    "db/tolerances.py": "constants; db/test_diff.py compares within them",
    "db/vector_columns.py": "db/test_verify.py: columns that are missing, added and of another type",
    "headlight/results.py": "headlight/test_bundle.py compares its arrays with the pages",
    "precompute/demo/__main__.py": "conftest.py draws scenes by it",
    "precompute/demo/bpe.py": "precompute/demo/test_words.py makes the tokenizer file by it",
    "precompute/demo/planted/folder.py": "precompute/demo/planted/conftest.py reads what it writes",
    "precompute/demo/planted/weights.py": "precompute/demo/planted/test_expected.py checks what they give",
    "precompute/inputs/images/decoding.py": "db/test_pictures.py reads files and their thumbnails",
    "precompute/inputs/text_files.py": "precompute/inputs/images/test_attributes.py reads tables",
    "precompute/inputs/images/dataset.py": "precompute/inputs/images/test_csv_list.py joins metadata",
    "precompute/method/types.py": "types without behavior",
    "precompute/pipeline/setup.py": "precompute/pipeline/test_run.py sets up whole runs by it",
    "precompute/runtime/method_versions.py": "constants; precompute/pipeline/test_run.py raises them",
    "precompute/stages/describe_heads.py": "precompute/stages/test_leaderboard.py describes planted heads",
    "precompute/stages/embed_texts.py": "precompute/pipeline/test_run.py compares embeddings of prompts",
    "precompute/stages/read_inputs.py": "precompute/inputs/test_prompts.py refuses prompts that fit nothing",
    "precompute/tools/import_textspan/tables.py": "precompute/tools/import_textspan/test_run.py reads them",
    "precompute/tools/list_models/options.py": "precompute/tools/list_models/test_run.py runs the command",
    "precompute/tools/merge_bundles/matches.py": "precompute/tools/merge_bundles/test_run.py matches",
    "precompute/tools/merge_bundles/options.py": "precompute/tools/merge_bundles/test_run.py uses them",
    "precompute/tools/score_maps/options.py": "precompute/tools/score_maps/test_run.py runs the command",
    "precompute/tools/verify_paper/references.py": "precompute/tools/verify_paper/test_run.py reads them",
    "precompute/validation/forward_effects.py": "precompute/validation/test_run.py recomputes the effects",
    "precompute/validation/interventions.py": "precompute/validation/test_run.py recomputes each of them",
}
"""Modules without a test file of their own, each with the test file below tests/ that covers it."""

WHOLE_SYSTEM = {
    "dashboard/test_browser.py": "all pages in Chromium",
    "dashboard/test_browser_heads.py": "heads, pictures and own labels by keys in Chromium",
    "headlight/report/test_browser.py": "a report opened from disk in Chromium",
    "dashboard/test_browser_charts.py": "every chart in Chromium after clicks",
    "dashboard/test_browser_widths.py": "all pages in Chromium on a phone, a small and a large screen",
    "dashboard/test_contrast.py": "colors of both themes and of charts",
    "dashboard/test_soak.py": "many sessions at once on a real server",
    "dashboard/views/test_equal_images.py": "stages and pages over images with equal pixels",
    "dashboard/views/test_extremes.py": "all pages over one model, one layer and a thousand classes",
    "dashboard/views/test_first_views.py": "pages opened without a link, and what goes along from them",
    "dashboard/views/test_imported_results.py": "all pages over results without vectors",
    "dashboard/views/test_integrity.py": "harmed bundles, and what pages and sidebar say of them",
    "dashboard/views/test_links.py": "links of any value, page by page",
    "dashboard/views/test_live.py": "all pages that load a model, with a model of tests",
    "dashboard/views/test_old_links.py": "links of earlier versions, page by page",
    "dashboard/views/test_patches.py": "patches of maps that are chosen, on both pages of maps",
    "dashboard/views/test_provenance.py": "queries that pages show, against those that ran",
    "dashboard/views/test_readable.py": "captions, headings and alt texts of all pages",
    "dashboard/views/test_replaced.py": "bundles that change under open pages, and two in two tabs",
    "dashboard/views/test_search.py": "the search box of the sidebar, and where its links lead",
    "dashboard/views/test_strangers.py": "all pages over text that other people write",
    "dashboard/views/test_supported_heads.py": "property search over supported and unsupported heads",
    "dashboard/views/test_tables.py": "tables of all pages, and where they are saved",
    "dashboard/views/test_thumbnails.py": "pages over thumbnails that are no pictures",
    "dashboard/views/test_travel.py": "what goes along from page to page",
    "dashboard/views/test_versus.py": "two sides of an analysis, on every page that has them",
    "dashboard/views/test_views.py": "what all pages have in common",
    "dashboard/views/test_walk.py": "every control of every page, against a fresh load",
    "db/test_formats.py": "a bundle of every format, and refusals of other formats",
    "db/test_search.py": "search.sql over heads, labels, texts and models",
    "db/test_head_matches.py": "head_matches.sql and replicates of heads, and checks of both",
    "db/test_image_words.py": "images.sql and class_images.sql over pictures of several objects",
    "db/test_no_vectors.py": "bundles of a model with vectors and one without",
    "headlight/test_fine_tuned.py": "two demo models compared, from their weights to the page",
    "headlight/test_guards.py": "harmed bundles, by API, app and commands",
    "headlight/test_installed.py": "wheel and source distribution, installed",
    "headlight/test_packaging.py": "pyproject.toml and the pins",
    "headlight/test_quickstart.py": "docs/quickstart.ipynb",
    "precompute/demo/planted/test_planted.py": "the planted model through all stages and pages",
    "precompute/demo/test_heads.py": "heads of the shipped demo models",
    "precompute/demo/test_known_scenes.py": "maps and neighbors of the demo model on known scenes",
    "precompute/pipeline/test_damaged_files.py": "runs over damaged work files, and two names of one model",
    "precompute/pipeline/test_full_disk.py": "runs on a disk without room",
    "precompute/pipeline/test_hostile_inputs.py": "runs over few images and in folders of any name",
    "precompute/pipeline/test_invariance.py": "runs in batches, shards and threads of any number",
    "precompute/pipeline/test_kills.py": "runs that are killed",
    "precompute/pipeline/test_same_images.py": "one image set from several sources",
    "precompute/pipeline/test_study.py": "the six models of the study at full size",
    "precompute/tools/label/test_bad_responses.py": "labeling by services that answer badly",
    "precompute/validation/test_demo.py": "validation of the shipped demo model",
    "precompute/validation/test_planted.py": "validation of the planted model",
    "test_docs.py": "documentation, against the code",
    "test_sql.py": "docs/sql.md, by this and the oldest DuckDB",
    "test_imports.py": "what an import loads",
    "test_layout.py": "this file",
    "precompute/test_shapes.py": "shapes of tensors at every call",
}
"""Test files that test more than one module, and what they test."""

MAX_LINES = 400


def paths(folder: Path, pattern: str = "*.py") -> list[Path]:
    """Paths below a folder, relative to it."""
    return sorted(file.relative_to(folder) for file in folder.rglob(pattern))


MODULES = [
    Path(package) / file
    for package in ("dashboard", "db", "headlight", "precompute")
    for file in paths(ROOT / package)
    if file.name != "__init__.py"
]


def mirrored(module: Path) -> Path:
    """Path of a module's test file below tests/."""
    return module.with_name(f"test_{module.stem.strip('_')}.py")


def test_every_module_has_a_test_file_or_a_reason_to_have_none():
    missing = {module.as_posix() for module in MODULES if not (TESTS / mirrored(module)).exists()}

    assert sorted(missing) == sorted(WITHOUT_TEST_FILE)


def test_every_test_file_mirrors_a_module_or_tests_the_whole_system():
    modules = {mirrored(module) for module in MODULES}
    others = [file.as_posix() for file in paths(TESTS, "test_*.py") if file not in modules]

    assert sorted(others) == sorted(WHOLE_SYSTEM)


def test_every_reason_names_tests_that_exist():
    named = {
        file for reason in WITHOUT_TEST_FILE.values() for file in re.findall(r"tests/[\w/]+\.py", reason)
    }

    assert [file for file in named if not (ROOT / file).exists()] == []


def test_no_module_and_no_test_file_is_too_long():
    files = [ROOT / module for module in MODULES] + [TESTS / file for file in paths(TESTS)]

    assert [file for file in files if len(file.read_text(encoding="utf-8").splitlines()) > MAX_LINES] == []


def test_a_newcomer_sees_at_most_a_dozen_rooms():
    """Entries of a package's folder, but for hidden and dunder files."""

    def entries(folder: str) -> int:
        return sum(not path.name.startswith((".", "__")) for path in (ROOT / folder).iterdir())

    assert entries("precompute") <= 12 and entries("dashboard") <= 11
