/* SPDX-License-Identifier: BSD-3-Clause */
/* test_external.c - command lines without a shell, option tables made from names, shapes of fields, one process. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/study/settings.h"
#include "solvers/external/external_internal.h"
#include "tests/unit/check.h"

/* --- words ------------------------------------------------------------------------------------------------- */

static external_command command;
static external_values values;

static locum_status make(const char *text)
{
    char texts[1][LOCUM_TEXT_SIZE];

    snprintf(texts[0], sizeof texts[0], "%s", text);
    return locum_external_command_make("run", 1, (const char(*)[LOCUM_TEXT_SIZE])texts, &values, "/study", &command);
}

static void fill(void)
{
    static external_config config = {
        .n_parameters = 1, .parameter_name = {"k"}, .parameter = {0.1}, .interval = NAN, .until = NAN};

    locum_external_values_fill(&config, "/a folder", 7, UINT64_MAX, &values);
}

static void blanks_separate_words(void)
{
    fill();
    CHECK_OK(make("  prog\t--in  x "));
    CU_ASSERT(command.n == 3);
    CU_ASSERT_STRING_EQUAL(command.argv[0], "prog");
    CU_ASSERT_STRING_EQUAL(command.argv[1], "--in");
    CU_ASSERT_STRING_EQUAL(command.argv[2], "x");
    CU_ASSERT(!command.argv[3]);
}

static void quotes_and_backslashes_keep_characters(void)
{
    fill();
    CHECK_OK(make("p 'a \\ b' \"c \\\" d\" e\\ f '' x'y'\"z\" \\'"));
    CU_ASSERT(command.n == 7);
    CU_ASSERT_STRING_EQUAL(command.argv[1], "a \\ b");
    CU_ASSERT_STRING_EQUAL(command.argv[2], "c \" d");
    CU_ASSERT_STRING_EQUAL(command.argv[3], "e f");
    CU_ASSERT_STRING_EQUAL(command.argv[4], "");
    CU_ASSERT_STRING_EQUAL(command.argv[5], "xyz");
    CU_ASSERT_STRING_EQUAL(command.argv[6], "'");
}

static void values_are_put_in_after_the_splitting(void)
{
    fill();
    CHECK_OK(make("p {folder} --k={k} {seed}/{index} {{k}}"));
    CU_ASSERT(command.n == 5);
    CU_ASSERT_STRING_EQUAL(command.argv[1], "/a folder");
    CU_ASSERT_STRING_EQUAL(command.argv[2], "--k=0.1");
    CU_ASSERT_STRING_EQUAL(command.argv[3], "18446744073709551615/7");
    CU_ASSERT_STRING_EQUAL(command.argv[4], "{k}");
}

static void a_relative_program_lies_beside_the_study(void)
{
    fill();
    CHECK_OK(make("./p x"));
    CU_ASSERT_STRING_EQUAL(command.argv[0], "/study/./p");
    CU_ASSERT_STRING_EQUAL(command.argv[1], "x");
    CHECK_OK(make("/bin/p"));
    CU_ASSERT_STRING_EQUAL(command.argv[0], "/bin/p");
    CHECK_OK(make("p"));
    CU_ASSERT_STRING_EQUAL(command.argv[0], "p");
}

static void wrong_command_lines_are_refused(void)
{
    static const char *const wrong[] = {"", "   ", "p 'a", "p \"a", "p a\\", "p {nothing}", "p {k", "''"};

    fill();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) CU_ASSERT(make(wrong[i]) == LOCUM_STUDY);
    /* more words than there is room for: 127 characters hold 63 words of one letter, so a list is needed for more */
    const char texts[2][LOCUM_TEXT_SIZE] = {"a b", "{folder}"};
    CHECK_OK(locum_external_command_make("run", 2, texts, &values, "", &command));
    CU_ASSERT(command.n == 2);
    CU_ASSERT_STRING_EQUAL(command.argv[0], "a b"); /* a list is words already */
}

/* --- tables ------------------------------------------------------------------------------------------------ */

static const locum_external_declaration heat = {.folder = "/study",
                                                .n_parameters = 2,
                                                .parameter = {"conductivity", "length"},
                                                .unit = {"1", "m"},
                                                .n_fields = 4,
                                                .field = {"energy", "profile", "temperature", "flux"}};
static const char heat_text[] = "{run: p, frames: out.h5, interval: 0.5, until: 2, parameters: {conductivity: 1e-3, "
                                "length: 2 m}, fields: {energy: 1, profile: 9, temperature: [4, 6], flux: [4, 6, 2]}}";

static locum_status read_heat(const char *text, locum_solver_type **type, locum_document **document,
                              locum_settings **settings)
{
    locum_status st = locum_external_declare(&heat, type);

    if (!st) st = locum_document_parse(text, strlen(text), "study.yaml", document);
    if (!st) st = locum_settings_create((*type)->options, (*type)->config_size, settings);
    if (!st) st = locum_settings_read(*settings, locum_document_root(*document), NULL);
    return st;
}

static void a_table_is_made_of_names(void)
{
    locum_solver_type *type = NULL;
    locum_document *document = NULL;
    locum_settings *settings = NULL;
    double value = 0;

    CHECK_OK(read_heat(heat_text, &type, &document, &settings));
    const external_config *c = locum_settings_config(settings);
    CU_ASSERT_STRING_EQUAL(c->folder, "/study");
    CU_ASSERT(c->n_parameters == 2 && c->n_fields == 4);
    CU_ASSERT_STRING_EQUAL(c->parameter_name[1], "length");
    CHECK_OK(locum_settings_number(settings, "length", &value)); /* by its own name, not parameters.length */
    CU_ASSERT(value == 2 && c->parameter[1] == 2);
    CHECK_OK(locum_settings_apply(settings, locum_settings_config(settings), "conductivity", 0.25));
    CU_ASSERT(c->parameter[0] == 0.25);
    CU_ASSERT(locum_settings_option(settings, "conductivity")->flags & LOCUM_PARAMETER);
    CU_ASSERT(locum_external_n_frames(c) == 5);

    external_schema schema;
    CHECK_OK(locum_external_check(c));
    CHECK_OK(locum_external_schema_make(c, &schema));
    CU_ASSERT(schema.schema.n_domains == 3 && schema.schema.n_arrays == 4 && !schema.schema.timeless);
    CU_ASSERT(schema.domains[schema.arrays[0].domain].support == LOCUM_GLOBAL);
    CU_ASSERT(schema.domains[schema.arrays[1].domain].support == LOCUM_ROWS);
    CU_ASSERT(schema.arrays[2].domain == schema.arrays[3].domain && schema.arrays[2].order == 0);
    CU_ASSERT(schema.arrays[3].order == 1 && schema.arrays[3].shape[0] == 2);
    CU_ASSERT_DOUBLE_EQUAL(schema.domains[schema.arrays[2].domain].axis[1][3], 0.5,
                           0); /* 3 of 6 points of a box of 1 */
    locum_external_schema_free(&schema);
    locum_settings_destroy(settings);
    locum_document_destroy(document);
    locum_external_forget(type);
}

static void names_that_mean_something_else_are_refused(void)
{
    static const char *const wrong[] = {"run", "seed", "folder", "2x", "a b", "", "name"};
    locum_solver_type *type = NULL;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        locum_external_declaration d = heat;
        d.parameter[0] = wrong[i];
        CU_ASSERT(locum_external_declare(&d, &type) == LOCUM_STUDY);
        CU_ASSERT(!type);
    }
    locum_external_declaration twice = heat;
    locum_settings *settings = NULL;
    twice.parameter[1] = twice.parameter[0];
    CHECK_OK(locum_external_declare(&twice, &type));
    CU_ASSERT(locum_settings_create(type->options, type->config_size, &settings) == LOCUM_INTERNAL);
    locum_external_forget(type);
}

static void different_grids_are_refused(void)
{
    static const char text[] =
        "{run: p, frames: o.h5, fields: {energy: 1, profile: 9, temperature: [4, 6], flux: [4, 5]}, "
        "parameters: {conductivity: 1, length: 1}}";
    locum_solver_type *type = NULL;
    locum_document *document = NULL;
    locum_settings *settings = NULL;

    CHECK_OK(read_heat(text, &type, &document, &settings));
    CU_ASSERT(locum_external_check(locum_settings_config(settings)) == LOCUM_STUDY);
    CU_ASSERT(strstr(locum_status_message(), "different grids") != NULL);
    locum_settings_destroy(settings);
    locum_document_destroy(document);
    locum_external_forget(type);
}

/* --- processes --------------------------------------------------------------------------------------------- */

static bool now(void *self)
{
    (void)self;
    return true;
}

static external_outcome run(const char *script, double timeout, const locum_services *services, char *said, size_t size)
{
    char folder[] = "/tmp/locum-test-XXXXXX", text[256];
    char *argv[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, text, NULL}, **environment = NULL;
    external_outcome outcome = {.exit_code = -2};
    int log = -1;

    snprintf(text, sizeof text, "%s", script);
    CU_ASSERT_FATAL(mkdtemp(folder) != NULL);
    CHECK_OK(locum_external_environment(&environment));
    CHECK_OK(locum_external_open_log(folder, 1, services, &log));
    CHECK_OK(locum_external_run(argv, environment, folder, log, timeout, services, &outcome));
    close(log);
    locum_external_log_tail(folder, said, size);
    locum_external_remove_folder(folder);
    CU_ASSERT(access(folder, F_OK) != 0);
    free(environment);
    return outcome;
}

static void a_program_ends_in_one_of_four_ways(void)
{
    char said[200];
    const locum_services none = {0}, stop = {.stop = now};

    external_outcome o = run("echo one; echo two; echo three; echo four >&2; exit 5", 10, &none, said, sizeof said);
    CU_ASSERT(o.exit_code == 5 && !o.signal && !o.timed_out && !o.stopped);
    CU_ASSERT_STRING_EQUAL(said, "two | three | four");
    o = run("kill -KILL $$", 10, &none, said, sizeof said);
    CU_ASSERT(o.signal == 9 && !o.timed_out);
    /* a child of the program ends with it, whatever it does about SIGTERM */
    o = run("trap '' TERM; (sleep 30; touch late) & sleep 30", 0.1, &none, said, sizeof said);
    CU_ASSERT(o.timed_out && o.seconds < 5); /* 0.1 s, and 2 s of patience */
    o = run("sleep 30", 30, &stop, said, sizeof said);
    CU_ASSERT(o.stopped && o.seconds < 5);
}

static void a_program_sees_no_rank_and_no_file_of_ours(void)
{
    char said[200];
    const locum_services none = {0};

    setenv("OMPI_COMM_WORLD_RANK", "3", 1);
    setenv("PMIX_RANK", "3", 1);
    setenv("KEPT", "yes", 1);
    int open_file = open("/dev/null", O_RDONLY);
    external_outcome o = run("echo \"$OMPI_COMM_WORLD_RANK$PMIX_RANK$KEPT\"; ls /proc/self/fd | wc -l; cat", 10, &none,
                             said, sizeof said);
    close(open_file);
    CU_ASSERT(o.exit_code == 0);
    CU_ASSERT_STRING_EQUAL(said, "yes | 4"); /* three streams, and the folder that ls reads */
}

LOCUM_RUN_TESTS("external", {"blanks separate words", blanks_separate_words},
                {"quotes and backslashes keep characters", quotes_and_backslashes_keep_characters},
                {"values are put in after the splitting", values_are_put_in_after_the_splitting},
                {"a relative program lies beside the study", a_relative_program_lies_beside_the_study},
                {"wrong command lines are refused", wrong_command_lines_are_refused},
                {"a table is made of names", a_table_is_made_of_names},
                {"names that mean something else are refused", names_that_mean_something_else_are_refused},
                {"different grids are refused", different_grids_are_refused},
                {"a program ends in one of four ways", a_program_ends_in_one_of_four_ways},
                {"a program sees no rank and no file of ours", a_program_sees_no_rank_and_no_file_of_ours})
