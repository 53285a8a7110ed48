/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/solvers.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/study/number.h"
#include "locum/dev/plugin.h"
#include "solvers/solver_list.h"

const locum_solver_type *const *solvers_built(void)
{
#define LOCUM_SOLVER_ENTRY(name) &locum_solver_##name,
    static const locum_solver_type *const list[] = {LOCUM_SOLVERS(LOCUM_SOLVER_ENTRY) & locum_solver_external, NULL};
#undef LOCUM_SOLVER_ENTRY
    return list;
}

bool solvers_is_plugin(const char *word)
{
    size_t n = strlen(word);
    return strchr(word, '/') || (n > 3 && !strcmp(word + n - 3, ".so"));
}

/* --- plug-ins -------------------------------------------------------------------------------------------------------- */

/* required calls and a table that can be read */
static locum_status check_type(const char *path, const locum_solver_type *type)
{
    char words[256];
    locum_settings *settings = NULL;
    LOCUM_REQUIRE(type && type->name && type->name[0], LOCUM_INPUT, "%s: its solver has no name", path);
    LOCUM_REQUIRE(strspn(type->name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(type->name), LOCUM_INPUT,
                  "%s: the name of a solver is a-z, 0-9 and _, not `%.60s`", path, type->name);
    const struct {
        const char *name;
        bool there;
    } calls[] = {{"create", type->create},   {"schema", type->schema},         {"start", type->start},
                 {"advance", type->advance}, {"observe", type->observe},       {"time", type->time},
                 {"destroy", type->destroy}, {"free_state", type->free_state}, {"summary", type->summary}};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        LOCUM_REQUIRE(calls[i].there, LOCUM_INPUT, "%s: its solver `%s` lacks `%s`", path, type->name, calls[i].name);
    LOCUM_REQUIRE(type->config_size > 0 && type->config_size < (size_t)1 << 24, LOCUM_INPUT,
                  "%s: its solver `%s` has a config of %zu bytes", path, type->name, type->config_size);
    locum_status st = locum_settings_create(type->options, type->config_size, &settings);
    if (!st && type->initial) {
        locum_settings *initial = NULL;
        st = locum_settings_create_view(type->initial, settings, &initial);
        locum_settings_destroy(initial);
    }
    locum_settings_destroy(settings);
    if (!st) return LOCUM_OK;
    snprintf(words, sizeof words, "%s", locum_status_message());
    return LOCUM_FAIL(LOCUM_INPUT, "%s: its solver `%s`: %s", path, type->name, words);
}

locum_status solvers_load(const char *path, solver_set *set)
{
    char *absolute = realpath(path, NULL); /* dlopen would look elsewhere for a name without a slash */
    LOCUM_REQUIRE(absolute, LOCUM_INPUT, "there is no plug-in %s", path);
    set->library = dlopen(absolute, RTLD_NOW | RTLD_LOCAL);
    free(absolute);
    LOCUM_REQUIRE(set->library, LOCUM_INPUT, "cannot load the plug-in: %s", dlerror());
    const locum_plugin_entry *entry = dlsym(set->library, LOCUM_PLUGIN_SYMBOL);
    LOCUM_REQUIRE(entry && entry->magic == LOCUM_PLUGIN_MAGIC, LOCUM_INPUT,
                  "%s is no plug-in of locum: it defines no `%s` (see locum/dev/plugin.h)", path, LOCUM_PLUGIN_SYMBOL);
    LOCUM_REQUIRE(entry->version == LOCUM_PLUGIN_VERSION, LOCUM_INPUT,
                  "%s was built for version %u of the solver interface, this program has %u: build it again", path,
                  entry->version, LOCUM_PLUGIN_VERSION);
    LOCUM_TRY(check_type(path, entry->type));
    set->list[0] = entry->type;
    set->list[1] = NULL;
    return LOCUM_OK;
}

/* the same solver with one option more behind its config, the path of the library: a study is written back with it,
 * and its hash sees what the file holds, so that results of an older library are not reused */
static locum_status add_plugin_option(solver_set *set)
{
    const locum_solver_type *type = set->list[0];
    int n = 0;
    while (type->options && type->options[n].type != LOCUM_END) n++;
    LOCUM_TRY(LOCUM_NEW(&set->plugin, 1));
    LOCUM_TRY(LOCUM_NEW(&set->options, n + 2));
    memcpy(set->options + 1, type->options, (size_t)n * sizeof *set->options);
    set->options[0] = (locum_option){.name = "plugin",
                                     .type = LOCUM_PATH,
                                     .place = type->config_size,
                                     .string = "",
                                     .text = "shared library with the solver"};
    *set->plugin = *type;
    set->plugin->options = set->options;
    set->plugin->config_size += LOCUM_PATH_SIZE;
    set->list[0] = set->plugin;
    return LOCUM_OK;
}

static locum_status load_named(const locum_study *study, const locum_yaml *node, solver_set *set)
{
    char path[LOCUM_PATH_SIZE], words[512];
    const char *text = locum_yaml_string(node);
    if (!text || !text[0]) return locum_yaml_fail(node, "solver.plugin: name a shared library");
    if (locum_yaml_origin(node) == LOCUM_FROM_SET)
        LOCUM_REQUIRE(snprintf(path, sizeof path, "%s", text) < (int)sizeof path, LOCUM_STUDY, "the path is too long");
    else
        LOCUM_TRY(locum_study_resolve_path(study, text, path));
    locum_status st = solvers_load(path, set);
    if (!st) return add_plugin_option(set);
    if (st != LOCUM_INPUT) return st;
    snprintf(words, sizeof words, "%s", locum_status_message());
    return locum_yaml_fail(node, "solver.plugin: %s", words);
}

/* --- external -------------------------------------------------------------------------------------------------------- */

static bool is_external(const locum_study *study)
{
    const locum_yaml *name = locum_study_node(study, "solver.name");
    return name && locum_yaml_string(name) && !strcmp(locum_yaml_string(name), locum_solver_external.name);
}

static locum_status need_mapping(const locum_yaml *node, const char *key)
{
    if (!node || locum_yaml_kind_of(node) == LOCUM_YAML_MAPPING) return LOCUM_OK;
    return locum_yaml_fail(node, "solver.%s: expected a mapping like {NAME: value, ...}", key);
}

/* the unit of a parameter is what stands behind its number */
static const char *unit_of(const locum_yaml *node)
{
    bool whole;
    const char *text = locum_yaml_string(node);
    size_t n = text ? locum_number_length(text, &whole) : 0;
    if (!n) return "1";
    text += n + strspn(text + n, " ");
    return *text ? text : "1";
}

/* the program of `run` if it is named by a path, else "" */
static locum_status program_of(const locum_study *study, char path[LOCUM_PATH_SIZE])
{
    char word[LOCUM_TEXT_SIZE] = "";
    const locum_yaml *run = locum_study_node(study, "solver.run");
    bool list = run && locum_yaml_kind_of(run) == LOCUM_YAML_LIST;
    const char *text = locum_yaml_string(list ? locum_yaml_item(run, 0) : run);
    path[0] = 0;
    if (!text) return LOCUM_OK;
    text += strspn(text, " ");
    snprintf(word, sizeof word, "%.*s", list ? (int)strlen(text) : (int)strcspn(text, " "), text);
    if (!strchr(word, '/') || strpbrk(word, "{}'\"\\")) return LOCUM_OK;
    return locum_study_resolve_path(study, word, path);
}

static locum_status declare(const locum_study *study, locum_solver_type **type)
{
    char folder[LOCUM_PATH_SIZE], program[LOCUM_PATH_SIZE];
    locum_external_declaration d = {.folder = folder, .program = program};
    const locum_yaml *parameters = locum_study_node(study, "solver.parameters");
    const locum_yaml *fields = locum_study_node(study, "solver.fields");
    LOCUM_TRY(need_mapping(parameters, "parameters"));
    LOCUM_TRY(need_mapping(fields, "fields"));
    if (locum_yaml_n(parameters) > LOCUM_EXTERNAL_PARAMETERS)
        return locum_yaml_fail(parameters, "solver.parameters: at most %d", LOCUM_EXTERNAL_PARAMETERS);
    if (locum_yaml_n(fields) > LOCUM_EXTERNAL_FIELDS)
        return locum_yaml_fail(fields, "solver.fields: at most %d", LOCUM_EXTERNAL_FIELDS);
    LOCUM_TRY(locum_study_resolve_path(study, ".", folder));
    LOCUM_TRY(program_of(study, program));
    size_t n = strlen(folder);
    if (n > 2 && !strcmp(folder + n - 2, "/.")) folder[n - 2] = 0;
    for (; d.n_parameters < locum_yaml_n(parameters); d.n_parameters++) {
        d.parameter[d.n_parameters] = locum_yaml_key(parameters, d.n_parameters);
        d.unit[d.n_parameters] = unit_of(locum_yaml_item(parameters, d.n_parameters));
    }
    for (; d.n_fields < locum_yaml_n(fields); d.n_fields++) d.field[d.n_fields] = locum_yaml_key(fields, d.n_fields);
    return locum_external_declare(&d, type);
}

/* --- the list of a study ----------------------------------------------------------------------------------------------- */

locum_status solvers_open(const locum_study *study, solver_set *set)
{
    const locum_yaml *plugin = locum_study_node(study, "solver.plugin");
    *set = (solver_set){0};
    if (plugin) return load_named(study, plugin, set);
    if (is_external(study)) LOCUM_TRY(declare(study, &set->external));
    for (int i = 0; solvers_built()[i] && i < SOLVERS_MAX - 1; i++) {
        bool replaced = set->external && solvers_built()[i] == &locum_solver_external;
        set->list[i] = replaced ? set->external : solvers_built()[i];
    }
    return LOCUM_OK;
}

void solvers_close(solver_set *set)
{
    locum_external_forget(set->external);
    free(set->plugin);
    free(set->options);
    if (set->library) dlclose(set->library);
    *set = (solver_set){0};
}
