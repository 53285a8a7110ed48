/* SPDX-License-Identifier: BSD-3-Clause */
/* options.c - the blocks `surrogate` and `train` of a study.
 *
 * The model's own options stand beside the common ones in `surrogate`; a resolved study shows all of them below the
 * model's name (surrogate.mlp). Where both are given, the one beside the common keys holds. */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "surrogate/train/train.h"

#define KEYS_MAX 64

static const locum_choice tasks[] = {{"map", "parameters -> scalars, profiles, spectra", NULL}, {0}};
static const locum_choice input_scales[] = {
    {"auto", "log where all values are positive and span more than a factor 4", NULL},
    {"linear", "as they are", NULL},
    {"log", "logarithms", NULL},
    {0}};

#define AT(field) .place = offsetof(locum_surrogate_config, field)
#define NAMES(field) AT(field), .place_n = offsetof(locum_surrogate_config, n_##field), .n_max = LOCUM_OUTPUTS_MAX
const locum_option locum_surrogate_options[] = {
    {.name = "task", .type = LOCUM_CHOICE, AT(task), .value = 0, .text = "what is learnt", .choices = tasks},
    {.name = "model",
     .type = LOCUM_STRING,
     AT(model),
     .string = "mlp",
     .text = "kind of network (`locum describe mlp`)"},
    {.name = "outputs", .type = LOCUM_STRING, NAMES(outputs), .text = "arrays to learn; none: all of record.observe"},
    {.name = "positive", .type = LOCUM_STRING, NAMES(positive), .text = "outputs learnt as logarithms"},
    {.name = "shares",
     .type = LOCUM_STRING,
     NAMES(shares),
     .text = "outputs learnt as log(x + floor * total): spectra"},
    {.name = "total", .type = LOCUM_STRING, AT(total), .text = "the positive output that is the total of `shares`"},
    {.name = "floor",
     .type = LOCUM_F64,
     AT(floor),
     .value = 1e-7,
     .min = 0,
     .max = 1,
     .unit = "1",
     .flags = LOCUM_OPEN_MIN,
     .text = "share of the total below which nothing is learnt"},
    {.name = "input_scale",
     .type = LOCUM_CHOICE,
     AT(input_scale),
     .value = 0,
     .text = "how inputs are seen",
     .choices = input_scales},
    {0}};
#undef AT
#undef NAMES

#define AT(field) .place = offsetof(locum_train_config, field)
const locum_option locum_train_options[] = {
    {.name = "epochs",
     .type = LOCUM_I32,
     AT(epochs),
     .value = 1000,
     .min = 1,
     .max = 10000000,
     .unit = "1",
     .text = "passes over the training split"},
    {.name = "batch",
     .type = LOCUM_I32,
     AT(batch),
     .value = 32,
     .min = 1,
     .max = 1000000,
     .unit = "1",
     .text = "samples of a step, on all ranks together"},
    {.name = "shards",
     .type = LOCUM_I32,
     AT(shards),
     .value = 4,
     .min = 1,
     .max = 4096,
     .unit = "1",
     .text = "parts of a batch, summed in a fixed tree; any number of ranks up to this gives the same bits"},
    {.name = "ensemble",
     .type = LOCUM_I32,
     AT(ensemble),
     .value = 4,
     .min = 1,
     .max = 64,
     .unit = "1",
     .text = "members, trained together"},
    {.name = "learning_rate",
     .type = LOCUM_F64,
     AT(learning_rate),
     .value = 1e-3,
     .min = 0,
     .max = 10,
     .unit = "1",
     .flags = LOCUM_OPEN_MIN,
     .text = "of AdamW, after warm-up"},
    {.name = "final_learning_rate",
     .type = LOCUM_F64,
     AT(final_learning_rate),
     .value = 1e-5,
     .min = 0,
     .max = 10,
     .unit = "1",
     .text = "where the cosine ends"},
    {.name = "warm_up",
     .type = LOCUM_I32,
     AT(warm_up),
     .value = 50,
     .min = 0,
     .max = 10000000,
     .unit = "1",
     .text = "steps of the linear rise"},
    {.name = "weight_decay",
     .type = LOCUM_F64,
     AT(weight_decay),
     .value = 1e-4,
     .min = 0,
     .max = 10,
     .unit = "1",
     .text = "decoupled (AdamW)"},
    {.name = "clip",
     .type = LOCUM_F64,
     AT(clip),
     .value = 1,
     .min = 0,
     .max = 1e30,
     .unit = "1",
     .text = "largest norm of the gradient; 0 = none"},
    {.name = "patience",
     .type = LOCUM_I32,
     AT(patience),
     .value = 0,
     .min = 0,
     .max = 1000000,
     .unit = "1",
     .text = "validations without a better one before training ends; 0 = never"},
    {.name = "validate_every",
     .type = LOCUM_I32,
     AT(validate_every),
     .value = 10,
     .min = 1,
     .max = 1000000,
     .unit = "1",
     .text = "epochs"},
    {.name = "checkpoint_every",
     .type = LOCUM_I32,
     .flags = LOCUM_UNHASHED,
     AT(checkpoint_every),
     .value = 200,
     .min = 1,
     .max = 1000000,
     .unit = "1",
     .text = "epochs"},
    {.name = "curve",
     .type = LOCUM_F64,
     AT(curve),
     .place_n = offsetof(locum_train_config, n_curve),
     .n_max = LOCUM_LIST_MAX,
     .n_default = 0,
     .min = 0,
     .max = 1,
     .unit = "1",
     .flags = LOCUM_OPEN_MIN | LOCUM_OPEN_MAX,
     .text = "learning curve: fractions of the training split that models are trained on too"},
    {0}};
#undef AT

/* --- reading ------------------------------------------------------------------------------------------------------ */
/* `surrogate: {mlp: {...}, fno: {...}}`: blocks inside, and no common key beside them */
static locum_status refuse_several(const locum_study *study)
{
    const locum_yaml *block = locum_study_node(study, "surrogate");
    if (!block || locum_yaml_kind_of(block) != LOCUM_YAML_MAPPING || locum_yaml_find(block, "model")) return LOCUM_OK;
    for (int i = 0; i < locum_yaml_n(block); i++)
        if (locum_yaml_kind_of(locum_yaml_item(block, i)) == LOCUM_YAML_MAPPING)
            return locum_yaml_fail(
                locum_yaml_item(block, i),
                "surrogate.%s: several surrogates come with the next issue; give one: `surrogate: {model: mlp, ...}`",
                locum_yaml_key(block, i));
    return LOCUM_OK;
}

/* names of a table's options behind those already there; the list ends with NULL */
static void add_keys(const locum_option *options, const char **keys)
{
    int n = 0;
    while (keys[n]) n++;
    for (; options->type != LOCUM_END && n < KEYS_MAX - 1; options++) keys[n++] = options->name;
    keys[n] = NULL;
}

static locum_status find_model(const locum_study *study, const locum_model_type **type)
{
    const locum_yaml *node = locum_study_node(study, "surrogate.model");
    const char *name = node ? locum_yaml_string(node) : "mlp";
    *type = name ? locum_model_type_find(name) : NULL;
    if (*type) return LOCUM_OK;
    return locum_yaml_fail(node,
                           "surrogate.model: `%s` is no model; there are"
#define LOCUM_MODEL_WORD(model) " " #model
                           LOCUM_MODELS(LOCUM_MODEL_WORD),
#undef LOCUM_MODEL_WORD
                           name ? name : "(not a name)");
}

/* without a list of outputs, all that a run writes is learnt */
static locum_status default_outputs(const locum_study *study, locum_surrogate_config *config)
{
    const locum_yaml *observe = locum_study_node(study, "record.observe");
    if (config->n_outputs) return LOCUM_OK;
    bool list = observe && locum_yaml_kind_of(observe) == LOCUM_YAML_LIST;
    int n = list ? locum_yaml_n(observe) : observe ? 1 : 0;
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
    return LOCUM_OK;
}

/* `name` of the list `key` stands in the list `known` */
static locum_status check_name(const locum_study *study, const char *key, const char *name, const locum_yaml *known,
                               const char *what)
{
    locum_text list = {0};
    for (int i = 0; i < locum_yaml_n(known); i++) {
        const char *one = locum_yaml_string(locum_yaml_item(known, i));
        if (one && !strcmp(one, name)) {
            locum_text_free(&list);
            return LOCUM_OK;
        }
        locum_text_add(&list, "%s%s", i ? ", " : "", one ? one : "?");
    }
    locum_status st =
        locum_yaml_fail(locum_study_node(study, key), "%s: `%s` is not in %s: %s", key, name, what, list.data);
    locum_text_free(&list);
    return st;
}

/* names that training would refuse are refused before data are made for hours, as far as the study lists them */
static locum_status check_names(const locum_study *study, const locum_surrogate_config *c)
{
    const locum_yaml *observe = locum_study_node(study, "record.observe"),
                     *outputs = locum_study_node(study, "surrogate.outputs");
    const char *what = "surrogate.outputs";
    for (int i = 0; i < locum_yaml_n(outputs) && locum_yaml_n(observe); i++)
        LOCUM_TRY(check_name(study, "surrogate.outputs", c->outputs[i], observe, "record.observe"));
    if (!locum_yaml_n(outputs)) outputs = observe, what = "record.observe";
    if (!locum_yaml_n(outputs)) return LOCUM_OK;
    for (int i = 0; i < c->n_positive; i++)
        LOCUM_TRY(check_name(study, "surrogate.positive", c->positive[i], outputs, what));
    for (int i = 0; i < c->n_shares; i++) LOCUM_TRY(check_name(study, "surrogate.shares", c->shares[i], outputs, what));
    return c->total[0] ? check_name(study, "surrogate.total", c->total, outputs, what) : LOCUM_OK;
}

locum_status locum_surrogate_read(locum_study *study, locum_surrogate *surrogate)
{
    const char *model_keys[KEYS_MAX] = {NULL}, *common_keys[KEYS_MAX] = {NULL};
    char path[LOCUM_TEXT_SIZE];
    *surrogate = (locum_surrogate){0};
    LOCUM_TRY(refuse_several(study));
    LOCUM_TRY(find_model(study, &surrogate->type));
    model_keys[0] = common_keys[0] = surrogate->type->name;
    model_keys[1] = common_keys[1] = NULL;
    add_keys(surrogate->type->options, model_keys);
    add_keys(locum_surrogate_options, common_keys);
    LOCUM_TRY(locum_study_block(study, "surrogate", locum_surrogate_options, sizeof(locum_surrogate_config), model_keys,
                                &surrogate->settings));
    snprintf(path, sizeof path, "surrogate.%s", surrogate->type->name);
    LOCUM_TRY(locum_study_block(study, path, surrogate->type->options, surrogate->type->config_size, NULL,
                                &surrogate->model_settings));
    LOCUM_TRY(locum_settings_read(surrogate->model_settings, locum_study_node(study, "surrogate"), common_keys));
    LOCUM_TRY(locum_study_block(study, "train", locum_train_options, sizeof(locum_train_config), NULL,
                                &surrogate->train_settings));
    LOCUM_TRY(default_outputs(study, locum_settings_config(surrogate->settings)));
    LOCUM_TRY(check_names(study, locum_settings_config(surrogate->settings)));
    surrogate->config = locum_settings_config(surrogate->settings);
    surrogate->model_config = locum_settings_config(surrogate->model_settings);
    surrogate->train = locum_settings_config(surrogate->train_settings);
    return LOCUM_OK;
}
