/* SPDX-License-Identifier: BSD-3-Clause */
/* surrogates.c - reads the blocks `surrogate` and `train` of a study.
 *
 *     surrogate: {model: fno, task: step, modes: 12}         one; its name is the model's
 *     surrogate: {task: step, fno: {modes: 12}, small: {model: fno, width: 8}}
 *                                                            several by name; the model is the name where not given;
 *                                                            common keys beside them hold for all that have not their own
 *     train: {epochs: 50, small: {epochs: 20}}               for all, and for one (also surrogate.small.train)
 *
 * The model's own options stand beside the common ones; a resolved study shows all of them below the model's name
 * (surrogate.mlp, surrogate.small.fno). Where both are given, the one beside the common keys holds. */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "surrogate/train/train.h"

#define KEYS_MAX 96
#define BLOCK_SIZE 256 /* of a dotted path */

/* one surrogate as the study writes it */
typedef struct entry {
    const char *name;            /* NULL: the only one */
    char block[BLOCK_SIZE];      /* "surrogate" or "surrogate.<name>" */
    const locum_yaml *own;       /* its mapping */
    const char *const *siblings; /* names of all, NULL-terminated */
} entry;

/* what networks on grids begin with, where the study says nothing */
static const struct {
    const char *key, *value;
} grid_defaults[] = {
    {"epochs", "100"}, {"batch", "16"}, {"ensemble", "1"}, {"validate_every", "5"}, {"checkpoint_every", "10"}};

/* names of a table's options behind those already there; the list ends with NULL */
static void add_keys(const locum_option *options, const char **keys)
{
    int n = 0;
    while (keys[n]) n++;
    for (; options->type != LOCUM_END && n < KEYS_MAX - 1; options++) keys[n++] = options->name;
    keys[n] = NULL;
}

static locum_status find_model(const locum_study *study, const entry *e, const locum_model_type **type)
{
    const locum_yaml *node = locum_yaml_find(e->own, "model");
    const char *name = node ? locum_yaml_string(node) : e->name ? e->name : "mlp";
    *type = name ? locum_model_type_find(name) : NULL;
    if (*type) return LOCUM_OK;
    return locum_yaml_fail(node     ? node
                           : e->own ? e->own
                                    : locum_study_node(study, "surrogate"),
                           "%s.model: `%s` is no model; there are"
#define LOCUM_MODEL_WORD(model) " " #model
                           LOCUM_MODELS(LOCUM_MODEL_WORD),
#undef LOCUM_MODEL_WORD
                           e->block, name ? name : "(not a name)");
}

/* --- outputs ------------------------------------------------------------------------------------------------------ */
/* without a list of outputs, all that a run writes is learnt; of data from elsewhere all that there is */
static locum_status default_outputs(const locum_study *study, locum_surrogate_config *config)
{
    const locum_yaml *observe = locum_study_node(study, "record.observe");
    if (config->n_outputs) return LOCUM_OK;
    bool list = observe && locum_yaml_kind_of(observe) == LOCUM_YAML_LIST;
    int n = list ? locum_yaml_n(observe) : observe ? 1 : 0;
    if (!n && locum_study_node(study, "dataset")) return LOCUM_OK;
    LOCUM_REQUIRE(n > 0, LOCUM_STUDY, "%s: what shall be learnt? Name arrays in surrogate.outputs or in record.observe",
                  locum_study_path(study));
    LOCUM_REQUIRE(n <= LOCUM_OUTPUTS_MAX, LOCUM_STUDY,
                  "%s: record.observe names %d arrays, at most %d can be learnt; choose in surrogate.outputs",
                  locum_study_path(study), n, LOCUM_OUTPUTS_MAX);
    for (int i = 0; i < n; i++) {
        const char *name = locum_yaml_string(list ? locum_yaml_item(observe, i) : observe);
        snprintf(config->outputs[i], LOCUM_TEXT_SIZE, "%s", name ? name : "");
    }
    config->n_outputs = n;
    config->all_observed = true;
    return LOCUM_OK;
}

/* an item of a list of the study, or the only one */
static const char *item_text(const locum_yaml *list, int i)
{
    bool many = locum_yaml_kind_of(list) == LOCUM_YAML_LIST;
    return locum_yaml_string(many ? locum_yaml_item(list, i) : list);
}

/* the name `key` gives is none of a list */
static locum_status not_in_list(const entry *e, const char *key, const char *name, const locum_text *list,
                                const char *what)
{
    const locum_yaml *node = locum_yaml_find(e->own, key);
    return locum_yaml_fail(node ? node : e->own, "%s.%s: `%s` is not in %s: %s", e->block, key, name, what,
                           list->data ? list->data : "");
}

/* each of names [n] is one of the outputs */
static locum_status check_in_outputs(const entry *e, const char *key, int n, const char (*names)[LOCUM_TEXT_SIZE],
                                     const locum_surrogate_config *c)
{
    locum_text list = {0};
    locum_status st = LOCUM_OK;
    for (int i = 0; i < c->n_outputs; i++) locum_text_add(&list, "%s%s", i ? ", " : "", c->outputs[i]);
    for (int i = 0; i < n && !st; i++) {
        bool found = false;
        for (int j = 0; j < c->n_outputs; j++) found = found || !strcmp(names[i], c->outputs[j]);
        if (found) continue;
        st = not_in_list(e, key, names[i], &list, c->all_observed ? "record.observe" : "surrogate.outputs");
    }
    locum_text_free(&list);
    return st;
}

static locum_status check_observed(const locum_study *study, const entry *e, const locum_surrogate_config *c)
{
    const locum_yaml *observe = locum_study_node(study, "record.observe");
    int n = !observe || c->all_observed                      ? 0
            : locum_yaml_kind_of(observe) == LOCUM_YAML_LIST ? locum_yaml_n(observe)
                                                             : 1;
    locum_text list = {0};
    locum_status st = LOCUM_OK;
    for (int i = 0; i < n; i++) locum_text_add(&list, "%s%s", i ? ", " : "", item_text(observe, i));
    for (int j = 0; j < c->n_outputs && n && !st; j++) {
        bool found = false;
        for (int i = 0; i < n; i++) {
            const char *one = item_text(observe, i);
            found = found || (one && !strcmp(one, c->outputs[j]));
        }
        if (!found) st = not_in_list(e, "outputs", c->outputs[j], &list, "record.observe");
    }
    locum_text_free(&list);
    return st;
}

/* names that training would refuse are refused before data are made for hours, as far as the study lists them */
static locum_status check_names(const locum_study *study, const entry *e, const locum_surrogate_config *c)
{
    LOCUM_TRY(check_observed(study, e, c));
    if (!c->n_outputs) return LOCUM_OK;
    LOCUM_TRY(check_in_outputs(e, "positive", c->n_positive, c->positive, c));
    LOCUM_TRY(check_in_outputs(e, "shares", c->n_shares, c->shares, c));
    return c->total[0] ? check_in_outputs(e, "total", 1, &c->total, c) : LOCUM_OK;
}

/* --- what does not go together ------------------------------------------------------------------------------------ */
static locum_status check_task(const locum_study *study, const entry *e, const locum_surrogate *s)
{
    const locum_surrogate_config *c = s->config;
    const locum_train_config *t = s->train;
    const char *path = locum_study_path(study), *model = s->type->name;
    bool step = c->task == LOCUM_TASK_STEP, grids = s->type->on_grids;
    LOCUM_REQUIRE(grids || !step, LOCUM_STUDY, "%s: %s.task: a step needs a network on grids (fno, unet), not `%s`",
                  path, e->block, model);
    LOCUM_REQUIRE(!grids || !(c->n_positive || c->n_shares || c->total[0]), LOCUM_STUDY,
                  "%s: %s: fields are learnt as they are; `positive`, `shares` and `total` are for `mlp`", path,
                  e->block);
    LOCUM_REQUIRE(grids || !(c->n_inputs || c->fixed_mean || c->divergence_free), LOCUM_STUDY,
                  "%s: %s: `inputs`, `fixed_mean` and `divergence_free` need a network on grids, not `%s`", path,
                  e->block, model);
    LOCUM_REQUIRE(step || (c->history == 1 && t->rollout == 1), LOCUM_STUDY,
                  "%s: %s: a history or a roll-out of several frames needs `task: step`", path, e->block);
    LOCUM_REQUIRE(grids || t->noise == 0, LOCUM_STUDY, "%s: train.noise needs a network on grids, not `%s`", path,
                  model);
    for (int i = 0; i < c->n_inputs && step; i++)
        LOCUM_REQUIRE(i < c->n_outputs && c->n_inputs == c->n_outputs && !strcmp(c->inputs[i], c->outputs[i]),
                      LOCUM_STUDY, "%s: %s.inputs: a step goes from its outputs to its outputs; leave `inputs` away",
                      path, e->block);
    return LOCUM_OK;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */
static locum_status put_grid_defaults(const locum_model_type *type, locum_settings *train)
{
    for (size_t i = 0; i < sizeof grid_defaults / sizeof *grid_defaults && type->on_grids; i++)
        if (locum_settings_origin(train, grid_defaults[i].key) == LOCUM_FROM_DEFAULT)
            LOCUM_TRY(locum_settings_put(train, grid_defaults[i].key, grid_defaults[i].value, LOCUM_FROM_DEFAULT));
    return LOCUM_OK;
}

/* common keys: those of all first, then its own */
static locum_status read_common(locum_study *study, const entry *e, const char *const *extra, locum_settings **settings)
{
    LOCUM_TRY(
        locum_study_block(study, e->block, locum_surrogate_options, sizeof(locum_surrogate_config), extra, settings));
    if (!e->name) return LOCUM_OK;
    LOCUM_TRY(locum_settings_read(*settings, locum_study_node(study, "surrogate"), e->siblings));
    return locum_settings_read(*settings, e->own, extra);
}

static locum_status read_train(locum_study *study, const entry *e, locum_settings **settings)
{
    char path[BLOCK_SIZE + 8];
    if (!e->name)
        return locum_study_block(study, "train", locum_train_options, sizeof(locum_train_config), NULL, settings);
    snprintf(path, sizeof path, "%s.train", e->block);
    LOCUM_TRY(locum_study_block(study, path, locum_train_options, sizeof(locum_train_config), NULL, settings));
    LOCUM_TRY(locum_settings_read(*settings, locum_study_node(study, "train"), e->siblings));
    snprintf(path, sizeof path, "train.%s", e->name);
    LOCUM_TRY(locum_settings_read(*settings, locum_study_node(study, path), NULL));
    return locum_settings_read(*settings, locum_yaml_find(e->own, "train"), NULL);
}

static locum_status read_entry(locum_study *study, const entry *e, locum_surrogate *s)
{
    const char *model_keys[KEYS_MAX] = {NULL}, *common_keys[KEYS_MAX] = {NULL};
    char path[BLOCK_SIZE + 64];
    *s = (locum_surrogate){0};
    LOCUM_TRY(find_model(study, e, &s->type));
    snprintf(s->name, sizeof s->name, "%s", e->name ? e->name : s->type->name);
    model_keys[0] = common_keys[0] = s->type->name;
    if (e->name) model_keys[1] = common_keys[1] = "train";
    add_keys(s->type->options, model_keys);
    add_keys(locum_surrogate_options, common_keys);
    LOCUM_TRY(read_common(study, e, model_keys, &s->settings));
    if (locum_settings_origin(s->settings, "model") == LOCUM_FROM_DEFAULT) /* the name says it */
        LOCUM_TRY(locum_settings_put(s->settings, "model", s->type->name, LOCUM_FROM_DEFAULT));
    snprintf(path, sizeof path, "%s.%s", e->block, s->type->name);
    LOCUM_TRY(locum_study_block(study, path, s->type->options, s->type->config_size, NULL, &s->model_settings));
    LOCUM_TRY(locum_settings_read(s->model_settings, e->own, common_keys));
    LOCUM_TRY(read_train(study, e, &s->train_settings));
    LOCUM_TRY(put_grid_defaults(s->type, s->train_settings));
    LOCUM_TRY(default_outputs(study, locum_settings_config(s->settings)));
    LOCUM_TRY(check_names(study, e, locum_settings_config(s->settings)));
    s->config = locum_settings_config(s->settings);
    s->model_config = locum_settings_config(s->model_settings);
    s->train = locum_settings_config(s->train_settings);
    return check_task(study, e, s);
}

/* names of the blocks in `surrogate`, if it is a list of several: no `model` beside them; else 0 */
static locum_status list_names(const locum_study *study, const char *names[LOCUM_SURROGATES_MAX + 1], int *n)
{
    const locum_yaml *block = locum_study_node(study, "surrogate");
    *n = 0;
    names[0] = NULL;
    if (!block || locum_yaml_kind_of(block) != LOCUM_YAML_MAPPING || locum_yaml_find(block, "model")) return LOCUM_OK;
    for (int i = 0; i < locum_yaml_n(block); i++) {
        const locum_yaml *item = locum_yaml_item(block, i);
        if (locum_yaml_kind_of(item) != LOCUM_YAML_MAPPING) continue;
        const char *name = locum_yaml_key(block, i);
        if (*n == LOCUM_SURROGATES_MAX)
            return locum_yaml_fail(item, "surrogate.%s: more than %d surrogates in one study", name,
                                   LOCUM_SURROGATES_MAX);
        if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != strlen(name) ||
            strlen(name) >= LOCUM_SURROGATE_NAME)
            return locum_yaml_fail(item, "surrogate.%s: the name becomes that of a file: up to %d of a-z 0-9 _ -", name,
                                   LOCUM_SURROGATE_NAME - 1);
        names[(*n)++] = name;
        names[*n] = NULL;
    }
    return LOCUM_OK;
}

locum_status locum_surrogates_read(locum_study *study, locum_surrogate surrogates[LOCUM_SURROGATES_MAX], int *n)
{
    const char *names[LOCUM_SURROGATES_MAX + 1];
    int n_names = 0;
    *n = 0;
    LOCUM_TRY(list_names(study, names, &n_names));
    for (int i = 0; i < n_names || (!n_names && i == 0); i++) {
        entry e = {.name = n_names ? names[i] : NULL, .siblings = names};
        if (e.name)
            snprintf(e.block, sizeof e.block, "surrogate.%s", e.name);
        else
            snprintf(e.block, sizeof e.block, "surrogate");
        e.own = locum_study_node(study, e.block);
        LOCUM_TRY(read_entry(study, &e, &surrogates[i]));
        *n = i + 1;
    }
    return LOCUM_OK;
}

locum_status locum_surrogate_read(locum_study *study, locum_surrogate *surrogate)
{
    locum_surrogate all[LOCUM_SURROGATES_MAX];
    int n = 0;
    LOCUM_TRY(locum_surrogates_read(study, all, &n));
    LOCUM_REQUIRE(n == 1, LOCUM_STUDY, "%s: `surrogate` names several networks (%d); here one is asked for",
                  locum_study_path(study), n);
    *surrogate = all[0];
    return LOCUM_OK;
}
