/* SPDX-License-Identifier: BSD-3-Clause */
/* external_words.c - a command line without a shell: words first, values after.
 *
 *     ./rod --name 'two words' --k {conductivity}   ->   [STUDY/rod] [--name] [two words] [--k] [0.001]
 *
 * Blanks separate words. '...' keeps all characters; in "..." and outside of quotes a backslash keeps the next one.
 * {name} stands for a value, {{ and }} for a brace. Values are put in after the splitting, so a blank or a quote in one
 * stays inside its word. There are no variables, patterns, pipes or redirections: a program that needs them is a script. */
#include <string.h>

#include "solvers/external/external_internal.h"

/* --- values ------------------------------------------------------------------------------------------------ */

static const char *const reserved[] = {"parameters", "parameters_json", "folder",   "study", "seed",
                                       "index",      "until",           "interval", "frames"};
enum { N_RESERVED = sizeof reserved / sizeof reserved[0] };

bool locum_external_is_reserved(const char *name)
{
    for (int i = 0; i < N_RESERVED; i++)
        if (!strcmp(reserved[i], name)) return true;
    return false;
}

static external_value *add(external_values *values, const char *name)
{
    external_value *value = &values->value[values->n++];

    value->name = name;
    return value;
}

static void add_number(external_values *values, const char *name, double number)
{
    char text[LOCUM_NUMBER_SIZE];

    locum_format_number(number, text);
    external_value *value = add(values, name);
    locum_format(value->text, sizeof value->text, "%s", text);
}

static void add_path(external_values *values, const char *name, const char *folder, const char *file)
{
    external_value *value = add(values, name);

    locum_format(value->text, sizeof value->text, "%s%s%s", folder, *file ? "/" : "", file);
}

void locum_external_values_fill(const external_config *config, const char *folder, int64_t index, uint64_t seed,
                                external_values *values)
{
    external_value *value;

    values->n = 0;
    add_path(values, "parameters", folder, "parameters.yaml");
    add_path(values, "parameters_json", folder, "parameters.json");
    add_path(values, "folder", folder, "");
    add_path(values, "study", config->folder, "");
    value = add(values, "seed");
    locum_format(value->text, sizeof value->text, "%llu", (unsigned long long)seed);
    value = add(values, "index");
    locum_format(value->text, sizeof value->text, "%lld", (long long)index);
    value = add(values, "frames");
    locum_format(value->text, sizeof value->text, "%lld", (long long)locum_external_n_frames(config));
    if (!isnan(config->interval)) {
        add_number(values, "until", config->until);
        add_number(values, "interval", config->interval);
    }
    for (int p = 0; p < config->n_parameters; p++) add_number(values, config->parameter_name[p], config->parameter[p]);
}

/* --- words ------------------------------------------------------------------------------------------------- */

static locum_status too_long(const char *option)
{
    return LOCUM_FAIL(LOCUM_STUDY, "%s: more than %d words or %d characters", option, WORDS_MAX, COMMAND_SIZE - 1);
}

static bool put(external_command *command, char c)
{
    if (command->used >= COMMAND_SIZE) return false;
    command->text[command->used++] = c;
    return true;
}

/* text [n] with its {values} -> the command's open word */
static locum_status expand(const char *option, const char *text, size_t n, const external_values *values,
                           external_command *command)
{
    for (size_t i = 0; i < n; i++) {
        bool doubled = i + 1 < n && (text[i] == '{' || text[i] == '}') && text[i + 1] == text[i];
        if (text[i] != '{' || doubled) {
            if (!put(command, text[i])) return too_long(option);
            i += doubled;
            continue;
        }
        const char *end = memchr(text + i, '}', n - i);
        if (!end) return LOCUM_FAIL(LOCUM_STUDY, "%s: { without }; a brace itself is written {{", option);
        size_t length = (size_t)(end - text) - i - 1;
        const external_value *found = NULL;
        for (int v = 0; v < values->n && !found; v++)
            if (strlen(values->value[v].name) == length && !memcmp(values->value[v].name, text + i + 1, length))
                found = &values->value[v];
        if (!found) {
            char known[400] = "";
            size_t used = 0;
            for (int v = 0; v < values->n && used < sizeof known; v++)
                used += (size_t)locum_format(known + used, sizeof known - used, "%s%s", v ? ", " : "",
                                             values->value[v].name);
            return LOCUM_FAIL(LOCUM_STUDY, "%s: nothing is called {%.*s}; there are %s", option, (int)length,
                              text + i + 1, known);
        }
        for (const char *c = found->text; *c; c++)
            if (!put(command, *c)) return too_long(option);
        i = (size_t)(end - text);
    }
    return LOCUM_OK;
}

static locum_status add_word(const char *option, const char *word, size_t n, const external_values *values,
                             external_command *command)
{
    if (command->n == WORDS_MAX) return too_long(option);
    command->argv[command->n++] = command->text + command->used;
    LOCUM_TRY(expand(option, word, n, values, command));
    return put(command, 0) ? LOCUM_OK : too_long(option);
}

/* one word of `text` -> word [LOCUM_TEXT_SIZE]; *text moves behind it. false: no word is left */
static locum_status next_word(const char *option, const char **text, char *word, size_t *n, bool *found)
{
    const char *c = *text + strspn(*text, " \t");
    char quote = 0;

    *n = 0;
    *found = *c != 0;
    for (; *c && (quote || (*c != ' ' && *c != '\t')); c++) {
        if (quote ? *c == quote : *c == '\'' || *c == '"') {
            quote = quote ? 0 : *c;
            continue;
        }
        if (*c == '\\' && quote != '\'') {
            if (!*++c) return LOCUM_FAIL(LOCUM_STUDY, "%s: a backslash at the end", option);
        }
        word[(*n)++] = *c;
    }
    if (quote) return LOCUM_FAIL(LOCUM_STUDY, "%s: a quote %c is never closed", option, quote);
    *text = c;
    return LOCUM_OK;
}

/* the program: a relative path with a slash lies beside the study */
static locum_status place_program(const char *option, const char *study_folder, external_command *command)
{
    char *program = command->argv[0];
    size_t n = strlen(program) + 1, more = strlen(study_folder) + 1;

    if (!program[0]) return LOCUM_FAIL(LOCUM_STUDY, "%s: the program has no name", option);
    if (program[0] == '/' || !strchr(program, '/') || !study_folder[0]) return LOCUM_OK;
    if ((size_t)command->used + n + more > COMMAND_SIZE) return too_long(option);
    command->argv[0] = command->text + command->used;
    command->used += locum_format(command->argv[0], n + more, "%s/%s", study_folder, program) + 1;
    return LOCUM_OK;
}

locum_status locum_external_command_make(const char *option, int n, const char (*texts)[LOCUM_TEXT_SIZE],
                                         const external_values *values, const char *study_folder,
                                         external_command *command)
{
    char word[LOCUM_TEXT_SIZE];
    size_t length;
    bool found = true;

    command->n = command->used = 0;
    if (n == 1) {
        const char *text = texts[0];
        for (;;) {
            LOCUM_TRY(next_word(option, &text, word, &length, &found));
            if (!found) break;
            LOCUM_TRY(add_word(option, word, length, values, command));
        }
    } else {
        for (int i = 0; i < n; i++) LOCUM_TRY(add_word(option, texts[i], strlen(texts[i]), values, command));
    }
    if (command->n == 0) return LOCUM_FAIL(LOCUM_STUDY, "%s: name a program", option);
    command->argv[command->n] = NULL;
    LOCUM_TRY(place_program(option, study_folder, command));
    return LOCUM_OK;
}
