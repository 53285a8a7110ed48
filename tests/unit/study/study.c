/* SPDX-License-Identifier: BSD-3-Clause */
/* study.c - whole studies: blocks, names, hashes, and the resolved study that says the same. A fuzz loop ends the file.
 */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/random.h"
#include "core/study/commit.h"
#include "core/study/study.h"
#include "tests/unit/check.h"
#include "tests/unit/study/sample.h"

static const char *const solver_extra[] = {"name", NULL}, *const campaign_extra[] = {"vary", "noise", NULL};
static const char *const hashed[] = {"solver", "initial", "campaign", "surrogate.mlp", NULL};

static const char *const valid = "# a question\n"
                                 "study: kolmogorov\n"
                                 "seed: 3\n"
                                 "solver:\n"
                                 "  name: navier_stokes\n"
                                 "  viscosity: 1e-2\n"
                                 "  forcing: {name: kolmogorov, wavenumber: 4, amplitude: 2}\n"
                                 "  resolution: [64, 32]\n"
                                 "  table: spectra/k.h5\n"
                                 "initial: {name: random, slope: -2}\n"
                                 "campaign:\n"
                                 "  split: {train: 8, test: 2}\n"
                                 "  vary: {viscosity: {range: [4e-3, 1e-1], scale: log}, drag: [0.1, 0.2]}\n"
                                 "surrogate: {task: map, mlp: {viscosity: 3}}\n"
                                 "limits: {wall_time: 3 hour}\n";

/* reads all blocks as a program would */
static locum_status open_blocks(locum_study *study)
{
    locum_settings *solver = NULL, *other = NULL;
    locum_status st = locum_study_block(study, "solver", sample_options, sizeof(sample_config), solver_extra, &solver);
    if (!st) st = locum_study_block_view(study, "initial", sample_initial, solver, NULL, &other);
    if (!st) st = locum_study_block(study, "campaign", sample_options, sizeof(sample_config), campaign_extra, &other);
    if (!st) st = locum_study_block(study, "surrogate.mlp", sample_options, sizeof(sample_config), NULL, &other);
    return st;
}

static locum_status open_text(const char *text, int n_sets, const char *const *sets, locum_study **study)
{
    locum_status st = locum_study_parse(text, "/usr/s.yaml", n_sets, sets, study);
    return st ? st : open_blocks(*study);
}

static uint64_t hash_text(const char *text, int n_sets, const char *const *sets)
{
    locum_study *study = NULL;
    CHECK_OK(open_text(text, n_sets, sets, &study));
    uint64_t hash = study ? locum_study_hash(study, hashed) : 0;
    locum_study_destroy(study);
    return hash;
}

static bool has(const char *text, const char *part)
{
    if (strstr(text, part)) return true;
    printf("\n    \"%s\" lacks \"%s\"", text, part);
    return false;
}

static void a_study_gives_name_seed_nodes_and_blocks(void)
{
    locum_study *study = NULL;
    locum_settings *again = NULL;
    char path[LOCUM_PATH_SIZE];
    CHECK_OK(open_text(valid, 0, NULL, &study));
    CU_ASSERT_STRING_EQUAL(locum_study_name(study), "kolmogorov");
    CU_ASSERT_EQUAL(locum_study_seed(study), 3);
    CU_ASSERT_STRING_EQUAL(locum_yaml_string(locum_study_node(study, "campaign.vary.viscosity.scale")), "log");
    CU_ASSERT_PTR_NULL(locum_study_node(study, "campaign.vary.nothing"));
    locum_settings *solver = locum_study_settings(study, "solver");
    const sample_config *config = locum_settings_config(solver);
    CU_ASSERT(config->viscosity == 0.01 && config->start == 1 &&
              config->slope == -2); /* the view writes into the solver's config */
    CU_ASSERT_STRING_EQUAL(config->table, "/usr/spectra/k.h5");
    CHECK_OK(locum_study_block(study, "solver", sample_options, sizeof(sample_config), solver_extra, &again));
    CU_ASSERT_PTR_EQUAL(again, solver);
    CHECK_OK(locum_study_resolve_path(study, "a/b", path));
    CU_ASSERT_STRING_EQUAL(path, "/usr/a/b");
    locum_study_destroy(study);

    CHECK_OK(locum_study_parse("study: x\nsolver: burgers\n", "s.yaml", 0, NULL, &study));
    CU_ASSERT_STRING_EQUAL(locum_yaml_string(locum_study_node(study, "solver.name")), "burgers");
    locum_study_destroy(study);
}

static void wrong_heads_are_refused(void)
{
    static const struct {
        const char *text, *message;
    } bad[] = {{"study: a\nsolvr: {}\n", "s.yaml:2:1: unknown option `solvr` of the study; did you mean `solver`?"},
               {"solver: {}\n", "s.yaml:1:1: the study has no name: begin with `study: NAME`"},
               {"study: A b\n", "s.yaml:1:8: study: the name becomes that of a folder"},
               {"study: ../x\n", "s.yaml:1:8: study: the name"},
               {"study: [a]\n", "s.yaml:1:8: study: the name"},
               {"study: a\nseed: -1\n", "s.yaml:2:7: seed: -1 is out of range"},
               {"study: a\nseed: 1.5\n", "s.yaml:2:7: seed: expected a whole number"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        locum_study *study = NULL;
        CHECK_FAILS(locum_study_parse(bad[i].text, "s.yaml", 0, NULL, &study), LOCUM_STUDY);
        CU_ASSERT(has(locum_status_message(), bad[i].message));
        CU_ASSERT_PTR_NULL(study);
    }
}

static void the_hash_ignores_comments_order_and_spelling(void)
{
    uint64_t hash = hash_text(valid, 0, NULL);
    CU_ASSERT_EQUAL(
        hash_text("limits: {wall_time: 60}\n"
                  "surrogate: {mlp: {viscosity: 3.0}, task: map}\n"
                  "campaign:\n"
                  "  vary: {drag: [1e-1, 0.2], viscosity: {scale: log, range: [0.004, 0.1]}}   # other words\n"
                  "  split: {test: 2, train: 8}\n"
                  "initial:\n"
                  "  slope: -2.0\n"
                  "  name: random\n"
                  "solver:\n"
                  "  table: ./spectra/k.h5\n"
                  "  drag: 0.1                       # the default, spelled out\n"
                  "  resolution: [64, 32]\n"
                  "  forcing: {amplitude: 2e0, name: kolmogorov}\n"
                  "  viscosity: 0.01\n"
                  "  name: navier_stokes\n"
                  "  box: 50000 kpc\n"
                  "seed: 3\n"
                  "study: kolmogorov\n",
                  0, NULL),
        hash);
    static const char *const changes[] = {"seed=4",
                                          "study=other",
                                          "solver.viscosity=0.02",
                                          "solver.forcing.wavenumber=5",
                                          "solver.name=other",
                                          "initial.slope=-3",
                                          "campaign.vary.drag=[0.1, 0.3]",
                                          "campaign.split.train=9",
                                          "surrogate.mlp.drag=0.2",
                                          "campaign.long={}",
                                          "solver.table=spectra/k.h5"};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) CU_ASSERT(hash_text(valid, 1, &changes[i]) != hash);
    const char *const same[] = {"solver.viscosity=0.010", "solver.forcing.name=kolmogorov", "limits.wall_time=1",
                                "surrogate.task=step"};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) CU_ASSERT_EQUAL(hash_text(valid, 1, &same[i]), hash);
}

/* a result made from a file that has changed since is not reused */
static void the_hash_sees_what_a_file_holds(void)
{
    char folder[] = "/tmp/locum_study_XXXXXX", set[256];
    const char *const sets[] = {set};
    CU_ASSERT_PTR_NOT_NULL(mkdtemp(folder));
    snprintf(set, sizeof set, "solver.table=%s/k.h5", folder);
    const char *path = set + strlen("solver.table=");
    uint64_t missing = hash_text(valid, 1, sets);
    CHECK_OK(locum_commit_bytes(path, "one", 3));
    uint64_t one = hash_text(valid, 1, sets);
    CHECK_OK(locum_commit_bytes(path, "two", 3));
    CU_ASSERT(one != missing && one != hash_text(valid, 1, sets));
    CHECK_OK(locum_commit_bytes(path, "one", 3));
    CU_ASSERT_EQUAL(hash_text(valid, 1, sets), one);
    CHECK_OK(locum_remove_tree(folder));
}

static void the_resolved_study_says_the_same(void)
{
    char folder[] = "/tmp/locum_study_XXXXXX", path[256];
    static const char *const sets[] = {"solver.drag=0.25", "solver.long={until: 9}"};
    locum_study *study = NULL, *again = NULL;
    locum_text text = {0}, twice = {0};
    CU_ASSERT_PTR_NOT_NULL(mkdtemp(folder));
    CHECK_OK(open_text(valid, 2, sets, &study));
    locum_study_write(study, &text);
    CHECK_OK(text.status);
    snprintf(path, sizeof path, "%s/study.resolved.yaml", folder);
    CHECK_OK(locum_commit_bytes(path, text.data, text.size));
    CHECK_OK(locum_study_open(folder, 0, NULL, &again)); /* a run directory stands for its resolved study */
    if (again) {
        CHECK_OK(open_blocks(again));
        CU_ASSERT_EQUAL(locum_study_hash(again, hashed), locum_study_hash(study, hashed));
        CU_ASSERT(!memcmp(locum_settings_config(locum_study_settings(again, "solver")),
                          locum_settings_config(locum_study_settings(study, "solver")), sizeof(sample_config)));
        char resolved[LOCUM_PATH_SIZE];
        CHECK_OK(locum_study_resolve_path(again, "by_hand.csv", resolved)); /* still relative to the first study */
        CU_ASSERT_STRING_EQUAL(resolved, "/usr/by_hand.csv");
        locum_study_write(again, &twice);
    }
    CU_ASSERT(has(text.data, "drag: 0.25                        # --set\n"));
    CU_ASSERT(has(text.data, "  vary:\n    viscosity:\n      range: [4e-3, 1e-1]\n"));
    CU_ASSERT(has(text.data, "surrogate:\n  task: map\n  mlp:\n    viscosity: 3"));
    CU_ASSERT(has(text.data, "limits:\n  wall_time: 3 hour\n"));
    if (getenv("LOCUM_SHOW")) printf("\n%s", text.data);
    locum_study_destroy(study);
    locum_study_destroy(again);
    locum_text_free(&text);
    locum_text_free(&twice);
    CHECK_OK(locum_remove_tree(folder));

    CHECK_FAILS(locum_study_open("/usr", 0, NULL, &study), LOCUM_INPUT);
    CU_ASSERT(has(locum_status_message(), "/usr is no run directory"));
}

static void every_block_of_the_canonical_text_is_found_again(void)
{
    locum_study *study = NULL;
    locum_text text = {0};
    locum_document *document = NULL;
    CHECK_OK(open_text(valid, 0, NULL, &study));
    locum_study_options(study, hashed, &text);
    CHECK_OK(locum_document_parse(text.data, text.size, "options", &document));
    CU_ASSERT_PTR_NOT_NULL(locum_yaml_find(locum_document_root(document), "surrogate.mlp"));
    CU_ASSERT(has(text.data, "  table: spectra/k.h5\n")); /* a study that moves with its data keeps its hash */
    locum_document_destroy(document);
    locum_text_free(&text);
    locum_study_destroy(study);
}

/* ---- fuzz ---- */

static uint64_t draw(uint64_t index, uint64_t below)
{
    uint32_t words[4];
    locum_random_words(20260101, LOCUM_STREAM_TEST, index, words);
    return (((uint64_t)words[1] << 32) | words[0]) % below;
}

/* one random change of the text: a byte flipped, removed, doubled, or a piece moved */
static size_t mutate(char *text, size_t n, uint64_t round)
{
    static const char special[] = "{}[]:,-&*!#|>%@`\"'\t\n \\?0e.~";
    uint64_t base = round * 64, n_changes = 1 + draw(base, 4);
    for (uint64_t c = 0; c < n_changes; c++) {
        size_t at = draw(base + 8 * c + 1, n);
        switch (draw(base + 8 * c + 2, 4)) {
        case 0: text[at] = special[draw(base + 8 * c + 3, sizeof special - 1)]; break;
        case 1: text[at] = (char)draw(base + 8 * c + 3, 256); break;
        case 2:
            memmove(text + at, text + at + 1, n - at - 1);
            n--;
            break;
        default: {
            size_t from = draw(base + 8 * c + 3, n), length = 1 + draw(base + 8 * c + 4, 20);
            if (from + length > n) length = n - from;
            if (n + length > 4000) break;
            char piece[32];
            memcpy(piece, text + from, length);
            memmove(text + at + length, text + at, n - at);
            memcpy(text + at, piece, length);
            n += length;
        }
        }
        for (size_t i = 0; i < n; i++) {
            if (!text[i]) text[i] = ' ';
        }
    }
    return n;
}

static void two_thousand_mutations_are_answered(void)
{
    char text[4096];
    int n_refused = 0;
    clock_t begun = clock();
    for (uint64_t round = 0; round < 2000; round++) {
        locum_study *study = NULL;
        size_t n = strlen(valid);
        memcpy(text, valid, n);
        text[mutate(text, n, round)] = 0;
        locum_status st = locum_study_parse(text, "s.yaml", 0, NULL, &study);
        if (!st) st = open_blocks(study);
        if (st) {
            n_refused++;
            /* every refusal is about the study, and names its place */
            CU_ASSERT(st == LOCUM_STUDY);
            if (strncmp(locum_status_message(), "s.yaml:", 7) != 0) CU_FAIL(locum_status_message());
        } else { /* what is accepted can be written and read again */
            locum_text out = {0};
            locum_study *again = NULL;
            locum_study_write(study, &out);
            locum_status back = locum_study_parse(out.data, "back.yaml", 0, NULL, &again);
            if (!back) back = open_blocks(again);
            if (back) printf("\n    %s\n%s\n%s", locum_status_message(), text, out.data);
            CU_ASSERT(back == LOCUM_OK);
            if (!back) CU_ASSERT_EQUAL(locum_study_hash(again, hashed), locum_study_hash(study, hashed));
            locum_study_destroy(again);
            locum_text_free(&out);
        }
        locum_study_destroy(study);
    }
    CU_ASSERT(n_refused > 1000 && n_refused < 2000); /* the mutations reach both sides */
    CU_ASSERT(clock() - begun < 3 * CLOCKS_PER_SEC); /* of this process: other work on the machine does not count */
}

/* ---- no memory ---- */

static void each_failing_allocation_is_reported(void)
{
    char failpoint[64];
    int n = 0;
    for (bool failed = true; failed && n < 5000;) {
        locum_study *study = NULL;
        locum_text out = {0};
        snprintf(failpoint, sizeof failpoint, "alloc@%d=memory", ++n);
        setenv("LOCUM_FAILPOINTS", failpoint, 1);
        locum_status st = open_text(valid, 0, NULL, &study);
        if (!st) locum_study_write(study, &out);
        if (!st) st = out.status;
        failed = st != LOCUM_OK;
        CU_ASSERT(!failed || st == LOCUM_MEMORY);
        locum_study_destroy(study);
        locum_text_free(&out);
    }
    unsetenv("LOCUM_FAILPOINTS");
    CU_ASSERT(n > 20 && n < 5000);
}

LOCUM_RUN_TESTS("study", {"a study gives name, seed, nodes and blocks", a_study_gives_name_seed_nodes_and_blocks},
                {"wrong heads are refused", wrong_heads_are_refused},
                {"the hash ignores comments, order and spelling", the_hash_ignores_comments_order_and_spelling},
                {"the hash sees what a file holds", the_hash_sees_what_a_file_holds},
                {"the resolved study says the same", the_resolved_study_says_the_same},
                {"every block of the canonical text is found again", every_block_of_the_canonical_text_is_found_again},
                {"two thousand mutations are answered", two_thousand_mutations_are_answered},
                {"each failing allocation is reported", each_failing_allocation_is_reported})
